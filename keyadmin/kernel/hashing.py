"""Stored verifiers of secrets, all made and checked through one passlib context.

A generated secret has 190 bits, so a keyed hash is enough for it: OWASP ASVS 5.0, 6.5.2, asks for a slow,
salted hash only below 112 bits. Without the pepper, which never is in the database, a stolen verifier can't
even be tested. Slow hashing exists for weak imported secrets, and for those who choose it.

Stored forms, where `k` is the number of the pepper:
    $hmac-sha256$k=1$<digest, base64 without padding>
    $pbkdf2-hmac-sha256$k=1$<rounds>$<salt>$<digest, both in passlib's base64>
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

import passlib.utils.handlers as uh
from passlib.context import CryptContext
from passlib.handlers.pbkdf2 import pbkdf2_sha256 as plain_pbkdf2_sha256

HMAC_SCHEME: Final = "hmac_sha256"
SLOW_SCHEME: Final = "pbkdf2_sha256"
SCHEMES: Final = (HMAC_SCHEME, SLOW_SCHEME)
DEFAULT_ROUNDS: Final = 30000
MOST_ROUNDS: Final = 100_000_000  # that can be set; some ten seconds on a fast machine
MAX_ROUNDS: Final = 2**32 - 1  # the field of 32 bits that passlib allows
MIN_PEPPER_BYTES: Final = 32


class _Peppered(uh.GenericHandler):  # type: ignore[misc]
    """What both handlers share: numbered peppers, given by `using(peppers=...)`; the highest is current."""

    peppers: ClassVar[Mapping[int, bytes]] = MappingProxyType({})

    @classmethod
    def using(cls, peppers: Mapping[int, bytes] | None = None, **settings: Any) -> type[Self]:
        """A copy of this handler that knows `peppers` (number to key), and passlib's own settings."""
        configured: type[Self] = super().using(**settings)
        if peppers is not None:
            configured.peppers = MappingProxyType(dict(peppers))
        return configured

    def __init__(self, pepper: int | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        if pepper is None:
            if not self.peppers:
                raise ValueError(f"{self.name}: no pepper was given.")
            pepper = max(self.peppers)
        self.pepper = pepper

    def _keyed_digest(self, secret: str | bytes) -> str:
        """HMAC-SHA-256 (RFC 2104) of the secret's UTF-8 under this verifier's pepper, base64 unpadded."""
        key = self.peppers.get(self.pepper)
        if key is None:
            raise ValueError(f"{self.name}: pepper {self.pepper} is not known here.")
        message = secret.encode() if isinstance(secret, str) else secret
        return b64encode(hmac.digest(key, message, "sha256")).rstrip(b"=").decode("ascii")

    def _calc_needs_update(self, secret: str | bytes | None = None) -> bool:
        return self.pepper != max(self.peppers) or bool(super()._calc_needs_update(secret=secret))


class hmac_sha256(_Peppered):
    """HMAC-SHA-256 under a numbered pepper, unsalted: for secrets of 112 bits or more (ASVS 5.0, 6.5.2)."""

    name = HMAC_SCHEME
    ident = "$hmac-sha256$"
    setting_kwds = ()
    checksum_size = 43
    _form = re.compile(r"\$hmac-sha256\$k=([1-9][0-9]{0,8})\$([0-9A-Za-z+/]{43})")

    @classmethod
    def from_string(cls, stored: str, **context: Any) -> Self:
        match = cls._form.fullmatch(stored)
        if match is None:
            raise uh.exc.MalformedHashError(cls)
        return cls(pepper=int(match[1]), checksum=match[2], **context)

    def to_string(self) -> str:
        return f"{self.ident}k={self.pepper}${self.checksum}"

    def _calc_checksum(self, secret: str | bytes) -> str:
        return self._keyed_digest(secret)


class pbkdf2_sha256(_Peppered, plain_pbkdf2_sha256):  # type: ignore[misc]
    """PBKDF2-HMAC-SHA-256 (RFC 8018, 5.2; passlib's own) over the 43 characters that `hmac_sha256` stores.

    The HMAC comes first so that a stolen database gives nothing to guess against, however weak the secret.
    """

    name = SLOW_SCHEME
    ident = "$pbkdf2-hmac-sha256$"
    _form = re.compile(
        r"\$pbkdf2-hmac-sha256\$k=([1-9][0-9]{0,8})(\$[1-9][0-9]{0,9}\$[0-9A-Za-z./]{1,1366}\$[0-9A-Za-z./]{43})"
    )

    @classmethod
    def from_string(cls, stored: str) -> Self:
        match = cls._form.fullmatch(stored)
        if match is None:
            raise uh.exc.MalformedHashError(cls)
        plain = plain_pbkdf2_sha256.from_string("$pbkdf2-sha256" + match[2])
        return cls(pepper=int(match[1]), rounds=plain.rounds, salt=plain.salt, checksum=plain.checksum)

    def to_string(self) -> str:
        plain = plain_pbkdf2_sha256(rounds=self.rounds, salt=self.salt, checksum=self.checksum)
        return f"{self.ident}k={self.pepper}{plain.to_string().removeprefix('$pbkdf2-sha256')}"

    def _calc_checksum(self, secret: str | bytes) -> bytes:
        try:
            digest: bytes = super()._calc_checksum(self._keyed_digest(secret))
        except OverflowError:
            raise ValueError(f"OpenSSL does not count to {self.rounds} rounds.") from None
        return digest


class KeyHasher:
    """Makes and checks stored verifiers. Built by `build_context`; safe to share between threads."""

    __slots__ = ("_context", "rounds", "scheme")

    def __init__(self, context: CryptContext, *, scheme: str, rounds: int) -> None:
        self._context = context
        self.scheme = scheme
        self.rounds = rounds

    def hash(self, secret: str, scheme: str | None = None) -> str:
        """A verifier for `secret` to be stored, under the current pepper.

        `scheme` overrides the default one: a secret under 112 bits always takes `pbkdf2_sha256`.
        Raises ValueError for an unknown scheme, for a secret over 4096 characters or without a UTF-8 form
        (lone surrogates), and for more rounds than OpenSSL can count (2**31-1).
        """
        handler = self._context.handler(_known_scheme(scheme or self.scheme))
        return str(handler.hash(secret))

    def verify(self, secret: str, stored: str) -> bool:
        """True if `stored` is a verifier of `secret`, compared in constant time (ASVS 5.0, 11.2.4).

        Never raises: a pepper number that is not known here, a garbled verifier, or one of another make is
        False. With `pbkdf2_sha256` it costs what the rounds in `stored` cost: see `is_slow`.
        """
        try:
            return bool(self._context.verify(secret, stored))
        except ValueError:
            return False

    def needs_update(self, stored: str, scheme: str | None = None) -> bool:
        """True if `hash(secret, scheme)` would store something else now: other scheme, rounds or pepper.

        Pass the scheme that the record must have where it is not the default one, or a weak imported secret
        would be "updated" to a fast hash. A garbled verifier needs an update too (it never verifies).
        Raises ValueError for an unknown scheme.
        """
        handler = self._context.handler(_known_scheme(scheme or self.scheme))
        try:
            return not handler.identify(stored) or bool(handler.needs_update(stored))
        except ValueError:
            return True

    def with_rounds(self, rounds: int) -> "KeyHasher":
        """The same, but what it makes has this number of rounds. Raises ValueError for one out of range."""
        if rounds == self.rounds:
            return self
        _check_rounds(rounds)
        slow = self._context.handler(SLOW_SCHEME).using(rounds=rounds)
        context = CryptContext(schemes=[self._context.handler(HMAC_SCHEME), slow], default=self.scheme)
        return KeyHasher(context, scheme=self.scheme, rounds=rounds)

    def is_slow(self, stored: str) -> bool:
        """True if checking against `stored` runs PBKDF2, so that it must be bounded and not paid twice."""
        return stored.startswith(pbkdf2_sha256.ident)


def build_context(
    peppers: Mapping[int, bytes], *, scheme: str = HMAC_SCHEME, rounds: int = DEFAULT_ROUNDS
) -> KeyHasher:
    """The hasher for these peppers (number from 1, to at least 32 bytes); the highest number is current.

    `scheme` is what new verifiers get (`hmac_sha256` or `pbkdf2_sha256`), `rounds` the PBKDF2 iterations
    (1 to 2**32-1). Verifiers of both schemes, any rounds and every given pepper can be checked.
    Raises ValueError for an unknown scheme, rounds out of range, and missing, misnumbered or short peppers.
    """
    _known_scheme(scheme)
    _check_rounds(rounds)
    if not peppers:
        raise ValueError("At least one pepper is needed.")
    for number, key in peppers.items():
        if not 1 <= number <= 999_999_999:
            raise ValueError(f"Peppers are numbered from 1 to 999999999, not {number}.")
        if len(key) < MIN_PEPPER_BYTES:  # RFC 2104, section 3: a key shorter than the hash output weakens it
            raise ValueError(f"Pepper {number} is shorter than {MIN_PEPPER_BYTES} bytes.")
    handlers = [hmac_sha256.using(peppers=peppers), pbkdf2_sha256.using(peppers=peppers, rounds=rounds)]
    return KeyHasher(CryptContext(schemes=handlers, default=scheme), scheme=scheme, rounds=rounds)


def _check_rounds(rounds: int) -> None:
    if not 1 <= rounds <= MAX_ROUNDS:
        raise ValueError(f"The number of rounds must be from 1 to {MAX_ROUNDS}, not {rounds}.")


def _known_scheme(scheme: str) -> str:
    if scheme not in SCHEMES:
        raise ValueError(f"{scheme!r} is not a hash scheme: choose {' or '.join(SCHEMES)}.")
    return scheme

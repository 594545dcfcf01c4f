"""The key format: `<prefix>_<live|test>_<token id 12><secret 32><checksum 6>`, the last three in base62.

The token id is public (logs, lists, searches). The secret is 32 base62 characters from the system's CSPRNG,
190 bits. The checksum catches typing errors without a look-up and proves nothing: anyone can compute it.
"""

import re
import secrets
import zlib
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote_to_bytes

Environment = Literal["live", "test"]

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TOKEN_ID_LENGTH: Final = 12
SECRET_LENGTH: Final = 32
CHECKSUM_LENGTH: Final = 6  # 62 ** 6 > 2 ** 32: every CRC32 fits
TAIL_LENGTH: Final = 4
# From the separator before the environment on, each character percent-encoded four times, as below.
LONGEST_FORM: Final = len("%25252561") * (len("_live_") + TOKEN_ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH)

_PREFIX = re.compile(r"[a-z][a-z0-9]{0,15}")
_KEY = re.compile(
    rf"({_PREFIX.pattern})_(live|test)_"
    rf"([0-9A-Za-z]{{{TOKEN_ID_LENGTH}}})([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A whole API key in its parts. It holds the secret: do not keep one longer than the request."""

    prefix: str
    environment: Environment
    token_id: str
    secret: str
    checksum: str

    @property
    def text(self) -> str:
        """The full key, secret included, as its holder sends it."""
        return f"{self.prefix}_{self.environment}_{self.token_id}{self.secret}{self.checksum}"

    @property
    def tail(self) -> str:
        """The last four characters. They belong to the checksum, never to the secret."""
        return self.checksum[-TAIL_LENGTH:]

    @property
    def masked(self) -> str:
        """The form that may be shown and logged, such as `ka_live_8f3kQ2mZp0Xa...9t0w`."""
        return masked(self.prefix, self.environment, self.token_id, self.tail)

    def __repr__(self) -> str:
        return f"Token({self.masked})"


def mint(prefix: str, environment: Environment) -> Token:
    """A new key with a token id and a secret from the system's CSPRNG (`secrets`, so without modulo bias).

    Raises ValueError for a prefix that is not a lower-case letter followed by up to 15 lower-case letters or
    digits, and for an unknown environment: such a key could never be parsed again.
    """
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("A key prefix is a lower-case letter and up to 15 lower-case letters or digits.")
    if environment not in ("live", "test"):
        raise ValueError("A key environment is live or test.")
    token_id = _random_text(TOKEN_ID_LENGTH)
    secret = _random_text(SECRET_LENGTH)
    checksum = _checksum(f"{prefix}_{environment}_{token_id}{secret}")
    return Token(prefix, environment, token_id, secret, checksum)


def parse(text: str) -> Token | None:
    """The parts of a key, or None unless `text` is exactly one well-formed key with the right checksum.

    Never raises. None means a typing error or something else altogether; a Token means nothing but that the
    text is well formed: only a stored verifier can tell whether the secret is right.
    """
    match = _KEY.fullmatch(text)
    if match is None or _checksum(text[:-CHECKSUM_LENGTH]) != match[5]:
        return None
    return Token(match[1], "live" if match[2] == "live" else "test", match[3], match[4], match[5])


def masked(prefix: str, environment: str, token_id: str, tail: str) -> str:
    """The one masked form of a key, from its public parts, such as `ka_live_8f3kQ2mZp0Xa...9t0w`."""
    return f"{prefix}_{environment}_{token_id}...{tail}"


def masked_given(tail: str) -> str:
    """The masked form of a secret made elsewhere: its last four characters where these may be shown."""
    return f"...{tail}"


def has_form(text: str) -> bool:
    """Whether `text` is in the form of a whole key, with any checksum."""
    return _KEY.fullmatch(text) is not None


def looks_like_key(text: str) -> bool:
    """True if a whole key occurs anywhere in `text`, with any checksum, plain or percent-encoded.

    For deciding what must not be echoed, logged or sent in a URL; so it says yes in doubt, and looks neither
    at the prefix nor at what stands around the key.
    """
    return _KEY_INSIDE.search(text) is not None


def redact(text: str) -> str:
    """`text` with each whole key in it, plain or percent-encoded, replaced by its masked form."""
    return _KEY_INSIDE.sub(_mask_match, text)


def _random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    """CRC32 (the polynomial of IEEE 802.3 and zip) of an ASCII text as six base62 digits, zero padded."""
    number = zlib.crc32(text.encode("ascii"))
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return digits


def _plain_or_encoded(characters: str) -> str:
    """A pattern for one of `characters` as itself or percent-encoded (RFC 3986, 2.1) up to four times."""
    codes = "|".join(f"{ord(character):02x}" for character in characters)
    return f"(?:[{characters}]|%(?:25){{0,3}}(?i:{codes}))"


# Without the prefix: it is no secret, and where a cut-off key meets a whole one (`ka_live_8f3kka_live_...`),
# a match that began at the first prefix could eat the second and let its secret through.
_SEPARATOR = _plain_or_encoded("_")
_ENVIRONMENT = "|".join("".join(map(_plain_or_encoded, name)) for name in ("live", "test"))
_DIGIT = _plain_or_encoded(ALPHABET)
_KEY_INSIDE = re.compile(
    rf"{_SEPARATOR}({_ENVIRONMENT}){_SEPARATOR}"
    rf"({_DIGIT}{{{TOKEN_ID_LENGTH}}}){_DIGIT}{{{SECRET_LENGTH + CHECKSUM_LENGTH - TAIL_LENGTH}}}"
    rf"({_DIGIT}{{{TAIL_LENGTH}}})"
)


def _mask_match(match: re.Match[str]) -> str:
    environment, token_id, tail = (_decoded(part) for part in match.groups())
    return masked("", environment, token_id, tail)


def _decoded(part: str) -> str:
    while "%" in part:  # ends: each round takes one level of encoding away, and the pattern allows four
        part = unquote_to_bytes(part).decode("ascii")
    return part

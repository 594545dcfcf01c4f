"""Site keys ready to be stored: made before a transaction begins, because the hash may be slow."""

from dataclasses import dataclass, field

from django.conf import settings

from keyadmin.instance import queries as instance
from keyadmin.kernel import given, hashing, tokens
from keyadmin.kernel.errors import InvalidError
from keyadmin.sitekey.models import SiteKey

PREFIX_LENGTH = 12  # of the keys' own prefix, so that there is room for the mark
MARK = "site"
WARNING = (
    f"This site key is weak: by our estimate it has less than {given.STRONG_BITS} bits, so it could be guessed one "
    "day. Make one here when you can."
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A site key with its secret, for the one answer in which it is shown; empty if it was entered."""

    site_key: SiteKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Minted:
    """A fresh site key and its verifier."""

    token: tokens.Token
    verifier: str = field(repr=False)

    def row(self) -> SiteKey:
        """What is stored of it."""
        token = self.token
        return SiteKey(prefix=token.prefix, token_id=token.token_id, tail=token.tail, verifier=self.verifier)


@dataclass(frozen=True, slots=True)
class Entered:
    """A site key made elsewhere with its verifier; `same_as` is the verifier of the current one, if it is that one."""

    tail: str
    verifier: str = field(repr=False)
    same_as: str = field(repr=False)

    def row(self) -> SiteKey:
        """What is stored of it."""
        return SiteKey(tail=self.tail, verifier=self.verifier)


def mint() -> Minted:
    """A new site key from the system's CSPRNG (190 bits), in the form of an API key but marked: `kasite_live_...`."""
    token = tokens.mint(settings.ENV.key_prefix[:PREFIX_LENGTH] + MARK, "live")
    return Minted(token, instance.hasher().hash(token.text))


def enter(secret: str, current: SiteKey | None) -> Entered:
    """A site key made elsewhere; a weak one is always hashed slowly. Raises InvalidError for what can't be one."""
    try:
        given.check(secret, given.SHORTEST)
    except InvalidError as error:
        raise InvalidError.field("site_key", error.detail) from None
    same = current is not None and settings.KEY_HASHER.verify(secret, current.verifier)
    scheme = None if given.is_strong(secret) else hashing.SLOW_SCHEME
    verifier = instance.hasher(scheme).hash(secret, scheme)
    return Entered(given.tail(secret), verifier, current.verifier if current is not None and same else "")

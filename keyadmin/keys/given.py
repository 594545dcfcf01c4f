"""Secrets made elsewhere as keys have them: finding the key that has one, and making one ready to be stored."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import QuerySet

from keyadmin.instance import queries as instance
from keyadmin.kernel import given, hashing
from keyadmin.kernel.errors import ConflictError
from keyadmin.keys.models import APIKey

WARNING = (
    f"This secret is weak: by our estimate it has less than {given.STRONG_BITS} bits, so it could be guessed one day. "
    "Replace it with a generated one when you can."
)


@dataclass(frozen=True, slots=True)
class Entered:
    """A secret made elsewhere with its verifier, made before a transaction begins because the hash may be slow.

    `compared` are the keys of its bucket, each with the verifier that it was compared with; `holders` have it.
    """

    bucket: int
    tail: str
    verifier: str = field(repr=False)
    compared: frozenset[tuple[int, str]] = field(repr=False)
    holders: frozenset[int]

    def refuse_used(self, but_by: int | None) -> None:
        """Inside a unit that excludes others: raise ConflictError if another key than this one has the secret by now.

        A key that came into the bucket meanwhile is not compared: that it has another secret is one chance in 2**40.
        """
        now = frozenset(in_bucket(self.bucket).values_list("pk", "verifier"))
        if any(pk != but_by and (pk in self.holders or (pk, verifier) not in self.compared) for pk, verifier in now):
            raise ConflictError(code="secret_in_use")

    def is_held_by(self, key: APIKey) -> bool:
        """Whether the key has this very secret, as far as was compared."""
        return key.pk in self.holders and (key.pk, key.verifier) in self.compared


def enter(secret: str, shortest: int) -> Entered:
    """A secret ready to be stored. Raises InvalidError for what can't be one (kernel.given.check).

    A weak one is always hashed slowly.
    """
    given.check(secret, shortest)
    bucket = given.bucket(settings.BUCKET_KEY, secret)
    compared = frozenset(in_bucket(bucket).values_list("pk", "verifier"))
    holders = frozenset(pk for pk, verifier in compared if settings.KEY_HASHER.verify(secret, verifier))
    scheme = None if given.is_strong(secret) else hashing.SLOW_SCHEME
    return Entered(bucket, given.tail(secret), instance.hasher(scheme).hash(secret, scheme), compared, holders)


def key_with(secret: str, fits: Callable[[APIKey], bool]) -> APIKey | None:
    """The key with this secret, made elsewhere, unless it is revoked. A secret that nobody has costs one query.

    `fits` compares the secret with the verifier of a key.
    """
    return next((key for key in in_bucket(given.bucket(settings.BUCKET_KEY, secret)) if fits(key)), None)


def in_bucket(bucket: int) -> QuerySet[APIKey]:
    """The keys that may have a secret of this bucket: hardly ever more than one. Revoked ones have none any more."""
    return APIKey.objects.filter(bucket=bucket, revoked_at=None).order_by("pk")

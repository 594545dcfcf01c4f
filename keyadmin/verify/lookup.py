"""From a presented secret to frozen facts, straight from the database."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

from django.conf import settings

from accounts import queries as accounts
from accounts.models import User
from keyadmin.freshness.queries import confirmed, in_transaction
from keyadmin.kernel import tokens
from keyadmin.kernel.patterns import HOLDS_NOTHING, Held, Rights
from keyadmin.keys import given
from keyadmin.keys.models import APIKey
from keyadmin.keys.often import default_rate, effective_rate
from keyadmin.keys.queries import held_through
from keyadmin.prepared import Prepared
from keyadmin.verify import memory, secret
from keyadmin.verify.decide import KeyFacts

T = TypeVar("T")
NOTHING: Final = (None, accounts.NO_SUCH_ORGANIZATION)  # may exist in a moment, without another epoch
# A verifier that fits no secret: an unknown token id costs the same comparison as a wrong secret.
_NOBODY = settings.KEY_HASHER.hash("nobody", "hmac_sha256")
_DECIDING: Final = (
    *("kind", "organization", "owner", "name", "permissions", "allowed_networks", "rate_count", "rate_seconds"),
    *("segmented", "environment", "prefix", "token_id", "bucket", "tail", "verifier"),
    *("created_at", "expires_at", "expired_seen_at", "paused_at", "revoked_at"),
)
_by_token_id = Prepared(lambda: APIKey.objects.filter(token_id="").only(*_DECIDING))
_by_former_token_id = Prepared(lambda: APIKey.objects.filter(former_token_ids__token_id="").only(*_DECIDING))
_owner = Prepared(lambda: User.objects.filter(pk=0))


def find(token: tokens.Token) -> KeyFacts | None:
    """The facts for a well-formed token, with the word whether its secret matches; None if its id is unknown.

    Raises UnavailableError if too many slow hashes are being computed.
    """
    key = _by_token_id.first(token.token_id)
    if key is None:
        settings.KEY_HASHER.verify(token.text, _NOBODY)
    elif secret.fits(token.text, key.verifier or _NOBODY, key):
        return _facts(key)
    former = _by_former_token_id.first(token.token_id)  # as much work for an id that is known as for one that is not
    if key is not None:
        return _unproved(key)
    return None if former is None else _unproved(former)._replace(replaced=True, token_id=token.token_id)


def organization_id_meant(reference: str) -> int | None:
    """`accounts.queries.organization_id_meant`, asked once in an epoch for what exists."""
    if not reference:
        return None
    return _once(("id", reference), lambda: accounts.organization_id_meant(reference))


def standing_of(organization_id: int) -> accounts.Standing | None:
    """`accounts.queries.standing_of`, asked once in an epoch for what exists."""
    return _once(("standing", organization_id), lambda: accounts.standing_of(organization_id))


def _once(name: object, find: Callable[[], T]) -> T:
    """Inside a transaction each time: it may have made what others can't see."""
    epoch = None if in_transaction() else confirmed()
    if epoch is None:
        return find()
    return memory.of_epoch(epoch, name, find, kept=lambda found: found not in NOTHING)


def find_given(text: str) -> KeyFacts | None:
    """The facts for a secret made elsewhere; None if no key has it. Raises UnavailableError as `find`."""
    key = given.key_with(text, lambda one: secret.fits(text, one.verifier, one))
    return None if key is None else _facts(key)


def _facts(key: APIKey) -> KeyFacts | None:
    """The same as `facts_of`, for a secret that matches; None if its owner, and so the key, is there no more."""
    try:
        return facts_of(key)._replace(secret_matches=True)
    except User.DoesNotExist:
        return None


def facts_of(key: APIKey) -> KeyFacts:
    """What decides about a key, as it stands in the database, with no word about a secret.

    Raises User.DoesNotExist for one whose owner has been deleted, as it has been itself.
    """
    home = None if key.organization_id is None else standing_of(key.organization_id)
    owner = _owner_of(key)
    if owner is not None:
        held = held_through(key, owner)
    else:
        assert key.organization_id is not None  # noqa: S101  a constraint of the table
        held = _held(key.organization_id, tuple(key.permissions or ()), home is None or home.is_suspended)
    default = None
    if key.rate is None:
        default = default_rate(key) if home is None else home.default_rate
    return _unproved(key)._replace(
        state=key.state,
        owner_uid=str(owner.uid) if owner else "",
        owner_active=owner is None or owner.is_active,
        held=held,
        limit=None if owner is None or key.permissions is None else frozenset(key.permissions),
        allowed_networks=tuple(key.allowed_networks),
        segment=key.is_segment,
        # An id alone may be given again, once a database has been restored.
        meter=f"{key.pk}-{key.created_at.timestamp():.6f}",
        rate=effective_rate(key, default),
    )


def _unproved(key: APIKey) -> KeyFacts:
    """What refuses a key whose secret does not match, and names it in the records; nothing is looked up for that.

    Whoever sends many ids at once would else see which of them are known by the time that all answers take.
    """
    return KeyFacts(
        key_id=key.pk,
        label=key.name,
        masked=key.masked,
        token_id=key.token_id or "",
        kind=key.kind,
        environment=key.environment,
        state="",
        revoked_at=key.revoked_at,
        expired_seen_at=key.expired_seen_at,
        expires_at=key.expires_at,
        paused_at=key.paused_at,
        replaced=False,
        secret_matches=False,
        organization_id=key.organization_id,
        owner_id=key.owner_id,
        owner_uid="",
        owner_active=True,
        held=HOLDS_NOTHING if key.organization_id is None else _held(key.organization_id, (), False),
        limit=None,
        allowed_networks=(),
        segment=False,
    )


@lru_cache(maxsize=4096)
def _held(organization_id: int, permissions: tuple[str, ...], is_suspended: bool) -> Held:
    """What an organisation's key gives: the same object for many keys, of which as many are remembered."""
    rights = {organization_id: Rights(frozenset(permissions))}
    return Held(rights, frozenset({organization_id} if is_suspended else ()))


def _owner_of(key: APIKey) -> User | None:
    if key.owner_id is None:
        return None
    owner = _owner.first(key.owner_id)
    if owner is None:
        raise User.DoesNotExist
    return owner

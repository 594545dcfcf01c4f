"""What the services of keys share: locks, checked values, and what the log says of a key."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from accounts.models import Membership, Organization, User, UserKind
from accounts.services.catalogue import check_patterns
from keyadmin.activity.events import Target
from keyadmin.kernel import addresses, clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, InvalidError, NotFoundError, StaleError, UnavailableError
from keyadmin.kernel.rates import parse_rate
from keyadmin.keys import policy, queries, rights
from keyadmin.keys.models import APIKey, KeyKind

LONGEST_NETWORK_LIST = 100


class Unsaid:
    """The type of UNSAID: an expiry of which nothing was said, which None (never) can't mean."""


UNSAID: Final = Unsaid()


def creation(*, actor: Actor) -> dict[str, Any]:
    """When a key is made, and by whom."""
    return {
        "created_at": clock.now(),
        "created_by_id": actor.user_id,
        "created_by_key": actor.key_id,
        "created_by_label": actor.label,
        "segmented": actor.segment,
    }


def locked(key_id: int, expected_version: int | None, *, actor: Actor) -> APIKey:
    """The key, locked until the unit ends, if the actor may see and manage it and it is the version expected."""
    key = queries.visible_key(actor, key_id)
    rights.require_manage(actor, key)
    return locked_as_seen(key_id, expected_version, actor=actor)


def locked_as_seen(key_id: int, expected_version: int | None, *, actor: Actor) -> APIKey:
    lock_with_actor(key_id, actor=actor)
    found = queries.visible_keys(actor).filter(pk=key_id).first()
    if found is None:  # deleted meanwhile
        raise NotFoundError("There is no such API key.")
    if expected_version is not None and expected_version != found.version:
        raise StaleError
    return found


def lock_with_actor(*key_ids: int, actor: Actor) -> None:
    """Lock the keys until the unit ends, and the acting key with them, which must be what it was when verified.

    So of a revoke and what the revoked key does at that moment one comes first: either the revoke waits until it is
    done, or it is refused. In the order of ids, so that two keys that act on each other can't deadlock; without
    their key columns, which rows that point at them are checked against at COMMIT.
    """
    acting = actor.key_id
    ids = {pk for pk in (*key_ids, acting) if pk is not None}
    rows = {key.pk: key for key in APIKey.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")}
    if acting is not None and (
        acting not in rows
        or rows[acting].state != actor.key_state
        or not queries.blocking(rows[acting]) <= actor.held.blocked
    ):
        raise UnavailableError("The key was changed while it was being used, so nothing was done. Try again.")


def keep_single(key: APIKey, demands: policy.Demands) -> None:
    """One key for each user, where that is demanded: of two made at once one comes first, by a lock on the owner."""
    if demands.one_key_per_user and key.owner_id is not None:
        User.objects.select_for_update(no_key=True).get(pk=key.owner_id)
        policy.check_single(demands, key, clock.now())


def refuse_revoked(key: APIKey) -> None:
    if key.revoked_at is not None:
        raise ConflictError(code="key_revoked")


def set_expiry(key: APIKey, expires_at: datetime | None) -> None:
    if expires_at == key.expires_at:
        return
    key.expires_at, key.expired_seen_at = checked_expiry(expires_at), None


def checked_expiry(expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidError.field("expiry_date", "The expiry date must be in the future.")
    return expires_at


def checked_permissions(kind: str, wanted: Iterable[str] | None) -> list[str] | None:
    if wanted is None:
        return [] if kind == KeyKind.ORGANIZATION else None
    return check_patterns(wanted, instance=kind == KeyKind.USER)


def checked_networks(wanted: Iterable[str]) -> list[str]:
    found, problems = [], []
    for text in wanted:
        try:
            found.append(addresses.parse_network(text))
        except ValueError as error:
            problems.append(str(error))
    if len(found) > LONGEST_NETWORK_LIST:
        problems.append(f"At most {LONGEST_NETWORK_LIST} networks.")
    if problems:
        raise InvalidError(problems[0], errors={"allowed_networks": problems})
    return list(dict.fromkeys(found))


def checked_rate(text: str | None) -> str | None:
    """A rate limit in its one spelling. Raises InvalidError."""
    try:
        return None if text is None else str(parse_rate(text))
    except ValueError as error:
        raise InvalidError.field("rate_limit", str(error)) from None


def belongs_to(
    kind: str, organization: Organization | None, owner: User | None
) -> tuple[Organization | None, User | None]:
    if kind == KeyKind.ORGANIZATION:
        if owner is not None:
            raise InvalidError.field("owner", "An organisation key has no owner.")
        if organization is None:
            raise InvalidError.field("organization", "Say which organisation the key belongs to.")
        return organization, None
    if owner is None:
        raise InvalidError.field("owner", "Say whose key this is.")
    homes = [row.organization for row in Membership.objects.select_related("organization").filter(user=owner)]
    if organization is not None and organization not in homes:
        raise InvalidError.field("owner", "This user is not in the organisation.")
    return (homes[0] if owner.kind == UserKind.API else None), owner


def save(key: APIKey) -> None:
    key.version += 1
    key.save(force_update=True)


def target_of(key: APIKey) -> Target:
    return Target("api_key", key.pk, key.name)


def chains_of(key: APIKey) -> list[int]:
    """The organisations that log what happens to the key: its own, or all of the person that it belongs to."""
    if key.organization_id is not None:
        return [key.organization_id]
    rows = Membership.objects.filter(user=key.owner).order_by("organization_id")
    return list(rows.values_list("organization_id", flat=True))


def snapshot(key: APIKey) -> dict[str, object]:
    """What the log says of a key: never its verifier."""
    return {
        "name": key.name,
        "description": key.description,
        "kind": key.kind,
        "environment": key.environment,
        "owner": key.owner_id,
        "token_id": key.token_id,
        "permissions": key.permissions,
        "allowed_networks": key.allowed_networks,
        "rate_limit": key.rate_limit,
        "expiry_date": clock.rfc3339(key.expires_at) if key.expires_at else None,
    }


def differing(before: dict[str, object], after: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """The fields of two snapshots that differ, before and after."""
    changed = [name for name, value in after.items() if before[name] != value]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}

"""Keys edited."""

import copy
from datetime import datetime
from typing import NamedTuple, TypedDict

from keyadmin.activity import work
from keyadmin.activity.events import EventName
from keyadmin.kernel import addresses, clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError
from keyadmin.kernel.rates import Rate
from keyadmin.kernel.text import clean_line, clean_text
from keyadmin.keys import often, policy, rights
from keyadmin.keys.models import DESCRIPTION_LENGTH, NAME_LENGTH, APIKey, KeyKind
from keyadmin.keys.services.common import (
    chains_of,
    checked_networks,
    checked_permissions,
    checked_rate,
    differing,
    keep_single,
    locked,
    refuse_revoked,
    save,
    set_expiry,
    snapshot,
    target_of,
)
from keyadmin.keys.status import Status


class KeyChanges(TypedDict, total=False):
    """The fields that can be edited; an absent one stays as it is."""

    name: str
    description: str
    expires_at: datetime | None
    permissions: list[str] | None
    allowed_networks: list[str]
    rate_limit: str | None


def edit_key(*, actor: Actor, key_id: int, changes: KeyChanges, expected_version: int | None = None) -> APIKey:
    """Change name, description, expiry, permissions, networks or rate limit; never the secret, its time or creator.

    What makes the key work longer, from more places, more often or again needs all its rights; a permission that is
    added must be held; taking away needs neither. Nothing changed: no event, same version.
    Raises NotFoundError, DeniedError, InvalidError (also for what the key policy demands of what is changed),
    StaleError, ConflictError (`key_revoked`, `one_key_per_user`).
    """
    with work.unit(actor) as unit:
        key = locked(key_id, expected_version, actor=actor)
        refuse_revoked(key)
        demands = policy.demands_on(key.organization_id, key.owner)
        before, name_before, reach_before = snapshot(key), key.name, _reach(key, demands)
        was_over = key.status is Status.EXPIRED
        gained = _apply(key, changes)
        after = snapshot(key)
        changed = [name for name, value in after.items() if before[name] != value]
        if not changed:
            unit.changes_rights()  # somebody else may have done it a moment ago, and be waiting until all know it
            return key
        rights.require_flairs(actor, key.organization_id, name_before, key.name)
        if _reaches_further(reach_before, _reach(key, demands)):
            rights.require_holds_all(actor, key)
        elif gained is None or gained:
            rights.require_holds_all(actor, _with_permissions(key, gained))
        policy.check_reason(demands, actor)
        if "expiry_date" in changed:
            policy.check_expiry(demands, key.expires_at, clock.now())
        if {"permissions", "allowed_networks"} & set(changed):
            policy.check_power(demands, key)
        if was_over and key.status is not Status.EXPIRED:
            keep_single(key, demands)
        save(key)
        if set(changed) != {"description"}:
            unit.changes_rights()
        unit.record(
            EventName.API_KEY_UPDATED,
            target_of(key),
            organizations=chains_of(key),
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return key


def foresee_edit(key: APIKey, changes: KeyChanges) -> tuple[dict[str, object], dict[str, object]]:
    """The fields that an edit would change, before and after, as the log would have them. Changes nothing.

    Raises InvalidError. Whether it may be done is asked when it is done.
    """
    seen = copy.copy(key)
    _apply(seen, changes)
    return differing(snapshot(key), snapshot(seen))


def _apply(key: APIKey, changes: KeyChanges) -> frozenset[str] | None:
    """Put checked values on the key; returns the permissions gained (None: a limit was taken away)."""
    gained: frozenset[str] | None = frozenset()
    if "name" in changes:
        key.name = clean_line("name", changes["name"], longest=NAME_LENGTH)
    if "description" in changes:
        key.description = clean_text("description", changes["description"], longest=DESCRIPTION_LENGTH)
    if "expires_at" in changes:
        set_expiry(key, changes["expires_at"])
    if "allowed_networks" in changes:
        key.allowed_networks = checked_networks(changes["allowed_networks"])
    if "rate_limit" in changes:
        key.rate_limit = checked_rate(changes["rate_limit"])
    if "permissions" in changes:
        if changes["permissions"] is None and key.kind == KeyKind.ORGANIZATION:
            raise InvalidError.field("permissions", "An organisation key needs a list; it may be empty.")
        wanted = checked_permissions(key.kind, changes["permissions"])
        gained = rights.added(key.permissions, wanted)
        key.permissions = wanted
    return gained


def _with_permissions(key: APIKey, gained: frozenset[str] | None) -> APIKey:
    """The key as if it gave only what it gained."""
    permissions = None if gained is None else sorted(gained)
    return APIKey(kind=key.kind, organization=key.organization, owner=key.owner, permissions=permissions)


class _Reach(NamedTuple):
    """How long, from where, how often and over what a key works; and whether it was seen to have expired."""

    seen_expired: bool
    expires_at: datetime | None
    networks: list[str]
    rate: Rate | None
    segment: bool


def _reach(key: APIKey, demands: policy.Demands) -> _Reach:
    rate = often.effective_rate(key, demands.default_rate)
    return _Reach(key.expired_seen_at is not None, key.expires_at, key.allowed_networks, rate, key.is_segment)


def _reaches_further(before: _Reach, after: _Reach) -> bool:
    """Whether the key works longer, from more places, more often, or on more than what it created itself."""
    again = before.seen_expired and not after.seen_expired
    longer = before.expires_at is not None and (after.expires_at is None or after.expires_at > before.expires_at)
    wider = addresses.widens(before.networks, after.networks) or (before.segment and not after.segment)
    oftener = before.rate is not None and (after.rate is None or after.rate.exceeds(before.rate))
    return again or longer or wider or oftener

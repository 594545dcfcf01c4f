"""What organisations demand of keys (their key policy). Shared by the services; decides, changes nothing.

A key of an organisation or of an API user is bound by one policy; a person's key, which works in every organisation
that the person is in, by all of theirs, so that the strictest decides. A key that exists stays as it is when a
policy changes: only what is changed must comply.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from accounts.access import held_by
from accounts.models import KeyPolicy, Membership, User, UserKind
from accounts.models.organizations import SHORTEST_IMPORTED_SECRET
from keyadmin.kernel import clock, rates
from keyadmin.kernel.actor import Actor, ActorKind
from keyadmin.kernel.errors import ConflictError, InvalidError
from keyadmin.kernel.rates import Rate
from keyadmin.keys.models import APIKey, KeyKind

REASON_DEMANDED = (
    "This organisation demands a reason for every change of a key: "
    "the form's field Reason, the header X-Reason, or --reason of a command."
)


@dataclass(frozen=True, slots=True)
class Demands:
    """All that binds one key, the strictest of several policies. Lives in days; None: no limit, and never."""

    longest_life_days: int | None = None
    default_life_days: int | None = None
    never_expiring_allowed: bool = True
    admin_keys_allowed: bool = True
    admin_networks_required: bool = False
    one_key_per_user: bool = False
    api_users_only: bool = False
    reason_required: bool = False
    shortest_imported_secret: int = SHORTEST_IMPORTED_SECRET
    default_rate: Rate | None = None


def demands_on(organization_id: int | None, owner: User | None) -> Demands:
    """What binds a key of this organisation, or of this person (`organization_id` None)."""
    rows = KeyPolicy.objects.all()
    if organization_id is None:
        homes = Membership.objects.filter(user=owner).values("organization_id")
        return strictest(rows.filter(pk__in=homes))
    return strictest(rows.filter(pk=organization_id))


def strictest(policies: Iterable[KeyPolicy]) -> Demands:
    """One set of demands that satisfies all the policies."""
    found = list(policies)
    return Demands(
        longest_life_days=_least(row.longest_life_days for row in found),
        default_life_days=_least(row.default_life_days for row in found),
        never_expiring_allowed=all(row.never_expiring_allowed for row in found),
        admin_keys_allowed=all(row.admin_keys_allowed for row in found),
        admin_networks_required=any(row.admin_networks_required for row in found),
        one_key_per_user=any(row.one_key_per_user for row in found),
        api_users_only=any(row.api_users_only for row in found),
        reason_required=any(row.reason_required for row in found),
        shortest_imported_secret=max((row.shortest_imported_secret for row in found), default=SHORTEST_IMPORTED_SECRET),
        default_rate=rates.strictest(row.default_rate for row in found),
    )


def default_expiry(demands: Demands, now: datetime) -> datetime | None:
    """When a key ends whose maker said nothing: the end of a day in UTC, or never."""
    return None if demands.default_life_days is None else last_moment(now, demands.default_life_days)


def last_moment(now: datetime, days: int) -> datetime:
    """The end, in UTC, of the day so many days after `now`."""
    return clock.parse_moment((now + timedelta(days=days)).date().isoformat())


def check_reason(demands: Demands, actor: Actor) -> None:
    """Raise InvalidError where a reason is demanded and none is given. The worker's own acts need none."""
    if demands.reason_required and not actor.reason and actor.kind is not ActorKind.SYSTEM:
        raise InvalidError.field("reason", REASON_DEMANDED)


def check_owner(demands: Demands, owner: User | None) -> None:
    """Raise InvalidError where only API users may have user keys and this is a person's."""
    if demands.api_users_only and owner is not None and owner.kind == UserKind.PERSON:
        raise InvalidError.field("owner", "This organisation gives user keys to API users only.")


def check_expiry(demands: Demands, expires_at: datetime | None, now: datetime) -> None:
    """Raise InvalidError for a life that is longer than allowed."""
    longest = demands.longest_life_days
    if expires_at is None:
        if longest is not None or not demands.never_expiring_allowed:
            limit = f" of at most {longest} days" if longest is not None else ""
            raise InvalidError.field("expiry_date", f"This organisation demands an expiry date{limit}.")
    elif longest is not None and expires_at > last_moment(now, longest):
        day = f"{last_moment(now, longest):%d %b %Y}"
        raise InvalidError.field("expiry_date", f"Keys of this organisation live {longest} days at most, until {day}.")


def check_power(demands: Demands, key: APIKey) -> None:
    """Raise InvalidError for an admin key where none is allowed, or one that works from anywhere."""
    if demands.admin_keys_allowed and not demands.admin_networks_required:
        return
    if not is_admin_key(key):
        return
    if not demands.admin_keys_allowed:
        raise InvalidError.field("permissions", "This organisation allows no admin keys.")
    if not key.allowed_networks:
        raise InvalidError.field("allowed_networks", "This organisation demands networks for an admin key.")


def is_admin_key(key: APIKey) -> bool:
    """Whether the key holds everything in an organisation at this moment."""
    if key.owner is None:
        return "*" in (key.permissions or ())
    held = held_by(key.owner).narrowed(key.permissions)
    every = (*held.rights.values(), *([held.everywhere] if held.everywhere else ()))
    return any("*" in rights.patterns for rights in every)


def check_single(demands: Demands, key: APIKey, now: datetime) -> None:
    """Raise ConflictError where a user may have one key and has another that works or is paused.

    The caller has locked the owner, so that of two keys made at once one comes first.
    """
    if not demands.one_key_per_user or key.kind != KeyKind.USER:
        return
    others = APIKey.objects.filter(kind=KeyKind.USER, owner=key.owner, revoked_at=None, expired_seen_at=None)
    other = others.filter(Q(expires_at=None) | Q(expires_at__gt=now)).exclude(pk=key.pk).first()
    if other is not None:
        owner = key.owner.name if key.owner else ""
        raise ConflictError(
            f"{owner} has a key already ({other.masked}), and this organisation allows one for each user. "
            "Regenerate or revoke that key.",
            code="one_key_per_user",
        )


def _least(days: Iterable[int | None]) -> int | None:
    return min((number for number in days if number is not None), default=None)

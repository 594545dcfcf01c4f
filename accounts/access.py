"""Who may do what: the rights that users hold, and the two questions every service asks.

`require`: may the actor do this? `require_holds`: may the actor give this? Nobody gives what they do not hold.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from accounts.models import Group, Membership, User
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import DeniedError, NotFoundError
from keyadmin.kernel.patterns import HOLDS_EVERYTHING, HOLDS_NOTHING, INSTANCE_PERMISSIONS, Held, Rights
from keyadmin.prepared import Prepared


class Grant(NamedTuple):
    """One road from a user to rights: a policy of a group in an organisation. None where the road ends early."""

    user_id: int
    organization_id: int
    suspended: bool
    group_id: int | None
    policy_id: int | None
    patterns: tuple[str, ...]


_ROADS = (
    "user_id",
    "organization_id",
    "organization__suspended_at",
    "groups__group_id",
    "groups__group__organization_id",
    "groups__group__policies__id",
    "groups__group__policies__organization_id",
    "groups__group__policies__patterns",
)
_of_user = Prepared(lambda: Membership.objects.filter(user_id=0).values_list(*_ROADS))


def grants_of(user_ids: Iterable[int]) -> list[Grant]:
    """All roads of these users. One query. A membership without a group is one too, and gives nothing."""
    return _grants(Membership.objects.filter(user_id__in=list(user_ids)).values_list(*_ROADS))


def _grants(rows: Iterable[tuple[Any, ...]]) -> list[Grant]:
    found = []
    for user_id, oid, suspended_at, group_id, group_oid, policy_id, policy_oid, patterns in rows:
        # A group or policy of another organisation gives nothing, however it came to stand there.
        given = tuple(patterns) if group_oid == policy_oid == oid else ()
        found.append(Grant(user_id, oid, suspended_at is not None, group_id, policy_id, given))
    return found


def held_from(user: User, grants: Iterable[Grant]) -> Held:
    """What a user holds by these roads, of which only the user's own count."""
    patterns: dict[int, set[str]] = {}
    suspended = set()
    for grant in grants:
        if grant.user_id == user.pk:
            patterns.setdefault(grant.organization_id, set()).update(grant.patterns)
            if grant.suspended:
                suspended.add(grant.organization_id)
    base = HOLDS_EVERYTHING if user.is_instance_admin else HOLDS_NOTHING
    rights = {oid: Rights(frozenset(held)) for oid, held in patterns.items()}
    return Held(rights, frozenset(suspended), base.everywhere, base.instance)


def held_by(user: User) -> Held:
    """The union of the policies of the user's groups, for each organisation. One query."""
    return held_from(user, _grants(_of_user.all(user.pk)))


def held_by_each(users: Iterable[User]) -> dict[int, Held]:
    """The same for several users, by their ids, still in one query; none for no users."""
    every = {user.pk: user for user in users}
    roads: dict[int, list[Grant]] = {pk: [] for pk in every}
    for grant in grants_of(every) if every else ():
        roads[grant.user_id].append(grant)
    return {pk: held_from(user, roads[pk]) for pk, user in every.items()}


def _told(actor: Actor, permission: str, organization_id: int | None) -> str:
    """Who can grant it. Groups, which a key with the flair [segment] may not know of, are not named to it."""
    return "" if actor.segment else grantors(permission, organization_id)


def require(actor: Actor, permission: str, organization_id: int) -> None:
    """Raise NotFoundError for an organisation beyond the actor's reach, DeniedError without the permission there."""
    if not actor.reaches(organization_id):
        raise NotFoundError
    if not actor.rights_in(organization_id).allows(permission):
        raise DeniedError(permission, grantors=_told(actor, permission, organization_id))


def require_view(actor: Actor, thing: str, organization_id: int) -> None:
    """The same for looking at a thing (user, group, policy, org): who may change it may look at it too."""
    if not may_view(actor, thing, organization_id):
        require(actor, f"{thing}.view", organization_id)


def may_view(actor: Actor, thing: str, organization_id: int) -> bool:
    """The same as a question."""
    held = actor.rights_in(organization_id)
    return held.allows(f"{thing}.view") or held.allows(f"{thing}.ctrl")


def require_somewhere(actor: Actor, permission: str) -> None:
    """Raise DeniedError unless the permission is held in the organisation meant; without one, in any."""
    if not actor.allows(permission):
        known = actor.organization_id or next(iter(actor.held.rights), None)
        raise DeniedError(permission, grantors=_told(actor, permission, known))


def denied(actor: Actor, permission: str) -> DeniedError:
    """The refusal of an actor that lacks a permission wherever its request points, saying who can grant it there."""
    reached = actor.held.rights if actor.organization_id is None else (actor.organization_id,)
    only = next(iter(reached)) if len(reached) == 1 else None
    return DeniedError(permission, grantors="" if only is None else _told(actor, permission, only))


def require_instance(actor: Actor, permission: str) -> None:
    """Raise DeniedError unless the actor holds the instance permission."""
    if not actor.held.instance.allows(permission):
        raise DeniedError(permission, grantors=grantors(permission, None))


def require_settings_view(actor: Actor) -> None:
    """Raise DeniedError unless the actor may look at the settings of the instance: an auditor of any organisation may.

    They are nothing that a key with the flair [segment] has made: NotFoundError.
    """
    if actor.segment:
        raise NotFoundError
    if not actor.held.instance.allows("setting.ctrl") and not actor.allows("audit.view"):
        raise denied(actor, "audit.view")


def require_holds(actor: Actor, patterns: Iterable[str], organization_id: int) -> None:
    """Raise DeniedError naming the first pattern that the actor does not hold in the organisation itself."""
    missing = actor.rights_in(organization_id).first_missing(patterns)
    if missing is not None:
        raise cannot_give(missing)


def cannot_give(pattern: str) -> DeniedError:
    """The refusal to pass on a right that the actor lacks."""
    return DeniedError(pattern, f"Nobody can give rights that they do not hold; here {pattern} is missing.")


def grantors(permission: str, organization_id: int | None, *more: str) -> str:
    """One sentence that says who can grant a permission, and all of the others with it."""
    if permission in INSTANCE_PERMISSIONS or organization_id is None:
        return "Only instance administrators hold it."
    wanted = ("group.ctrl", permission, *more)
    names = []
    for group in Group.objects.filter(organization_id=organization_id).prefetch_related("policies").order_by("name"):
        if Rights(patterns_of(group)).first_missing(wanted) is None:
            names.append(group.name)
    it = "them" if more else "it"
    if not names:
        return f"An instance administrator can grant {it}."
    shown = ", ".join(names[:3])
    return f"Members of {shown} can grant {it}."


def patterns_of(group: Group) -> frozenset[str]:
    """All that a group gives."""
    return frozenset(pattern for policy in group.policies.all() for pattern in policy.patterns)

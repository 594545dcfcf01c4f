"""Who may do what: the rights that users hold, and the two questions every service asks.

`require`: may the actor do this? `require_holds`: may the actor give this? Nobody gives what they do not hold.
"""

from collections.abc import Iterable

from accounts.models import Group, Membership, User
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import DeniedError, NotFoundError
from keyadmin.kernel.patterns import HOLDS_EVERYTHING, HOLDS_NOTHING, INSTANCE_PERMISSIONS, Held, Rights


def held_by(user: User) -> Held:
    """The union of the policies of the user's groups, for each organisation. One query."""
    return held_by_each([user])[user.pk]


def held_by_each(users: Iterable[User]) -> dict[int, Held]:
    """The same for several users, by their ids, still in one query; `rights` knows all organisations that they are in.

    None for no users.
    """
    every = {user.pk: user for user in users}
    patterns: dict[int, dict[int, set[str]]] = {pk: {} for pk in every}
    suspended: dict[int, set[int]] = {pk: set() for pk in every}
    rows = Membership.objects.filter(user__in=every).values_list(
        "user_id",
        "organization_id",
        "organization__suspended_at",
        "groups__group__organization_id",
        "groups__group__policies__organization_id",
        "groups__group__policies__patterns",
    )
    for pk, oid, suspended_at, group_oid, policy_oid, given in rows:
        held = patterns[pk].setdefault(oid, set())
        # A group or policy of another organisation gives nothing, however it came to stand there.
        if group_oid == policy_oid == oid:
            held.update(given)
        if suspended_at is not None:
            suspended[pk].add(oid)
    return {pk: _held(user, patterns[pk], suspended[pk]) for pk, user in every.items()}


def _held(user: User, patterns: dict[int, set[str]], suspended: set[int]) -> Held:
    base = HOLDS_EVERYTHING if user.is_instance_admin else HOLDS_NOTHING
    rights = {oid: Rights(frozenset(held)) for oid, held in patterns.items()}
    return Held(rights, frozenset(suspended), base.everywhere, base.instance)


def require(actor: Actor, permission: str, organization_id: int) -> None:
    """Raise NotFoundError for an organisation beyond the actor's reach, DeniedError without the permission there."""
    if not actor.reaches(organization_id):
        raise NotFoundError
    if not actor.rights_in(organization_id).allows(permission):
        raise DeniedError(permission, grantors=grantors(permission, organization_id))


def require_somewhere(actor: Actor, permission: str) -> None:
    """Raise DeniedError unless the permission is held in the organisation meant; without one, in any."""
    if not actor.allows(permission):
        known = actor.organization_id or next(iter(actor.held.rights), None)
        raise DeniedError(permission, grantors=grantors(permission, known))


def denied(actor: Actor, permission: str) -> DeniedError:
    """The refusal of an actor that lacks a permission wherever its request points, saying who can grant it there."""
    reached = actor.held.rights if actor.organization_id is None else (actor.organization_id,)
    only = next(iter(reached)) if len(reached) == 1 else None
    return DeniedError(permission, grantors="" if only is None else grantors(permission, only))


def require_instance(actor: Actor, permission: str) -> None:
    """Raise DeniedError unless the actor holds the instance permission."""
    if not actor.held.instance.allows(permission):
        raise DeniedError(permission, grantors=grantors(permission, None))


def require_holds(actor: Actor, patterns: Iterable[str], organization_id: int) -> None:
    """Raise DeniedError naming the first pattern that the actor does not hold in the organisation itself."""
    missing = actor.rights_in(organization_id).first_missing(patterns)
    if missing is not None:
        raise cannot_give(missing)


def cannot_give(pattern: str) -> DeniedError:
    """The refusal to pass on a right that the actor lacks."""
    return DeniedError(pattern, f"Nobody can give rights that they do not hold; here {pattern} is missing.")


def grantors(permission: str, organization_id: int | None) -> str:
    """One sentence that says who can grant a permission."""
    if permission in INSTANCE_PERMISSIONS or organization_id is None:
        return "Only instance administrators hold it."
    wanted = ("group.ctrl", permission)
    names = []
    for group in Group.objects.filter(organization_id=organization_id).prefetch_related("policies").order_by("name"):
        if Rights(patterns_of(group)).first_missing(wanted) is None:
            names.append(group.name)
    if not names:
        return "An instance administrator can grant it."
    shown = ", ".join(names[:3])
    return f"Members of {shown} can grant it."


def patterns_of(group: Group) -> frozenset[str]:
    """All that a group gives."""
    return frozenset(pattern for policy in group.policies.all() for pattern in policy.patterns)

"""What a change of a policy or a group would do to users and keys, counted before it is made.

The rights are computed by the functions that verification uses, over the grants as they would be, so that what is
foretold is what happens.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts import access, queries
from accounts.access import Grant
from accounts.models import Group, GroupMember, Policy, User
from accounts.services.catalogue import check_patterns
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.patterns import Rights
from keyadmin.keys.models import APIKey

Change = Callable[[list[Grant]], list[Grant]]


@dataclass(frozen=True, slots=True)
class Shift:
    """One user, or one key of theirs, whose rights in the organisation would change. Catalogue names, sorted."""

    user: User
    key: APIKey | None
    before: Rights
    after: Rights
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """All that would change. `keys` are those that work or could work again: neither revoked nor expired."""

    users: tuple[Shift, ...]
    keys: tuple[Shift, ...]

    @property
    def gained(self) -> list[str]:
        """What somebody would gain, sorted."""
        return sorted({name for shift in self.users for name in shift.gained})

    @property
    def lost(self) -> list[str]:
        """What somebody would lose, sorted."""
        return sorted({name for shift in self.users for name in shift.lost})


def of_policy(actor: Actor, policy: Policy, patterns: Iterable[str]) -> Preview:
    """What the policy with other patterns would do. Raises DeniedError without `policy.view`, InvalidError."""
    access.require_view(actor, "policy", policy.organization_id)
    wanted = tuple(check_patterns(patterns, field="patterns"))

    def change(grants: list[Grant]) -> list[Grant]:
        return [grant._replace(patterns=wanted) if grant.policy_id == policy.pk else grant for grant in grants]

    return _preview(policy.organization_id, _members(Group.objects.filter(policies=policy)), change)


def of_group(actor: Actor, group: Group, policies: Sequence[Policy]) -> Preview:
    """What the group with other policies (none: without the group) would do. Raises DeniedError (`group.view`)."""
    access.require_view(actor, "group", group.organization_id)
    given = tuple(sorted({pattern for policy in policies for pattern in policy.patterns}))

    def change(grants: list[Grant]) -> list[Grant]:
        kept = [grant for grant in grants if grant.group_id != group.pk]
        ours = {(grant.user_id, grant.suspended) for grant in grants if grant.group_id == group.pk}
        new = [Grant(user, group.organization_id, off, group.pk, None, given) for user, off in sorted(ours)]
        return kept + new

    return _preview(group.organization_id, _members([group]), change)


def of_leaving(actor: Actor, group: Group, user: User) -> Preview:
    """What taking the user out of the group would do. Raises DeniedError (`group.view`)."""
    access.require_view(actor, "group", group.organization_id)

    def change(grants: list[Grant]) -> list[Grant]:
        return [
            grant._replace(patterns=()) if (grant.user_id, grant.group_id) == (user.pk, group.pk) else grant
            for grant in grants
        ]

    return _preview(group.organization_id, [user], change)


def of_joining(actor: Actor, group: Group, user: User) -> Preview:
    """What putting the user into the group would do. Raises DeniedError (`group.view`)."""
    access.require_view(actor, "group", group.organization_id)
    given = tuple(access.patterns_of(group))

    def change(grants: list[Grant]) -> list[Grant]:
        return [*grants, Grant(user.pk, group.organization_id, False, group.pk, None, given)]

    return _preview(group.organization_id, [user], change)


def _members(groups: Iterable[Group]) -> list[User]:
    rows = GroupMember.objects.filter(group__in=groups).values("membership__user_id")
    return list(User.objects.filter(pk__in=rows).order_by("name", "pk"))


def _preview(organization_id: int, users: Sequence[User], change: Change) -> Preview:
    names = list(queries.permissions().values_list("name", flat=True))
    before = access.grants_of(user.pk for user in users)
    after = change(before)
    living = Q(expires_at=None) | Q(expires_at__gt=clock.now())
    keys = APIKey.objects.filter(living, owner__in=users, revoked_at=None, expired_seen_at=None).order_by("name", "pk")
    keys = keys.exclude(blocks__organization_id=organization_id)
    by_owner: dict[int, list[APIKey]] = {}
    for key in keys:
        by_owner.setdefault(key.owner_id or 0, []).append(key)
    shifts: list[Shift] = []
    for user in users:
        now, then = access.held_from(user, before), access.held_from(user, after)
        subjects: list[APIKey | None] = [None, *by_owner.get(user.pk, ())]
        for subject in subjects:
            limit = subject.permissions if subject else None
            had = now.narrowed(limit).rights_in(organization_id)
            gets = then.narrowed(limit).rights_in(organization_id)
            gained = tuple(name for name in names if gets.allows(name) and not had.allows(name))
            lost = tuple(name for name in names if had.allows(name) and not gets.allows(name))
            if gained or lost:
                shifts.append(Shift(user, subject, had, gets, gained, lost))
    return Preview(
        users=tuple(shift for shift in shifts if shift.key is None),
        keys=tuple(shift for shift in shifts if shift.key is not None),
    )

"""Groups: who is in them, and which policies they have."""

from collections.abc import Iterable
from typing import TypedDict

from accounts import access
from accounts.models import Group, GroupMember, Membership, Organization, Permission, Policy, User
from accounts.services.common import difference, locked, refuse_twin, save
from accounts.services.policies import create_policy
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError, NotFoundError
from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS
from keyadmin.kernel.text import clean_line, clean_text

NAME_LENGTH, DESCRIPTION_LENGTH = 80, 2000

READY_GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Administrators", "All rights in the organisation.", ("*",)),
    (
        "Key managers",
        "Issue, watch and revoke API keys. To give a key other rights, hold them too: add a group.",
        ("apikey.*", "ingestkey.*", "user.view", "group.view", "policy.view", "org.view", "usage.view", "key.verify"),
    ),
    (
        "Auditors",
        "Read everything, the logs above all; change nothing.",
        (
            "apikey.view",
            "ingestkey.view",
            "user.view",
            "group.view",
            "policy.view",
            "org.view",
            "usage.view",
            "audit.view",
        ),
    ),
    ("Developers", "Their own keys only.", ("apikey.own",)),
    (
        "Readers",
        "See keys, users and rights.",
        ("apikey.view", "ingestkey.view", "user.view", "group.view", "policy.view", "org.view", "usage.view"),
    ),
)


def create_ready_groups(*, actor: Actor, organization: Organization) -> None:
    """The five groups of a new organisation, each with one policy of its name."""
    with work.unit(actor):
        for name, description, patterns in READY_GROUPS:
            policy = create_policy(
                actor=actor, organization=organization, name=name, description=description, patterns=patterns
            )
            create_group(actor=actor, organization=organization, name=name, description=description, policies=[policy])


class GroupChanges(TypedDict, total=False):
    """The fields of a group that can be edited; an absent one stays as it is."""

    name: str
    description: str
    policies: Iterable[Policy]


def create_group(
    *,
    actor: Actor,
    organization: Organization,
    name: str,
    policies: Iterable[Policy] = (),
    description: str = "",
) -> Group:
    """Make a group with policies of its organisation. The actor must hold all that they give."""
    access.require(actor, "group.ctrl", organization.pk)
    group = Group(
        organization=organization,
        name=clean_line("name", name, longest=NAME_LENGTH),
        description=clean_text("description", description, longest=DESCRIPTION_LENGTH),
        created_at=clock.now(),
        created_by_key=actor.key_id,
    )
    with work.unit(actor) as unit:
        given = _locked_policies(organization.pk, policies)
        for policy in given:
            access.require_holds(actor, policy.patterns, organization.pk)
        refuse_twin(group)
        group.save(force_insert=True)
        group.policies.set(given)
        unit.record(EventName.GROUP_CREATED, _target(group), organizations=[organization.pk], after=_facts(group))
    return group


def edit_group(*, actor: Actor, group: Group, changes: GroupChanges, expected_version: int | None = None) -> Group:
    """Change the name, the description, or the policies of a group. What a policy gives that comes in must be held.

    Raises NotFoundError, DeniedError (`group.ctrl`), InvalidError, StaleError, ConflictError for a name that is taken.
    """
    access.require(actor, "group.ctrl", group.organization_id)
    with work.unit(actor) as unit:
        row = _locked(group, expected_version)
        before = _facts(row)
        if "name" in changes:
            row.name = clean_line("name", changes["name"], longest=NAME_LENGTH)
            refuse_twin(row)
        if "description" in changes:
            row.description = clean_text("description", changes["description"], longest=DESCRIPTION_LENGTH)
        if "policies" in changes:
            present = {policy.pk for policy in row.policies.all()}
            wanted = _locked_policies(row.organization_id, changes["policies"])
            for policy in wanted:
                if policy.pk not in present:
                    access.require_holds(actor, policy.patterns, row.organization_id)
            row.policies.set(wanted)
            unit.changes_rights()
        old, new = difference(before, _facts(row))
        if new:
            save(row)
            unit.record(
                EventName.GROUP_UPDATED, _target(row), organizations=[row.organization_id], before=old, after=new
            )
    return row


def give_policy(*, actor: Actor, policy: Policy, groups: Iterable[Group]) -> None:
    """Give a policy to several groups, all or none; see `edit_group`."""
    with work.unit(actor):
        for group in groups:
            policies = [*group.policies.all(), policy]
            edit_group(
                actor=actor, group=group, changes=GroupChanges(policies=policies), expected_version=group.version
            )


def delete_group(*, actor: Actor, group: Group) -> None:
    """Remove a group; its members lose what it gave them. Raises NotFoundError, DeniedError (`group.ctrl`)."""
    access.require(actor, "group.ctrl", group.organization_id)
    with work.unit(actor) as unit:
        row = _locked(group, None)
        members = sorted(row.members.values_list("membership__user__name", flat=True))
        unit.record(
            EventName.GROUP_DELETED,
            _target(row),
            organizations=[row.organization_id],
            before={**_facts(row), "members": members},
        )
        unit.changes_rights()
        row.delete()


def create_read_only_access(*, actor: Actor, user: User, organization: Organization, resources: Iterable[str]) -> Group:
    """A policy that views the resources given, a group that has it, and the user in the group: all or nothing.

    Raises NotFoundError, DeniedError (also for a right that the actor does not hold), InvalidError.
    """
    wanted = sorted(set(resources))
    names = list(
        Permission.objects.filter(resource__in=wanted, action="view")
        .exclude(name__in=INSTANCE_PERMISSIONS)
        .values_list("name", flat=True)
    )
    if not names:
        raise InvalidError.field("resources", "Choose at least one resource that can be viewed.")
    taken = {
        name.lower()
        for model in (Group, Policy)
        for name in model.objects.filter(organization=organization).values_list("name", flat=True)
    }
    base = f"{user.name[: NAME_LENGTH - 20]} (read only)"
    name = next(n for i in range(1, len(taken) + 2) if (n := base if i == 1 else f"{base} {i}").lower() not in taken)
    with work.unit(actor):
        policy = create_policy(actor=actor, organization=organization, name=name, patterns=names)
        group = create_group(actor=actor, organization=organization, name=name, policies=[policy])
        add_member(actor=actor, group=group, user=user)
    return group


def add_member(*, actor: Actor, group: Group, user: User) -> None:
    """Put a user of the organisation in a group. The actor must hold all that the group gives."""
    access.require(actor, "group.ctrl", group.organization_id)
    with work.unit(actor) as unit:
        group = _locked(group, None)
        _locked_policies(group.organization_id, group.policies.all())
        access.require_holds(actor, access.patterns_of(group), group.organization_id)
        membership = Membership.objects.filter(user=user, organization_id=group.organization_id).first()
        if membership is None:
            raise NotFoundError("There is no such user.")
        _, created = GroupMember.objects.get_or_create(group=group, membership=membership)
        if created:
            unit.changes_rights()
            unit.record(
                EventName.GROUP_MEMBER_ADDED,
                _target(group),
                organizations=[group.organization_id],
                after={"member": user.name, "member_id": user.pk},
            )


def add_to_groups(*, actor: Actor, groups: Iterable[Group], user: User) -> None:
    """The same for several groups, all or none."""
    with work.unit(actor):
        for group in groups:
            add_member(actor=actor, group=group, user=user)


def add_members(*, actor: Actor, group: Group, users: Iterable[User]) -> None:
    """Put several users in a group, all or none; see `add_member`."""
    with work.unit(actor):
        for user in users:
            add_member(actor=actor, group=group, user=user)


def remove_member(*, actor: Actor, group: Group, user: User) -> None:
    """Take a user out of a group. Idempotent. Raises NotFoundError, DeniedError (`group.ctrl`)."""
    access.require(actor, "group.ctrl", group.organization_id)
    with work.unit(actor) as unit:
        group = _locked(group, None)
        gone, _ = GroupMember.objects.filter(group=group, membership__user=user).delete()
        if gone:
            unit.record(
                EventName.GROUP_MEMBER_REMOVED,
                _target(group),
                organizations=[group.organization_id],
                before={"member": user.name, "member_id": user.pk},
            )
        unit.changes_rights()


def _target(group: Group) -> Target:
    return Target("group", group.pk, group.name)


def _facts(group: Group) -> dict[str, object]:
    policies = sorted(group.policies.values_list("name", flat=True))
    return {"name": group.name, "description": group.description, "policies": policies}


def _locked(group: Group, expected_version: int | None) -> Group:
    rows = Group.objects.filter(organization_id=group.organization_id)
    return locked(rows, group.pk, missing="There is no such group.", expected_version=expected_version)


def _locked_policies(organization_id: int, wanted: Iterable[Policy]) -> list[Policy]:
    """Policies of the organisation, read anew and locked in the order of their ids: what is checked is what is given.

    Else a policy could be widened between the check of whoever gives it and the giving.
    """
    ids = {policy.pk for policy in wanted}
    rows = Policy.objects.select_for_update(no_key=True).filter(pk__in=ids, organization_id=organization_id)
    found = list(rows.order_by("pk"))
    if len(found) < len(ids):
        raise NotFoundError("There is no such policy.")
    return found

"""Groups and policies: what members of an organisation may do."""

from collections.abc import Iterable
from typing import TypedDict

from accounts import access
from accounts.models import Group, GroupMember, Membership, Organization, Permission, Policy, PolicyVersion, User
from accounts.services.catalogue import check_patterns
from accounts.services.common import difference, locked, save
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, InvalidError, NotFoundError
from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS, Rights
from keyadmin.kernel.text import clean_line, clean_text

NAME_LENGTH, DESCRIPTION_LENGTH = 80, 2000

READY_GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Administrators", "All rights in the organisation.", ("*",)),
    (
        "Key managers",
        "Issue and look after API keys and API users.",
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


class PolicyChanges(TypedDict, total=False):
    """The same for a policy."""

    name: str
    description: str
    patterns: Iterable[str]


def create_policy(
    *, actor: Actor, organization: Organization, name: str, patterns: Iterable[str], description: str = ""
) -> Policy:
    """Make a policy. Raises DeniedError, InvalidError, or ConflictError for a name that is taken."""
    access.require(actor, "policy.ctrl", organization.pk)
    wanted = check_patterns(patterns, field="patterns")
    access.require_holds(actor, wanted, organization.pk)
    policy = Policy(
        organization=organization,
        name=clean_line("name", name, longest=NAME_LENGTH),
        description=clean_text("description", description, longest=DESCRIPTION_LENGTH),
        patterns=wanted,
        created_at=clock.now(),
    )
    with work.unit(actor) as unit:
        _refuse_twin(policy)
        policy.save(force_insert=True)
        _keep_version(actor, policy)
        unit.record(
            EventName.POLICY_CREATED,
            _policy_target(policy),
            organizations=[organization.pk],
            after=_policy_facts(policy),
        )
    return policy


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
    )
    with work.unit(actor) as unit:
        given = _locked_policies(organization.pk, policies)
        for policy in given:
            access.require_holds(actor, policy.patterns, organization.pk)
        _refuse_twin(group)
        group.save(force_insert=True)
        group.policies.set(given)
        unit.record(EventName.GROUP_CREATED, _target(group), organizations=[organization.pk], after=_group_facts(group))
    return group


def edit_group(*, actor: Actor, group: Group, changes: GroupChanges, expected_version: int | None = None) -> Group:
    """Change the name, the description, or the policies of a group. What a policy gives that comes in must be held.

    Raises NotFoundError, DeniedError (`group.ctrl`), InvalidError, StaleError, ConflictError for a name that is taken.
    """
    access.require(actor, "group.ctrl", group.organization_id)
    with work.unit(actor) as unit:
        row = _locked_group(group, expected_version)
        before = _group_facts(row)
        if "name" in changes:
            row.name = clean_line("name", changes["name"], longest=NAME_LENGTH)
            _refuse_twin(row)
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
        old, new = difference(before, _group_facts(row))
        if new:
            save(row)
            unit.record(
                EventName.GROUP_UPDATED, _target(row), organizations=[row.organization_id], before=old, after=new
            )
    return row


def delete_group(*, actor: Actor, group: Group) -> None:
    """Remove a group; its members lose what it gave them. Raises NotFoundError, DeniedError (`group.ctrl`)."""
    access.require(actor, "group.ctrl", group.organization_id)
    with work.unit(actor) as unit:
        row = _locked_group(group, None)
        members = sorted(row.members.values_list("membership__user__name", flat=True))
        unit.record(
            EventName.GROUP_DELETED,
            _target(row),
            organizations=[row.organization_id],
            before={**_group_facts(row), "members": members},
        )
        unit.changes_rights()
        row.delete()


def edit_policy(*, actor: Actor, policy: Policy, changes: PolicyChanges, expected_version: int | None = None) -> Policy:
    """Change a policy; all its groups follow at once. What it gives more than before must be held.

    Every saved state is kept as a version. Restoring one is an edit with its patterns.
    Raises NotFoundError, DeniedError (`policy.ctrl`), InvalidError, StaleError, ConflictError for a name that is taken.
    """
    access.require(actor, "policy.ctrl", policy.organization_id)
    with work.unit(actor) as unit:
        row = _locked_policy(policy, expected_version)
        before = _policy_facts(row)
        if "name" in changes:
            row.name = clean_line("name", changes["name"], longest=NAME_LENGTH)
            _refuse_twin(row)
        if "description" in changes:
            row.description = clean_text("description", changes["description"], longest=DESCRIPTION_LENGTH)
        if "patterns" in changes:
            had = Rights(frozenset(row.patterns))
            row.patterns = check_patterns(changes["patterns"], field="patterns")
            gained = [pattern for pattern in row.patterns if not had.allows(pattern)]
            access.require_holds(actor, gained, row.organization_id)
            unit.changes_rights()
        old, new = difference(before, _policy_facts(row))
        if new:
            save(row)
            _keep_version(actor, row)
            unit.record(
                EventName.POLICY_UPDATED,
                _policy_target(row),
                organizations=[row.organization_id],
                before=old,
                after=new,
            )
    return row


def restore_policy(*, actor: Actor, policy: Policy, number: int) -> Policy:
    """Give a policy the patterns of one of its versions, as a new version. Raises as edit_policy does."""
    access.require(actor, "policy.ctrl", policy.organization_id)
    kept = PolicyVersion.objects.filter(policy=policy, version=number).first()
    if kept is None:
        raise InvalidError.field("version", f"There is no version {number}.")
    return edit_policy(actor=actor, policy=policy, changes={"patterns": kept.patterns})


def delete_policy(*, actor: Actor, policy: Policy) -> None:
    """Remove a policy that no group has.

    Raises NotFoundError, DeniedError (`policy.ctrl`), ConflictError (`in_use`) naming groups that have it.
    """
    access.require(actor, "policy.ctrl", policy.organization_id)
    with work.unit(actor) as unit:
        row = _locked_policy(policy, None)
        groups = list(row.groups.order_by("name").values_list("name", flat=True)[:4])
        if groups:
            shown = ", ".join(groups[:3]) + (" and others" if len(groups) > 3 else "")
            raise ConflictError(f"Groups have this policy: {shown}. Take it from them first.", code="in_use")
        unit.record(
            EventName.POLICY_DELETED,
            _policy_target(row),
            organizations=[row.organization_id],
            before=_policy_facts(row),
        )
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
        group = _locked_group(group, None)
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
        group = _locked_group(group, None)
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


def _policy_target(policy: Policy) -> Target:
    return Target("policy", policy.pk, policy.name)


def _group_facts(group: Group) -> dict[str, object]:
    policies = sorted(group.policies.values_list("name", flat=True))
    return {"name": group.name, "description": group.description, "policies": policies}


def _policy_facts(policy: Policy) -> dict[str, object]:
    return {"name": policy.name, "description": policy.description, "patterns": policy.patterns}


def _locked_group(group: Group, expected_version: int | None) -> Group:
    rows = Group.objects.filter(organization_id=group.organization_id)
    return locked(rows, group.pk, missing="There is no such group.", expected_version=expected_version)


def _locked_policy(policy: Policy, expected_version: int | None) -> Policy:
    rows = Policy.objects.filter(organization_id=policy.organization_id)
    return locked(rows, policy.pk, missing="There is no such policy.", expected_version=expected_version)


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


def _keep_version(actor: Actor, policy: Policy) -> None:
    PolicyVersion(
        policy=policy,
        version=policy.version,
        name=policy.name,
        description=policy.description,
        patterns=policy.patterns,
        saved_at=clock.now(),
        saved_by_label=actor.label,
        reason=actor.reason,
    ).save(force_insert=True)


def _refuse_twin(row: Group | Policy) -> None:
    twins = type(row)._default_manager.filter(organization_id=row.organization_id, name__iexact=row.name)
    if twins.exclude(pk=row.pk).exists():
        raise ConflictError

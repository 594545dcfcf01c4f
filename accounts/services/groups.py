"""Groups and policies: what members of an organisation may do."""

from collections.abc import Iterable

from accounts import access
from accounts.models import Group, GroupMember, Membership, Organization, Policy, User
from accounts.services.catalogue import check_patterns
from keyadmin.activity import work
from keyadmin.activity.events import EventName, Target
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, NotFoundError
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
        _refuse_twin(Policy.objects.filter(organization=organization, name__iexact=policy.name).exists())
        policy.save(force_insert=True)
        unit.record(
            EventName.POLICY_CREATED,
            Target("policy", policy.pk, policy.name),
            organizations=[organization.pk],
            after={"name": policy.name, "patterns": wanted},
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
    policies = list(policies)
    for policy in policies:
        if policy.organization_id != organization.pk:
            raise NotFoundError("There is no such policy.")
        access.require_holds(actor, policy.patterns, organization.pk)
    group = Group(
        organization=organization,
        name=clean_line("name", name, longest=NAME_LENGTH),
        description=clean_text("description", description, longest=DESCRIPTION_LENGTH),
        created_at=clock.now(),
    )
    with work.unit(actor) as unit:
        _refuse_twin(Group.objects.filter(organization=organization, name__iexact=group.name).exists())
        group.save(force_insert=True)
        group.policies.set(policies)
        unit.record(
            EventName.GROUP_CREATED,
            Target("group", group.pk, group.name),
            organizations=[organization.pk],
            after={"name": group.name, "policies": [policy.name for policy in policies]},
        )
    return group


def add_member(*, actor: Actor, group: Group, user: User) -> None:
    """Put a user of the organisation in a group. The actor must hold all that the group gives."""
    access.require(actor, "group.ctrl", group.organization_id)
    with work.unit(actor) as unit:
        group = Group.objects.select_for_update(no_key=True).get(pk=group.pk)
        access.require_holds(actor, access.patterns_of(group), group.organization_id)
        membership = Membership.objects.filter(user=user, organization_id=group.organization_id).first()
        if membership is None:
            raise NotFoundError("There is no such user.")
        _, created = GroupMember.objects.get_or_create(group=group, membership=membership)
        if created:
            unit.changes_rights()
            unit.record(
                EventName.GROUP_MEMBER_ADDED,
                Target("group", group.pk, group.name),
                organizations=[group.organization_id],
                after={"member": user.name, "member_id": user.pk},
            )


def _refuse_twin(exists: bool) -> None:
    if exists:
        raise ConflictError

"""What the pages about people, groups and policies list: rows that an actor may see, with what stands beside them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

from accounts import access, queries
from accounts.models import Group, GroupMember, Membership, Organization, Permission, Policy, PolicyVersion, User
from accounts.models.permissions import Action, Risk
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import DeniedError, NotFoundError
from keyadmin.kernel.patterns import Rights

FOUND = 20


def members(actor: Actor, kind: str) -> QuerySet[Membership]:
    """API users or people of the organisation that the actor means, with their groups. Raises DeniedError."""
    rows = queries.visible_members(actor).filter(user_kind=kind, organization_id=actor.organization_id or 0)
    return rows.prefetch_related("groups__group")


def groups(actor: Actor) -> QuerySet[Group]:
    """The groups of the organisation that the actor means, with how many members they have. Raises DeniedError."""
    rows = queries.visible_groups(actor).filter(organization_id=actor.organization_id or 0)
    return rows.annotate(
        people=Count("members", filter=Q(members__membership__user_kind="person"), distinct=True),
        services=Count("members", filter=Q(members__membership__user_kind="api"), distinct=True),
    )


def policies(actor: Actor) -> QuerySet[Policy]:
    """The policies of the organisation that the actor means, with how many groups have them. Raises DeniedError."""
    rows = queries.visible_policies(actor).filter(organization_id=actor.organization_id or 0)
    return rows.annotate(uses=Count("groups"))


def organizations(actor: Actor) -> QuerySet[Organization]:
    """The organisations that the actor reaches, with how many people and API users each has."""
    return queries.visible_organizations(actor).annotate(
        people=Count("memberships", filter=Q(memberships__user_kind="person")),
        services=Count("memberships", filter=Q(memberships__user_kind="api")),
    )


def groups_of(user: User, organization: Organization) -> list[Group]:
    """The groups that a user is in, by name, with their policies."""
    rows = Group.objects.filter(organization=organization, members__membership__user=user)
    return list(rows.prefetch_related("policies").order_by("name", "pk"))


def group_names(organization: Organization) -> list[tuple[int, str]]:
    """Ids and names of an organisation's groups, by name."""
    return list(Group.objects.filter(organization=organization).order_by("name", "pk").values_list("pk", "name"))


def givable_groups(actor: Actor, organization: Organization, besides: Iterable[Group] = ()) -> list[Group]:
    """The groups that the actor may put somebody in: all that they give, the actor holds."""
    held = actor.rights_in(organization.pk)
    if not held.allows("group.ctrl"):
        return []
    taken = {group.pk for group in besides}
    rows = Group.objects.filter(organization=organization).prefetch_related("policies").order_by("name", "pk")
    return [row for row in rows if row.pk not in taken and held.first_missing(access.patterns_of(row)) is None]


def givable_policies(actor: Actor, organization: Organization, besides: Iterable[Policy] = ()) -> list[Policy]:
    """The policies that the actor may give to a group: it sees them, and holds all that they give."""
    if not access.may_view(actor, "policy", organization.pk):
        return []
    held = actor.rights_in(organization.pk)
    taken = {policy.pk for policy in besides}
    rows = Policy.objects.filter(organization=organization).order_by("name", "pk")
    return [row for row in rows if row.pk not in taken and held.first_missing(row.patterns) is None]


def groups_without(actor: Actor, policy: Policy) -> list[Group]:
    """The groups that the actor may give a policy to: it holds all that the policy gives."""
    held = actor.rights_in(policy.organization_id)
    if not held.allows("group.ctrl") or held.first_missing(policy.patterns) is not None:
        return []
    rows = Group.objects.filter(organization_id=policy.organization_id).exclude(policies=policy)
    return list(rows.prefetch_related("policies").order_by("name", "pk"))


def in_group(group: Group) -> QuerySet[Membership]:
    """The members of a group, people first, by name."""
    rows = Membership.objects.filter(groups__group=group).select_related("user")
    return rows.order_by("-user_kind", "user__name", "pk")


def outside_group(group: Group, term: str) -> list[Membership]:
    """The first users of the organisation that are not in the group yet and match what was typed."""
    rows = Membership.objects.filter(organization_id=group.organization_id).exclude(groups__group=group)
    return list(rows.filter(named(term)).select_related("user").order_by("user__name", "pk")[:FOUND])


def chosen_outside(group: Group, user_ids: Iterable[str]) -> list[Membership]:
    """Those of the users, by id, that are in the organisation and not in the group yet."""
    ids = {int(one) for one in user_ids if one.isascii() and one.isdigit() and len(one) < 19}
    rows = Membership.objects.filter(organization_id=group.organization_id, user_id__in=ids)
    return list(rows.exclude(groups__group=group).select_related("user").order_by("user__name", "pk"))


def users_with_policy(policy: Policy) -> QuerySet[User]:
    """Who has a policy by way of a group, by name."""
    rows = GroupMember.objects.filter(group__policies=policy).values("membership__user_id")
    return User.objects.filter(pk__in=rows).order_by("name", "pk")


def catalogue() -> QuerySet[Permission]:
    """The whole catalogue; `risk_order` rises with the risk."""
    order = Case(*(When(risk=risk, then=Value(at)) for at, risk in enumerate(Risk.values)), output_field=IntegerField())
    return queries.permissions().annotate(risk_order=order)


def viewable_resources(actor: Actor, organization: Organization) -> list[tuple[str, list[str]]]:
    """The resources of which the actor can give all viewing permissions, each with their labels, by name."""
    held = actor.rights_in(organization.pk)
    found: dict[str, list[Permission]] = defaultdict(list)
    for row in queries.grantable_permissions():
        if row.action == Action.VIEW:
            found[row.resource].append(row)
    return [
        (resource, [row.label for row in rows])
        for resource, rows in sorted(found.items())
        if all(held.allows(row.name) for row in rows)
    ]


def versions(policy: Policy) -> list[PolicyVersion]:
    """All states of a policy that were saved, the newest first."""
    return list(PolicyVersion.objects.filter(policy=policy).order_by("-version"))


def version(policy: Policy, number: int) -> PolicyVersion:
    """One of them. Raises NotFoundError."""
    found = PolicyVersion.objects.filter(policy=policy, version=number).first() if 0 < number < 2**31 else None
    if found is None:
        raise NotFoundError("There is no such version.")
    return found


def named(term: str) -> Q:
    """The filter for memberships whose user is called so, described so, or has this address, id or uid."""
    text = term.strip()
    found = Q(user__name__icontains=text) | Q(user__description__icontains=text) | Q(user__email__icontains=text)
    if text.isascii() and text.isdigit() and len(text) < 19:
        found |= Q(user_id=int(text))
    uid = queries.uuid_of(text)
    return found | Q(user__uid=uid) if uid else found


def needed_for(term: str) -> Q:
    """The filter for permissions by name, words, or a task or endpoint such as `POST /crm/services`."""
    text = " ".join(term.split())
    found = Q(name__icontains=text) | Q(label__icontains=text) | Q(description__icontains=text)
    return found | Q(pk__in=Permission.objects.annotate(lines=Cast("tasks", TextField())).filter(lines__icontains=text))


def custom_permission(name: str) -> Permission:
    """A permission of the instance's own making. Raises NotFoundError."""
    found = Permission.objects.filter(name=name, pack="custom").first() if len(name) <= 100 else None
    if found is None:
        raise NotFoundError("There is no such permission.")
    return found


@dataclass(frozen=True, slots=True)
class Holders:
    """How many people and API users hold a permission in an organisation."""

    people: int
    services: int


def holders_of(actor: Actor, names: Collection[str]) -> Mapping[str, Holders] | None:
    """For each of the permissions, how many of the organisation hold it; None for who may not see users.

    Three queries, however many permissions and users there are.
    """
    try:
        queries.visible_members(actor)
    except DeniedError:
        return None
    here = actor.organization_id or 0
    kinds: dict[int, str] = {}
    found: dict[int, set[int]] = defaultdict(set)
    rows = Membership.objects.filter(organization_id=here)
    everything = set()
    for user_id, kind, group_id, admin in rows.values_list(
        "user_id", "user_kind", "groups__group_id", "user__is_instance_admin"
    ):
        kinds[user_id] = kind
        found[group_id or 0].add(user_id)
        if admin:
            everything.add(user_id)
    given = {
        group.pk: Rights(access.patterns_of(group))
        for group in Group.objects.filter(organization_id=here).prefetch_related("policies")
    }
    counts = {}
    for name in names:
        having = everything.union(*(found[pk] for pk, rights in given.items() if rights.allows(name)))
        people = sum(kinds[pk] == "person" for pk in having)
        counts[name] = Holders(people, len(having) - people)
    return counts

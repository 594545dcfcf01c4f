"""Groups: who is in them, and what that gives."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access, listings, queries
from accounts.filters import GroupFilter
from accounts.forms.common import ConfirmForm
from accounts.forms.groups import GroupForm, MembersForm, NewGroupForm, PoliciesForm
from accounts.models import Group, Organization
from accounts.services import groups as services
from accounts.tables import GroupTable
from accounts.views.common import ROLE, Sheet, acting, address, ask, here, impact_of, may, may_look, sent
from accounts.views.story import story
from accounts.views.users import leaving
from accounts.words import listed, powers, summary, warning
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import NotFoundError
from keyadmin.kernel.patterns import Rights
from keyadmin.keys import queries as keys
from keyadmin.verify import preview
from keyadmin.web.htmx import wants_part
from keyadmin.web.lists import Noun, render_list
from keyadmin.web.navigation import Crumb

NOUN = Noun("group", "groups")
SHOWN_MEMBERS = 100


def crumbs_to(organization: Organization, group: Group | None = None) -> list[Crumb]:
    found = [Crumb("Groups", address("groups", organization))]
    return found if group is None else [*found, Crumb(group.name, address("group", organization, group.pk))]


def managed(request: HttpRequest, pk: int) -> tuple[Actor, Organization, Group]:
    """Who asks, where, and about which group they may change. Raises NotFoundError, DeniedError."""
    actor, organization = here(request)
    group = queries.visible_group(actor, pk)
    access.require(actor, "group.ctrl", organization.pk)
    return actor, organization, group


@require_safe
def group_list(request: HttpRequest) -> HttpResponse:
    """The groups of the organisation."""
    actor, _ = here(request)
    filters = GroupFilter(request.GET, listings.groups(actor))
    catalogue = queries.grantable_permissions()
    context = {
        "heading": "Groups",
        "may_create": may(actor, "group.ctrl"),
        "read_only": "" if may(actor, "group.ctrl") else ROLE.format("groups", "them"),
        "crumbs": [Crumb("Groups")],
        "unused": "groups/_unused.html",
    }
    return render_list(
        request,
        filters,
        GroupTable,
        noun=NOUN,
        template="groups/list.html",
        default_sort="name",
        context=context,
        catalogue=catalogue,
    )


@require_safe
def group_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is in a group, what gives it rights, and which."""
    actor, organization = here(request)
    group = queries.visible_group(actor, pk)
    catalogue, given = queries.grantable_permissions(), sorted(group.policies.all(), key=lambda row: row.name.lower())
    patterns = access.patterns_of(group)
    roads = [(f"policy {one.name}", Rights(frozenset(one.patterns))) for one in given]
    manages, sees_users = may(actor, "group.ctrl"), may_look(actor, "user")
    rows = listings.in_group(group)
    holds_all = actor.rights_in(organization.pk).first_missing(patterns) is None
    number_of_keys = sum(
        working for working, _ in keys.counts_by_owner(rows.values_list("user_id", flat=True)).values()
    )
    context = {
        "group": group,
        "may_manage": manages,
        "may_add_members": manages and sees_users and holds_all,
        "may_add_policies": manages and bool(listings.givable_policies(actor, organization, given)),
        "sees_users": sees_users,
        "sees_policies": may_look(actor, "policy"),
        "members": list(rows[:SHOWN_MEMBERS]) if sees_users else [],
        "number": rows.count(),
        "number_of_keys": number_of_keys,
        "policies": [(policy, summary(catalogue, policy.patterns)) for policy in given],
        "powers": powers(catalogue, patterns, roads if len(roads) > 1 else ()),
        "warning": warning(catalogue, patterns),
        "steps": story("group", pk, organization, named=sees_users),
        "crumbs": [*crumbs_to(organization), Crumb(group.name)],
    }
    return render(request, "groups/group.html", context)


@require_http_methods(["GET", "POST"])
def new_group(request: HttpRequest) -> HttpResponse:
    """Make a group with policies that whoever makes it can give."""
    actor, organization = here(request)
    access.require(actor, "group.ctrl", organization.pk)
    offered, catalogue = listings.givable_policies(actor, organization), queries.grantable_permissions()
    form = NewGroupForm(sent(request))
    form.offer("policies", ((str(row.pk), row.name, summary(catalogue, row.patterns)) for row in offered))

    def act() -> tuple[str, str]:
        typed = form.cleaned_data
        group = services.create_group(
            actor=actor,
            organization=organization,
            name=typed["name"],
            description=typed["description"],
            policies=queries.chosen_policies(actor, organization, typed["policies"]),
        )
        return address("group", organization, group.pk), f"Group {group.name} was created. Now add its members."

    lead = "Its members may do what its policies say."
    back = address("groups", organization)
    sheet = Sheet("Create group", "", back, crumbs_to(organization), "Create group", "Creating…", lead=lead)
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def edit_group(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what a group is called."""
    actor, organization, group = managed(request, pk)
    initial = {name: getattr(group, name) for name in ("name", "description", "version")}
    form = GroupForm(sent(request), initial=initial)
    back = address("group", organization, pk)

    def act() -> tuple[str, str]:
        typed = form.cleaned_data
        changes = services.GroupChanges(name=typed["name"], description=typed["description"])
        services.edit_group(actor=actor, group=group, changes=changes, expected_version=typed["version"])
        return back, f"{typed['name']} was changed."

    sheet = Sheet("Edit", group.name, back, crumbs_to(organization, group), about=("group", pk))
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def delete_group(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a group, after who loses what."""
    actor, organization, group = managed(request, pk)
    impact = impact_of(preview.of_group(actor, group, ()), actor)
    form = ConfirmForm(sent(request), ask_name=group.name if impact.touched else "")

    def act() -> tuple[str, str]:
        services.delete_group(actor=acting(request, form), group=group)
        return address("groups", organization), f"Group {group.name} was deleted."

    sheet = Sheet(
        "Delete",
        group.name,
        address("group", organization, pk),
        crumbs_to(organization, group),
        "Delete",
        "Deleting…",
        end="?",
        danger=True,
        impact=impact,
        consequences=["The group goes for good; its members and policies stay, and activity records are kept."],
    )
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def add_policies(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a group more policies, each shown with what it gives."""
    actor, organization, group = managed(request, pk)
    present, catalogue = list(group.policies.all()), queries.grantable_permissions()
    offered = listings.givable_policies(actor, organization, present)
    form = PoliciesForm(sent(request))
    form.offer("policies", ((str(row.pk), row.name, summary(catalogue, row.patterns)) for row in offered))
    back = address("group", organization, pk)

    def act() -> tuple[str, str]:
        chosen = queries.chosen_policies(actor, organization, form.cleaned_data["policies"])
        changes = services.GroupChanges(policies=[*present, *chosen])
        services.edit_group(actor=actor, group=group, changes=changes, expected_version=group.version)
        return back, f"{group.name} now has {listed([policy.name for policy in chosen])}."

    sheet = Sheet(
        "Add policies", "", back, crumbs_to(organization, group), "Add", "Adding…", facts=[("Group", group.name)]
    )
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def remove_policy(request: HttpRequest, pk: int, policy_id: int) -> HttpResponse:
    """Take a policy from a group, after who loses what."""
    actor, organization, group = managed(request, pk)
    present = list(group.policies.all())
    policy = next((one for one in present if one.pk == policy_id), None)
    if policy is None:
        raise NotFoundError("There is no such policy.")
    kept = [one for one in present if one.pk != policy_id]
    form = ConfirmForm(sent(request))
    back = address("group", organization, pk)

    def act() -> tuple[str, str]:
        changes = services.GroupChanges(policies=kept)
        acts = acting(request, form)
        services.edit_group(actor=acts, group=group, changes=changes, expected_version=group.version)
        return back, f"{group.name} no longer has {policy.name}."

    sheet = Sheet(
        "Remove policy",
        "",
        back,
        crumbs_to(organization, group),
        "Remove",
        "Removing…",
        danger=True,
        facts=[("Group", group.name), ("Policy", policy.name)],
        impact=impact_of(preview.of_group(actor, group, kept), actor),
    )
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def add_members(request: HttpRequest, pk: int) -> HttpResponse:
    """Put people and API users in a group: search, tick, add."""
    actor, organization, group = managed(request, pk)
    term = request.GET.get("search", "")[:200]
    queries.visible_members(actor)
    found = listings.outside_group(group, term)
    if wants_part(request, "candidates"):
        return render(request, "groups/_candidates.html", {"found": found, "term": term})
    form = MembersForm(sent(request))
    form.offer(found if not form.is_bound else listings.chosen_outside(group, request.POST.getlist("users")))
    back = address("group", organization, pk)
    patterns = access.patterns_of(group)

    def act() -> tuple[str, str]:
        chosen = listings.chosen_outside(group, form.cleaned_data["users"])
        services.add_members(actor=actor, group=group, users=[row.user for row in chosen])
        return (
            back,
            f"{listed([row.user.name for row in chosen])} {'is' if len(chosen) == 1 else 'are'} now in {group.name}.",
        )

    catalogue = queries.grantable_permissions()
    sheet = Sheet(
        "Add members",
        "",
        back,
        crumbs_to(organization, group),
        "Add",
        "Adding…",
        facts=[("Group", group.name), ("Gives", summary(catalogue, patterns))],
        template="groups/add_members.html",
        more={"found": found, "term": term, "warning": warning(catalogue, patterns)},
    )
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def remove_member(request: HttpRequest, pk: int, user_id: int) -> HttpResponse:
    """Take a user out of a group, after what they and their keys lose."""
    actor, organization, group = managed(request, pk)
    user = queries.visible_member(actor, user_id).user
    return leaving(request, user, group, address("group", organization, pk), crumbs_to(organization, group))

"""What the pages of API users and of members share: the page of one user, and the groups of one user."""

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access, listings, queries
from accounts.forms.common import ConfirmForm
from accounts.forms.users import GroupsForm
from accounts.models import Group, Organization, Permission, User
from accounts.services import groups as services
from accounts.services import second_factor, sessions
from accounts.views.common import Sheet, acting, address, ask, here, impact_of, may, may_look, sent
from accounts.views.story import story_of_user
from accounts.words import listed, powers, summary
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.patterns import EVERYTHING
from keyadmin.keys import queries as keys
from keyadmin.verify import preview
from keyadmin.web.navigation import Crumb

SHOWN_KEYS = 20
NONE_LEFT = "There is no other group that you can give: only who holds all that a group gives can put somebody in it."


class Kind(NamedTuple):
    """API users or people: what they are called, and their routes."""

    kind: str
    plural: str
    list_route: str
    route: str


API_USER = Kind("api", "API users", "api_users", "api_user")
PERSON = Kind("person", "Members", "members", "member")


def crumbs_to(kind: Kind, organization: Organization, user: User | None = None) -> list[Crumb]:
    """The way to the list of users, or to the page of one."""
    found = [Crumb(kind.plural, address(kind.list_route, organization))]
    return found if user is None else [*found, Crumb(user.name, address(kind.route, organization, user.pk))]


def member(request: HttpRequest, kind: Kind, pk: int) -> tuple[Actor, Organization, User]:
    """Who asks, where, and about whom. Raises NotFoundError for who is no such member of this organisation."""
    actor, organization = here(request)
    return actor, organization, queries.visible_member(actor, pk, kind=kind.kind).user


class Given(NamedTuple):
    """A group of a user and what it gives, in words."""

    group: Group
    gives: str
    url: str


def groups_given(
    groups: list[Group], catalogue: list[Permission], actor: Actor, organization: Organization
) -> list[Given]:
    """The groups in words; linked for who may look at groups."""
    linked = may_look(actor, "group")
    return [
        Given(
            group,
            summary(catalogue, access.patterns_of(group)),
            address("group", organization, group.pk) if linked else "",
        )
        for group in groups
    ]


def about_user(actor: Actor, organization: Organization, user: User, kind: Kind) -> dict[str, Any]:
    """What the page of a user shows, whichever kind it is."""
    catalogue = queries.grantable_permissions()
    groups = listings.groups_of(user, organization)
    roads = [(source.words, source.rights) for source in queries.sources(user, organization)]
    if user.is_instance_admin:
        roads = [("instance administrator", EVERYTHING)]
    held = access.held_by(user).rights_in(organization.pk)
    own_keys = keys.of_owners(actor, [user.pk])
    makes = kind is API_USER and user.is_active and may(actor, "apikey.ctrl")
    why_no_key = keys.why_no_key(actor, user) if makes else ""
    manages_groups = may(actor, "group.ctrl")
    return {
        "member": user,
        "kind": kind,
        "groups": groups_given(groups, catalogue, actor, organization),
        "may_regroup": manages_groups,
        "may_join": bool(listings.givable_groups(actor, organization, groups)),
        "powers": powers(catalogue, held.patterns, roads),
        "keys": keys.with_stops(own_keys[:SHOWN_KEYS], organization),
        "keys_hidden": not may_look(actor, "apikey"),
        "key_numbers": keys.counts_by_owner([user.pk]).get(user.pk, (0, 0)),
        "may_make_key": makes and not why_no_key,
        "why_no_key": why_no_key,
        "may_see_key": may_look(actor, "apikey") or (user.pk == actor.user_id and may(actor, "apikey.own")),
        "steps": story_of_user(actor, user, organization),
        "crumbs": [*crumbs_to(kind, organization), Crumb(user.name)],
    }


@require_safe
def api_user_page(request: HttpRequest, pk: int) -> HttpResponse:
    """All that may be known of an API user."""
    actor, organization, user = member(request, API_USER, pk)
    may_manage = may(actor, "user.ctrl")
    held = access.held_by(user).rights_in(organization.pk)
    context = {
        **about_user(actor, organization, user, API_USER),
        "may_manage": may_manage,
        "may_enable": may_manage and actor.rights_in(organization.pk).first_missing(held.patterns) is None,
        "may_read_only": may_read_only(actor, organization),
    }
    return render(request, "users/api_user.html", context)


def may_read_only(actor: Actor, organization: Organization) -> bool:
    """Whether the actor can make a policy and a group that look at something."""
    makes = may(actor, "group.ctrl") and may(actor, "policy.ctrl")
    return makes and bool(listings.viewable_resources(actor, organization))


@require_safe
def member_page(request: HttpRequest, pk: int) -> HttpResponse:
    """All that may be known of a person in this organisation."""
    actor, organization, user = member(request, PERSON, pk)
    context = {
        **about_user(actor, organization, user, PERSON),
        "may_manage": may(actor, "user.ctrl"),
        "sign_in": sign_in_of(actor, user),
    }
    return render(request, "users/member.html", context)


def sign_in_of(actor: Actor, user: User) -> dict[str, Any]:
    """How a person signs in, for who may change it: second factors, and in how many browsers. Not one's own."""
    if not actor.held.instance.allows("setting.ctrl") or actor.user_id == user.pk:
        return {}
    return {"factors": second_factor.names(user), "signed_in": len(sessions.sessions_of(user))}


@require_http_methods(["GET", "POST"])
def join_groups(request: HttpRequest, pk: int, kind: Kind) -> HttpResponse:
    """Put a user in groups, each shown with what it gives."""
    actor, organization, user = member(request, kind, pk)
    access.require(actor, "group.ctrl", organization.pk)
    catalogue = queries.grantable_permissions()
    offered = listings.givable_groups(actor, organization, listings.groups_of(user, organization))
    form = GroupsForm(sent(request))
    form.offer("groups", ((str(row.pk), row.name, summary(catalogue, access.patterns_of(row))) for row in offered))
    back = address(kind.route, organization, pk)

    def act() -> tuple[str, str]:
        chosen = queries.chosen_groups(actor, organization, form.cleaned_data["groups"])
        services.add_to_groups(actor=actor, groups=chosen, user=user)
        return back, f"{user.name} is now in {listed([group.name for group in chosen])}."

    lead = "" if offered else NONE_LEFT
    sheet = Sheet(
        "Add to groups",
        "",
        back,
        crumbs_to(kind, organization, user),
        "Add",
        "Adding…",
        lead=lead,
        facts=[("User", user.name)],
    )
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def leave_group(request: HttpRequest, pk: int, group_id: int, kind: Kind) -> HttpResponse:
    """Take a user out of a group, after what they and their keys lose."""
    actor, organization, user = member(request, kind, pk)
    back = address(kind.route, organization, pk)
    return leaving(request, user, queries.visible_group(actor, group_id), back, crumbs_to(kind, organization, user))


def leaving(request: HttpRequest, user: User, group: Group, back: str, crumbs: list[Crumb]) -> HttpResponse:
    """The question before somebody leaves a group, wherever it is asked."""
    actor, organization = here(request)
    access.require(actor, "group.ctrl", organization.pk)
    form = ConfirmForm(sent(request))

    def act() -> tuple[str, str]:
        services.remove_member(actor=acting(request, form), group=group, user=user)
        return back, f"{user.name} is no longer in {group.name}."

    impact = impact_of(preview.of_leaving(actor, group, user), actor)
    facts = [("User", user.name), ("Group", group.name)]
    sheet = Sheet("Remove from group", "", back, crumbs, "Remove", "Removing…", danger=True, facts=facts, impact=impact)
    return ask(request, sheet, form, act)

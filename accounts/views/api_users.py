"""API users: named services, one for each external system."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import access, listings, queries
from accounts.filters import MemberFilter
from accounts.forms.common import ConfirmForm
from accounts.forms.users import ApiUserForm, NewApiUserForm, ResourcesForm
from accounts.services import api_users as services
from accounts.services import groups as group_services
from accounts.tables import ApiUserTable
from accounts.views.common import ROLE, Sheet, acting, address, ask, here, may, may_look, sent
from accounts.views.users import API_USER, crumbs_to, member
from accounts.words import summary
from keyadmin.keys import queries as keys
from keyadmin.web import words
from keyadmin.web.htmx import finished
from keyadmin.web.lists import Noun, render_list
from keyadmin.web.navigation import Crumb

NOUN = Noun("API user", "API users")


@require_safe
def api_user_list(request: HttpRequest) -> HttpResponse:
    """The API users of the organisation."""
    actor, organization = here(request)
    rows = listings.members(actor, API_USER.kind)
    filters = MemberFilter(request.GET, rows, organization=organization, groups=may_look(actor, "group"))
    context = {
        "heading": NOUN.plural,
        "may_create": may(actor, "user.ctrl"),
        "read_only": "" if may(actor, "user.ctrl") else ROLE.format("API users", "them"),
        "crumbs": [Crumb(NOUN.plural)],
        "unused": "users/_no_api_users.html",
    }
    return render_list(
        request, filters, ApiUserTable, noun=NOUN, template="users/api_users.html", default_sort="name", context=context
    )


@require_http_methods(["GET", "POST"])
def new_api_user(request: HttpRequest) -> HttpResponse:
    """Make an API user, in groups that whoever makes it can give."""
    actor, organization = here(request)
    access.require(actor, "user.ctrl", organization.pk)
    offered, catalogue = listings.givable_groups(actor, organization), queries.grantable_permissions()
    form = NewApiUserForm(sent(request))
    form.offer("groups", ((str(row.pk), row.name, summary(catalogue, access.patterns_of(row))) for row in offered))

    def act() -> tuple[str, str]:
        typed = form.cleaned_data
        user = services.create_api_user(
            actor=actor,
            organization=organization,
            name=typed["name"],
            description=typed["description"],
            contact_email=typed["contact_email"],
            groups=queries.chosen_groups(actor, organization, typed["groups"]),
        )
        return address("api_user", organization, user.pk), f"API user {user.name} was created."

    back, lead = address("api_users", organization), "A named service, not a person: it can never sign in."
    sheet = Sheet(
        "Create API user", "", back, crumbs_to(API_USER, organization), "Create API user", "Creating…", lead=lead
    )
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def edit_api_user(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is said of an API user."""
    actor, organization, user = member(request, API_USER, pk)
    access.require(actor, "user.ctrl", organization.pk)
    initial = {name: getattr(user, name) for name in ("name", "description", "contact_email", "version")}
    form = ApiUserForm(sent(request), initial=initial)
    back = address("api_user", organization, pk)

    def act() -> tuple[str, str]:
        typed = form.cleaned_data
        changes = services.UserChanges(
            name=typed["name"], description=typed["description"], contact_email=typed["contact_email"]
        )
        services.edit_api_user(
            actor=actor, organization=organization, user=user, changes=changes, expected_version=typed["version"]
        )
        return back, f"{typed['name']} was changed."

    sheet = Sheet("Edit", user.name, back, crumbs_to(API_USER, organization, user), about=("user", pk))
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def disable_api_user(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop an API user and all its keys, after saying how many these are."""
    actor, organization, user = member(request, API_USER, pk)
    access.require(actor, "user.ctrl", organization.pk)
    working, _ = keys.counts_by_owner([pk]).get(pk, (0, 0))
    form = ConfirmForm(sent(request), ask_name=user.name if working else "")
    back = address("api_user", organization, pk)

    def act() -> tuple[str, str]:
        services.disable_api_user(actor=acting(request, form), organization=organization, user=user)
        return back, f"{user.name} is disabled. Requests with its keys now get 401."

    stop = f"{words.counted(working, 'key')} of this user stop{'s' if working == 1 else ''} working at once."
    sheet = Sheet(
        "Disable",
        user.name,
        back,
        crumbs_to(API_USER, organization, user),
        "Disable",
        "Disabling…",
        end="?",
        danger=True,
        lead="It can be enabled again.",
        consequences=[stop if working else "It has no working key: nothing stops."],
    )
    return ask(request, sheet, form, act)


@require_POST
def enable_api_user(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a disabled API user work again."""
    actor, organization, user = member(request, API_USER, pk)
    services.enable_api_user(actor=actor, organization=organization, user=user)
    return finished(request, address("api_user", organization, pk), f"{user.name} works again, and so do its keys.")


@require_http_methods(["GET", "POST"])
def delete_api_user(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove an API user that has no keys."""
    actor, organization, user = member(request, API_USER, pk)
    access.require(actor, "user.ctrl", organization.pk)
    form = ConfirmForm(sent(request))

    def act() -> tuple[str, str]:
        services.delete_api_user(actor=acting(request, form), organization=organization, user=user)
        return address("api_users", organization), f"{user.name} was deleted."

    back = address("api_user", organization, pk)
    goes = "The user goes for good, with its places in groups; activity records are kept."
    sheet = Sheet(
        "Delete",
        user.name,
        back,
        crumbs_to(API_USER, organization, user),
        "Delete",
        "Deleting…",
        end="?",
        danger=True,
        consequences=[goes],
    )
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def new_read_only_access(request: HttpRequest, pk: int) -> HttpResponse:
    """A policy that looks, a group that has it, and the user in it: one step."""
    actor, organization, user = member(request, API_USER, pk)
    access.require(actor, "policy.ctrl", organization.pk)
    access.require(actor, "group.ctrl", organization.pk)
    form = ResourcesForm(sent(request))
    resources = listings.viewable_resources(actor, organization)
    form.offer("resources", ((name, name, ", ".join(labels)) for name, labels in resources))
    back = address("api_user", organization, pk)

    def act() -> tuple[str, str]:
        chosen = form.cleaned_data["resources"]
        group = group_services.create_read_only_access(
            actor=actor, user=user, organization=organization, resources=chosen
        )
        return back, f"Policy and group {group.name} were created, and {user.name} is in the group."

    sheet = Sheet(
        "New read-only policy and group",
        "",
        back,
        crumbs_to(API_USER, organization, user),
        "Create both",
        "Creating…",
        lead="A policy that looks and changes nothing, and a group that has it. The user is put in at once.",
        facts=[("User", user.name)],
    )
    return ask(request, sheet, form, act)

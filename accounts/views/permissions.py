"""The catalogue of permissions: what there is, what needs it, and who holds it."""

from collections.abc import Collection, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import access, listings
from accounts.filters import PermissionFilter
from accounts.forms.common import ConfirmForm
from accounts.forms.permissions import EditPermissionForm, PermissionForm
from accounts.models import Organization
from accounts.services import catalogue as services
from accounts.tables import PermissionTable
from accounts.views.common import Sheet, acting, address, ask, here, may_look, sent
from keyadmin.keys import queries as keys
from keyadmin.web.lists import Noun, render_list
from keyadmin.web.navigation import Crumb

NOUN = Noun("permission", "permissions")
MANAGE = "permission.ctrl"


@require_safe
def permission_list(request: HttpRequest) -> HttpResponse:
    """The catalogue, for everybody who is in the organisation; it is public by the API."""
    actor, organization = here(request)
    sees_keys = may_look(actor, "apikey")

    def holders(names: Collection[str]) -> tuple[Mapping[str, Any] | None, Mapping[str, int] | None]:
        numbers = keys.numbers_able_to(actor, organization, names) if sees_keys else None
        return listings.holders_of(actor, names) if may_look(actor, "user") else None, numbers

    context = {
        "heading": "Permissions",
        "may_create": actor.held.instance.allows(MANAGE),
        "crumbs": [Crumb("Permissions")],
    }
    rows = listings.catalogue()
    resources = sorted(set(rows.order_by().values_list("resource", flat=True)), key=str.lower)
    return render_list(
        request,
        PermissionFilter(request.GET, rows, resources=resources),
        PermissionTable,
        noun=NOUN,
        template="permissions/list.html",
        default_sort="resource",
        context=context,
        holders=holders,
        may_edit=context["may_create"],
    )


def _crumbs(organization: Organization) -> list[Crumb]:
    return [Crumb("Permissions", address("permissions", organization))]


@require_http_methods(["GET", "POST"])
def new_permission(request: HttpRequest) -> HttpResponse:
    """Add a permission of one's own to the catalogue of the instance."""
    actor, organization = here(request)
    access.require_instance(actor, MANAGE)
    form = PermissionForm(sent(request))
    back = address("permissions", organization)

    def act() -> tuple[str, str]:
        row = services.create_permission(actor=actor, name=form.cleaned_data["name"], fields=_said(form))
        return f"{back}?search={row.name}", f"Permission {row.name} was created."

    lead = "For an application of your own. It is known in every organisation of this installation."
    sheet = Sheet("Create permission", "", back, _crumbs(organization), "Create permission", "Creating…", lead=lead)
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def edit_permission(request: HttpRequest, name: str) -> HttpResponse:
    """Change what a permission of one's own is said to be."""
    actor, organization = here(request)
    access.require_instance(actor, MANAGE)
    row = listings.custom_permission(name)
    initial = {field: getattr(row, field) for field in EditPermissionForm.base_fields}
    form = EditPermissionForm(sent(request), initial=initial | {"tasks": "\n".join(row.tasks)})
    back = address("permissions", organization)

    def act() -> tuple[str, str]:
        services.edit_permission(actor=actor, name=name, changes=_said(form))
        return f"{back}?search={name}", f"Permission {name} was changed."

    sheet = Sheet("Edit", row.label, back, _crumbs(organization), facts=[("Name", row.name)])
    return ask(request, sheet, form, act)


@require_http_methods(["GET", "POST"])
def delete_permission(request: HttpRequest, name: str) -> HttpResponse:
    """Take a permission of one's own out of the catalogue."""
    actor, organization = here(request)
    access.require_instance(actor, MANAGE)
    row = listings.custom_permission(name)
    form = ConfirmForm(sent(request))
    back = address("permissions", organization)

    def act() -> tuple[str, str]:
        services.delete_permission(actor=acting(request, form), name=name)
        return back, f"Permission {name} was deleted."

    sheet = Sheet(
        "Delete",
        row.label,
        back,
        _crumbs(organization),
        "Delete",
        "Deleting…",
        end="?",
        danger=True,
        facts=[("Name", row.name)],
        consequences=["It goes in every organisation. Keys that list it keep a word that no longer means anything."],
    )
    return ask(request, sheet, form, act)


def _said(form: PermissionForm) -> services.PermissionChanges:
    typed = form.cleaned_data
    return services.PermissionChanges(
        label=typed["label"],
        resource=typed["resource"],
        action=typed["action"],
        risk=typed["risk"],
        description=typed["description"],
        tasks=typed["tasks"],
    )

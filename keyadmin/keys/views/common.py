"""What the pages about keys share: where they are, and where they go on."""

from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.kernel.actor import Actor
from keyadmin.keys.models import APIKey
from keyadmin.web.auth import actor_of
from keyadmin.web.htmx import go_to, wants_part
from keyadmin.web.navigation import Crumb

FORM_NAMES = {"expiry_date": "expiry_date", "allowed_networks": "networks"}


def here(request: HttpRequest) -> tuple[Actor, Organization]:
    """Who asks, and the organisation that the address names."""
    return actor_of(request), cast(Organization, request.organization)  # type: ignore[attr-defined]


def address(route: str, organization: Organization, *parts: object) -> str:
    return reverse(route, args=[organization.slug, *parts])


def about(key: APIKey, organization: Organization, act: str) -> dict[str, Any]:
    """The context of a sheet about one key."""
    back = address("key", organization, key.pk)
    return {
        "key": key,
        "sheet_title": f"{act} {key.name}",
        "back": back,
        "crumbs": [Crumb("API keys", address("keys", organization)), Crumb(key.name, back), Crumb(act)],
    }


def list_behind(request: HttpRequest, organization: Organization) -> str:
    """The address of the key list with its filters, if that is where the modal was opened; else nothing."""
    before = urlsplit(request.headers.get("HX-Current-URL", ""))
    keys = address("keys", organization)
    if not wants_part(request) or before.path != keys:
        return ""
    return f"{keys}?{before.query}" if before.query else keys


def at_row(keys: str, key: APIKey) -> str:
    """An address of the key list that names the row of the key, for reveal.js to put the focus on.

    No element has this id: the browser would scroll to it, past what the page says of the key.
    """
    return f"{keys}#key-{key.pk}"


def finished(request: HttpRequest, url: str, text: str) -> HttpResponse:
    """After a change: say so, above the list if that is where the modal was opened, else at `url`."""
    messages.success(request, text)
    return go_to(request, list_behind(request, here(request)[1]) or url)


class Cell(NamedTuple):
    """One box of the permission matrix. `grantable` is false for what the person does not hold."""

    name: str
    label: str
    checked: bool
    grantable: bool


def matrix_of(actor: Actor, organization: Organization, form: Form) -> list[tuple[str, list[Cell]]]:
    """The catalogue by resource, as boxes to tick."""
    held = actor.rights_in(organization.pk)
    chosen = form["permissions"].value() or ()
    rows: dict[str, list[Cell]] = {}
    for row in accounts.grantable_permissions():
        cell = Cell(row.name, row.label, row.name in chosen, held.allows(row.name) or row.name in chosen)
        rows.setdefault(row.resource, []).append(cell)
    return list(rows.items())

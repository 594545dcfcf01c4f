"""What the pages about keys share: where they are, and the one-time reveal."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.instance import services as instance
from keyadmin.kernel.actor import Actor
from keyadmin.keys import queries, services
from keyadmin.keys.models import APIKey
from keyadmin.web.auth import actor_of
from keyadmin.web.htmx import go_to, render_sheet, secret
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


def finished(request: HttpRequest, url: str, text: str) -> HttpResponse:
    """After a change: say so, above the list if that is where one came from, else at `url`."""
    messages.success(request, text)
    before = urlsplit(request.headers.get("HX-Current-URL") or request.POST.get("next", ""))
    keys = address("keys", here(request)[1])
    if before.path == keys:
        return go_to(request, f"{keys}?{before.query}" if before.query else keys)
    return go_to(request, url)


def reveal_once(
    request: HttpRequest,
    actor: Actor,
    nonce: str,
    minted: services.Minted,
    act: Callable[[services.Minted], services.Issued],
    *,
    again: bool = False,
) -> HttpResponse:
    """Carry out what makes a secret, and show it in this answer alone.

    The form's nonce makes a repeated POST (reload, double click) find what the first one did, without the secret.
    `again`: the key is not new. What was done is said when the secret is gone, above the next page.
    """

    def once() -> instance.Answer:
        issued = act(minted)
        found: dict[str, object] = {"api_key_id": issued.key.pk}
        return instance.Answer(200, {**found, "secret": issued.secret}, found)

    answer = instance.once(actor, scope=f"page:{actor.kind}:{actor.id}:{request.path}", key=nonce, body=b"", act=once)
    key = queries.visible_key(actor, int(str(answer.body["api_key_id"])))
    organization = here(request)[1]
    context: dict[str, Any] = {
        "key": key,
        "back": address("keys", organization),
        "after": address("key", organization, key.pk),
        "no_close": True,
    }
    if "secret" not in answer.body:
        return render_sheet(request, "keys/already_created.html", {**context, "sheet_title": "Already created"})
    curl = f'curl {request.scheme}://{request.get_host()}/api/v1/whoami -H "X-API-KEY: '
    shown = {
        "sheet_title": "Copy your API key now",
        "secret": answer.body["secret"],
        "env_name": "CRM_API_KEY",
        "file_name": "keyadmin",
        "curl_before": curl,
    }
    response = secret(render_sheet(request, "keys/reveal.html", {**context, **shown}))
    # After this page is made, so that the next one says it.
    messages.success(request, f"{key.name} has a new secret." if again else f"{key.name} was created.")
    return response


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

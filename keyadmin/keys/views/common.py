"""What the pages about keys share: where they are, and the one-time reveal."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import queries as accounts
from accounts.models import Organization, UserKind
from keyadmin.instance import services as instance
from keyadmin.kernel.actor import Actor
from keyadmin.keys import picker, queries, services
from keyadmin.keys.models import APIKey
from keyadmin.web.auth import actor_of
from keyadmin.web.htmx import go_to, render_sheet, secret, wants_part
from keyadmin.web.navigation import Crumb

NAMED_RIGHTS = 6


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


def facts_about(key: APIKey, organization: Organization) -> list[tuple[str, str]]:
    """Whose a key is and what it can do, before something happens to it: label and value."""
    words = picker.in_words(accounts.grantable_permissions(), queries.effective(key, organization))
    named = [row.label for row in words.permissions]
    more = f" and {len(named) - NAMED_RIGHTS} more" if len(named) > NAMED_RIGHTS else ""
    can = ", ".join(named[:NAMED_RIGHTS]) + more or "Nothing but say who it is"
    kind = "" if key.owner is None else " (API user)" if key.owner.kind == UserKind.API else " (person)"
    return [
        ("Belongs to", f"{key.owner.name}{kind}" if key.owner else organization.name),
        ("Can", "Everything: it is an admin key" if words.everything else can),
    ]


def finished(request: HttpRequest, url: str, text: str) -> HttpResponse:
    """After a change: say so, above the list if that is where the modal was opened, else at `url`."""
    messages.success(request, text)
    before = urlsplit(request.headers.get("HX-Current-URL", ""))
    keys = address("keys", here(request)[1])
    if wants_part(request) and before.path == keys:
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

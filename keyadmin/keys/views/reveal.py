"""The one-time reveal: what makes a secret answers with it, once; then somebody says that it was saved."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from accounts.models import Organization
from keyadmin.instance import services as instance
from keyadmin.kernel.actor import Actor
from keyadmin.keys import queries, services
from keyadmin.keys.flairs import without_flairs
from keyadmin.keys.models import APIKey
from keyadmin.keys.views.common import address, at_row, here, list_behind
from keyadmin.sitekey.queries import is_demanded
from keyadmin.web import words
from keyadmin.web.htmx import done, go_to, render_sheet, secret, wants_part
from keyadmin.web.navigation import Crumb
from keyadmin.web.reveal import Unspoken

ENV_NAME = "CRM_API_KEY"


def reveal_once(
    request: HttpRequest,
    actor: Actor,
    nonce: str,
    minted: services.Minted,
    act: Callable[[services.Minted], services.Issued],
    *,
    organization: Organization,
    keys: Crumb,
    again: bool = False,
    back: Crumb | None = None,
) -> HttpResponse:
    """Carry out what makes a secret, and show it in this answer alone.

    The form's nonce makes a repeated POST (reload, double click) find what the first one did, without the secret.
    `organization` is where the key is shown, `keys` the list that it stands in; `again`: the key is not new. What was
    done is said when the secret is gone, above the next page: `back`, where it is not the key's own or the list.
    """

    def once() -> instance.Answer:
        issued = act(minted)
        found: dict[str, object] = {"api_key_id": issued.key.pk}
        return instance.Answer(200, {**found, "secret": issued.secret}, found)

    answer = instance.once(actor, scope=f"page:{actor.kind}:{actor.id}", key=nonce, body=b"", act=once)
    key = queries.visible_key(actor, int(str(answer.body["api_key_id"])))
    if "secret" not in answer.body:
        context = _sheet(key, organization, keys, "Already done")
        return render_sheet(request, "keys/already_created.html", {**context, "again": again})
    shown = {**_about(request, key, organization, keys, again=again), "secret": Unspoken(answer.body["secret"])}
    if back is not None:
        shown |= {"after": back.url, "after_label": f"Back to {back.label}"}
    response = secret(render_sheet(request, "keys/reveal.html", shown))
    # After this page is made, so that the next one says it, if that is about keys; elsewhere it would puzzle.
    text = f"Key {key.name} has a new secret." if again else f"Key {key.name} created."
    messages.success(request, text, extra_tags=(back or keys).url)
    return response


@require_POST
def key_saved(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody says that they saved the secret which this page showed them."""
    actor, organization = here(request)
    key = services.confirm_secret(actor=actor, key_id=pk, token_id=request.POST.get("token_id", ""))
    if wants_part(request):
        return done()
    after = request.POST.get("after", "")
    if after.startswith("/") and url_has_allowed_host_and_scheme(after, allowed_hosts=None):
        return go_to(request, after)
    at_key = "stay" in request.POST
    return go_to(request, address("key", organization, pk) if at_key else at_row(address("keys", organization), key))


def _sheet(key: APIKey, organization: Organization, keys: Crumb, title: str) -> dict[str, Any]:
    return {"key": key, "home": organization, "sheet_title": title, "crumbs": [keys, Crumb(title)], "no_close": True}


def _about(
    request: HttpRequest, key: APIKey, organization: Organization, keys: Crumb, *, again: bool
) -> dict[str, Any]:
    """The context of a reveal but for the secret. A new key is looked for in the whole list, not among filters."""
    behind = list_behind(request, organization) if again else keys.url
    return {
        **_sheet(key, organization, keys, "Copy your API key"),
        "allowed": _allowed(key),
        "env_name": ENV_NAME,
        "with_site_key": is_demanded(),
        "file_name": slugify(without_flairs(key.name))[:60].strip("-") or "api-key",
        "try_url": f"{settings.ENV.public_url or f'{request.scheme}://{request.get_host()}'}/api/v1/whoami",
        "saved_url": address("key_saved", organization, key.pk),
        "after": at_row(behind, key) if behind else address("key", organization, key.pk),
        "after_label": f"Back to {keys.label}" if behind else "Back to the key",
    }


def _allowed(key: APIKey) -> str:
    if key.permissions is None:
        return "all permissions of its owner"
    return "all permissions" if key.permissions == ["*"] else words.counted(len(key.permissions), "permission")

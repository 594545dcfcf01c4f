"""Overview, list, and the page of one key."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Organization
from keyadmin.activity import queries as activity
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import InvalidError
from keyadmin.keys import queries, rights
from keyadmin.keys.filters import DEFAULT_SORT, DEFAULT_STATUS, STATUS_LABELS, KeyFilter
from keyadmin.keys.status import Status
from keyadmin.keys.tables import KeyTable, tags_of
from keyadmin.keys.views.acts import acts_on
from keyadmin.keys.views.common import address, here
from keyadmin.web import words
from keyadmin.web.htmx import go_to
from keyadmin.web.lists import Noun, render_list
from keyadmin.web.navigation import Crumb

NOUN = Noun("API key", "API keys")
SHOWN_EVENTS = 10


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Where a person lands in an organisation: figures, what needs attention, what happened last."""
    actor, organization = here(request)
    context = {
        **_figures(actor, organization),
        "soon": queries.expiring_first(actor, 5),
        "admin_keys": queries.admin_keys_without_expiry(actor, 5),
        "events": activity.latest(organization.pk, SHOWN_EVENTS) if actor.allows("audit.view") else None,
        "may_create": _may_create(actor, organization),
        "crumbs": [Crumb("Overview")],
    }
    return render(request, "keys/overview.html", context)


@require_safe
def key_list(request: HttpRequest) -> HttpResponse:
    """The keys that the person may see."""
    actor, organization = here(request)
    term = request.GET.get("search", "")
    try:
        queries.refuse_whole_key(term, field="search")
    except InvalidError as error:
        messages.error(request, error.detail)
        return go_to(request, request.path)  # without the key, which must not stay in the address
    filters = KeyFilter(request.GET, queries.visible_keys(actor))
    # The default is the empty choice: it stands once in the select, though it can be asked for by name.
    choices = [("" if name == DEFAULT_STATUS else name, label) for name, label in STATUS_LABELS.items()]
    filters.form.fields["status"].widget.choices = choices
    figures = _figures(actor, organization, request.GET.get("status", ""))
    hidden = figures["revoked"] if request.GET.get("status", DEFAULT_STATUS) in ("", DEFAULT_STATUS) else 0
    context = {
        **figures,
        "hidden_note": f"{words.counted(hidden, 'revoked key', 'revoked keys')} not shown." if hidden else "",
        "may_create": _may_create(actor, organization),
        "crumbs": [Crumb("API keys")],
        "unused": "keys/_unused.html",
    }
    return render_list(
        request, filters, KeyTable, noun=NOUN, template="keys/list.html", default_sort=DEFAULT_SORT, context=context
    )


@require_safe
def key_page(request: HttpRequest, pk: int) -> HttpResponse:
    """All that may be known of one key."""
    actor, organization = here(request)
    key = queries.visible_key(actor, pk)
    context = {
        "key": key,
        "tags": tags_of(key),
        "acts": acts_on(key, actor, organization.slug)[2:],
        "given": queries.effective(key, organization),
        "former": list(key.former_token_ids.order_by("-replaced_at")),
        "events": activity.about("api_key", key.pk, organization.pk, 50),
        "may_manage": rights.may_manage(actor, key),
        "crumbs": [Crumb("API keys", address("keys", organization)), Crumb(key.name)],
    }
    return render(request, "keys/key.html", context)


def _may_create(actor: Actor, organization: Organization) -> bool:
    held = actor.rights_in(organization.pk)
    return held.allows("apikey.ctrl") or held.allows("apikey.own")


def _figures(actor: Actor, organization: Organization, chosen: str = "") -> dict[str, Any]:
    """The four cards: label, figure, the line beneath, the list that they lead to, tone, whether it is shown."""
    counts = queries.counts(actor)
    soon, active = counts[Status.EXPIRING_SOON], counts[Status.ACTIVE] + counts[Status.EXPIRING_SOON]
    total = sum(counts.values())
    revoked, paused = counts[Status.REVOKED], counts[Status.PAUSED]

    def card(label: str, number: int, sub: str, status: str, tone: str) -> tuple[str, int, str, str, str, bool]:
        return label, number, sub, f"{address('keys', organization)}?status={status}", tone, status == chosen

    return {
        "every": total,
        "revoked": revoked,
        "cards": [
            card("Total API Keys", total, f"{revoked:,} revoked, {paused:,} paused", "all", "off"),
            card("Active Keys", active, f"{soon:,} expiring soon", "active", "ok"),
            card("Expiring Soon", soon, "next 30 days", "expiring_soon", "warn"),
            card("Expired Keys", counts[Status.EXPIRED], "refused now", "expired", "bad"),
        ],
        "sub": f"{words.counted(total, *NOUN)} in {organization.name}",
    }

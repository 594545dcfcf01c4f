"""The key list, and what it shares with the overview: the figures and what the person may do."""

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.keys import queries
from keyadmin.keys.filters import DEFAULT_SORT, DEFAULT_STATUS, KeyListFilter
from keyadmin.keys.status import Status
from keyadmin.keys.tables import KeyTable
from keyadmin.keys.views.common import address, here
from keyadmin.web import words
from keyadmin.web.lists import Noun, render_list
from keyadmin.web.navigation import Crumb

NOUN = Noun("API key", "API keys")


@require_safe
def key_list(request: HttpRequest) -> HttpResponse:
    """The keys that the person may see."""
    actor, organization = here(request)
    filters = KeyListFilter(request.GET, queries.visible_keys(actor), actor=actor, organization=organization)
    status = request.GET.get("status", "")
    found = figures(actor, organization, status)
    context = {
        **found,
        **standing(actor, organization),
        "hidden": found["revoked"] if status in ("", DEFAULT_STATUS) else 0,
        "of_owner": of_owner(actor, organization, filters),
        "crumbs": [Crumb("API keys")],
        "unused": "keys/_unused.html",
        "above": "keys/_of_owner.html",
        "after": "keys/_hidden.html",
        "out_of_band": "keys/_cards.html",
    }
    return render_list(
        request, filters, KeyTable, noun=NOUN, template="keys/list.html", default_sort=DEFAULT_SORT, context=context
    )


class OfOwner(NamedTuple):
    """The user whose keys are listed, and the form for one more; no address where the person can't make one."""

    name: str
    new_url: str


def of_owner(actor: Actor, organization: Organization, filters: KeyListFilter) -> OfOwner | None:
    """Whose keys a filter by one user leaves; None without it."""
    filters.form.is_valid()
    chosen = filters.form.cleaned_data.get("owner")
    if not chosen:
        return None
    names = {str(pk): name for pk, name in filters.filters["owner"].extra["choices"]}
    makes = standing(actor, organization)["may_create"]
    owners = accounts.possible_key_owners(actor, organization) if makes else []
    offered = chosen in {str(user.pk) for user in owners}
    return OfOwner(names[chosen], f"{address('key_new', organization)}?kind=user&owner={chosen}" if offered else "")


def standing(actor: Actor, organization: Organization) -> dict[str, Any]:
    """What the person may do with keys here: `may_create`, and `only_own` if they see no others."""
    held = actor.rights_in(organization.pk)
    return {
        "may_create": held.allows("apikey.ctrl") or held.allows("apikey.own"),
        "only_own": not (held.allows("apikey.ctrl") or held.allows("apikey.view")),
    }


def figures(actor: Actor, organization: Organization, chosen: str = "") -> dict[str, Any]:
    """The four cards: label, figure, the line beneath, the list that they lead to, tone, whether it is shown."""
    counts = queries.counts(actor)
    soon, active = counts[Status.EXPIRING_SOON], counts[Status.ACTIVE] + counts[Status.EXPIRING_SOON]
    total, expired = sum(counts.values()), counts[Status.EXPIRED]
    revoked, paused = counts[Status.REVOKED], counts[Status.PAUSED]

    def card(label: str, number: int, sub: str, status: str, tone: str) -> tuple[str, int, str, str, str, bool]:
        return label, number, sub, f"{address('keys', organization)}?status={status}", tone, status == chosen

    ending = f"{soon:,} of them {'expires' if soon == 1 else 'expire'} within 30 days" if soon else "none expires soon"
    return {
        "every": total,
        "revoked": revoked,
        "cards": [
            card("Total API Keys", total, f"{revoked:,} revoked, {paused:,} paused", "all", "off"),
            card("Active Keys", active, ending if active else "", "active", "ok"),
            card("Expiring Soon", soon, _next(actor) if soon else "none within 30 days", "expiring_soon", "warn"),
            card("Expired Keys", expired, "requests with them get 401" if expired else "", "expired", "bad"),
        ],
        "total_words": words.counted(total, *NOUN),
    }


def _next(actor: Actor) -> str | SafeString:
    """Which key expires soonest, and when."""
    key = queries.next_to_expire(actor)
    if key is None or key.expires_at is None:
        return ""
    when = words.relative(key.expires_at, clock.now())
    return format_html('<span class="ka-next">next {}:&nbsp;<bdi>{}</bdi></span>', when, key.name)

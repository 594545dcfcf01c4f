"""Where a person lands in an organisation: figures, what needs attention, what comes and what happened last."""

from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from accounts import access
from accounts.models import Organization
from keyadmin.activity import queries as activity
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.keys import rights
from keyadmin.keys.models import APIKey
from keyadmin.keys.overview import Need, needing_attention, per_day
from keyadmin.keys.queries import visible_keys
from keyadmin.keys.views.acts import Act, act_on
from keyadmin.keys.views.common import address, here
from keyadmin.keys.views.lists import figures, standing
from keyadmin.sitekey.queries import is_demanded
from keyadmin.web import charts, words
from keyadmin.web.navigation import Crumb
from keyadmin.web.templatetags import kit

SEEING = ("apikey.view", "apikey.ctrl", "apikey.own")
SHOWN_EVENTS, SHOWN_NEEDS = 10, 8
WEEKS_AHEAD, WEEKS_BACK = 52, 13
STARTING_FOR = timedelta(days=1)


class Item(NamedTuple):
    """A key that needs attention: why, a second line, and the one act that helps, if the person may do it."""

    key: APIKey
    text: SafeString | str
    sub: SafeString | str
    act: Act | None


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The first page of an organisation."""
    actor, organization = here(request)
    held = actor.rights_in(organization.pk)
    if held.patterns and not any(map(held.allows, SEEING)):
        grantors = access.grantors(SEEING[0], organization.pk)
        return render(request, "keys/no_overview.html", {"grantors": grantors, "crumbs": [Crumb("Overview")]})
    found = figures(actor, organization)
    context: dict[str, Any] = {
        **found,
        **standing(actor, organization),
        "with_site_key": is_demanded() if found["every"] <= 1 else False,  # beside the first steps alone
        "may_audit": actor.allows("audit.view"),
        "crumbs": [Crumb("Overview")],
    }
    if found["every"] == 1:
        context["first_key"] = first_key(actor)
    if found["every"]:
        needs = needing_attention(actor, SHOWN_NEEDS + 1)
        ahead, back = by_week(actor, organization)
        context |= {
            "items": items(actor, organization, needs[:SHOWN_NEEDS]),
            "more_items": len(needs) > SHOWN_NEEDS,
            "expiries": ahead,
            "expiries_words": expiries_words(ahead),
            "changes": back,
            "events": activity.latest(organization.pk, SHOWN_EVENTS) if actor.allows("audit.view") else None,
        }
    return render(request, "keys/overview.html", context)


def first_key(actor: Actor) -> APIKey | None:
    """The one key there is, while it is so young that whoever made it may be about to try it."""
    key = visible_keys(actor).first()
    return key if key is not None and clock.now() - key.created_at < STARTING_FOR else None


def items(actor: Actor, organization: Organization, needs: list[tuple[Need, APIKey]]) -> list[Item]:
    """What needs attention, in words."""
    slug = organization.slug
    permitted = rights.permitted(actor, [key for _, key in needs])
    found = []
    for need, key in needs:
        text, sub, label, route = _words(need, key)
        allowed = permitted.managed if need in (Need.ADMIN, Need.PAUSED) else permitted.givable
        act = act_on(key, slug, label, route, modal=route != "key") if key.pk in allowed else None
        found.append(Item(key, text, sub, act))
    return found


def _words(need: Need, key: APIKey) -> tuple[SafeString | str, SafeString | str, str, str]:
    """The end of the sentence that begins with the key's name, the line beneath, the act and its page."""
    if need is Need.EXPIRES:
        text = format_html("expires {}", kit.ago(key.expires_at))
        return text, words.to_the_minute(key.expires_at) if key.expires_at else "", "Extend", "key_edit"
    if need is Need.EXPIRED:
        text = format_html("expired {}", kit.ago(key.expires_at))
        return text, "requests with it get 401", "Extend", "key_edit"
    if need is Need.UNCONFIRMED:
        made = format_html("created {} by <bdi>{}</bdi>", kit.ago(key.created_at), key.created_by_label)
        return "was never confirmed as saved", made, "Regenerate", "key_regenerate"
    if need is Need.ADMIN:
        return "is an admin key without an expiry date", "whoever gets it controls it all", "Limit", "key_edit"
    return format_html("has been paused since {}", kit.day(key.paused_at)), "still needed?", "Review", "key"


def by_week(actor: Actor, organization: Organization) -> tuple[charts.Chart, charts.Chart]:
    """How many keys expire in each of the coming weeks, each a link to them; how many came and went in the last."""
    today = clock.now().date()
    first, days = today - timedelta(days=WEEKS_BACK * 7 - 1), WEEKS_AHEAD * 7
    spans = {
        "expires_at": (today, today + timedelta(days=days - 1)),
        "created_at": (first, today),
        "revoked_at": (first, today),
    }
    found = per_day(actor, spans)
    ahead = [_linked(week, organization) for week in charts.weeks(today, WEEKS_AHEAD, found["expires_at"])]
    back = charts.weeks(first, WEEKS_BACK, found["created_at"], found["revoked_at"])
    marks = [charts.Mark("0%", "Today", minor=True), charts.Mark(charts.percent(30, days), "30 days")]
    return charts.chart(ahead, marks), charts.chart(back)


def _linked(week: charts.Week, organization: Organization) -> charts.Week:
    query = urlencode({"expires_from": week.first, "expires_to": week.last, "sort": "expiry_date"})
    return week._replace(url=f"{address('keys', organization)}?{query}")


def expiries_words(ahead: charts.Chart) -> str:
    """What the picture says, in a sentence or two."""
    said = f"{words.counted(ahead.total, 'key expires', 'keys expire')} within the next {WEEKS_AHEAD} weeks."
    if ahead.total == 1:
        return f"{said[:-1]}, in the week {ahead.highest.span}."
    return f"{said} Most at once: {ahead.highest.number}, in the week {ahead.highest.span}."

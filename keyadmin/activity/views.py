"""The activity page for auditors: what changed, by whom, before and after. Nothing here changes anything."""

import json
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts import access
from keyadmin.activity import queries
from keyadmin.activity.filters import ActivityFilter
from keyadmin.activity.models import Event
from keyadmin.web.auth import actor_of
from keyadmin.web.htmx import render_page
from keyadmin.web.lists import chips
from keyadmin.web.navigation import Crumb
from keyadmin.web.query import altered

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its changes as rows: field, before, after."""

    event: Event
    changes: list[tuple[str, str, str]]
    reason: str
    via: str


@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    """The newest entries first; older ones by the sequence that the last page ended with."""
    actor = actor_of(request)
    organization_id = actor.organization_id or 0
    access.require(actor, "audit.view", organization_id)
    filters = ActivityFilter(request.GET, queries.chain_of(organization_id))
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else None
    rows = filters.qs if filters.form.is_valid() else queries.chain_of(organization_id)
    events, more = queries.page_before(rows, before, PAGE_SIZE)
    context = {
        "filterset": filters,
        "entries": [entry_of(event) for event in events],
        "chips": chips(request, filters.form),
        "older": altered(request.GET, before=events[-1].sequence) if more else "",
        "newest": altered(request.GET, before=None) if before is not None else "",
        "crumbs": [Crumb("Activity")],
    }
    return render_page(request, "activity/list.html", "activity/_results.html", context)


def entry_of(event: Event) -> Entry:
    """The event as the page shows it."""
    body = json.loads(event.text)
    before, after = body["before"] or {}, body["after"] or {}
    names = sorted({*before, *after})
    changes = [(name, _shown(before.get(name)), _shown(after.get(name))) for name in names]
    return Entry(event, changes, body["reason"], body["actor"]["via"])


def _shown(value: object) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

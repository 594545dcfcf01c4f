"""The activity pages for auditors: what changed, by whom, before and after. Nothing here changes anything."""

from dataclasses import dataclass
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import access
from keyadmin.activity import queries
from keyadmin.activity.events import INSTANCE
from keyadmin.activity.filters import TAB, TABS, ActivityFilter
from keyadmin.activity.models import Event
from keyadmin.activity.tables import Links, Targets, entries_of
from keyadmin.kernel import tokens
from keyadmin.kernel.errors import NotFoundError
from keyadmin.web import words
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.htmx import announce, go_to, render_page, wants_part
from keyadmin.web.lists import PAGE, chips
from keyadmin.web.navigation import Crumb
from keyadmin.web.query import altered

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Log:
    """One chain as somebody reads it: where it is, and how to get to what its entries are about."""

    chain: int
    title: str
    holds: str
    address: str
    targets: Targets


@require_safe
def activity(request: HttpRequest, links: Links) -> HttpResponse:
    """The log of one organisation."""
    return _list(request, _log_here(request, links))


@require_safe
def entry(request: HttpRequest, sequence: int, links: Links) -> HttpResponse:
    """One entry of the log of an organisation."""
    return _entry(request, _log_here(request, links), sequence)


@require_safe
@signed_in
def instance_activity(request: HttpRequest) -> HttpResponse:
    """The log of the instance: set-up, people, sign-ins."""
    return _list(request, _log_of_instance(request))


@require_safe
@signed_in
def instance_entry(request: HttpRequest, sequence: int) -> HttpResponse:
    """One entry of the log of the instance."""
    return _entry(request, _log_of_instance(request), sequence)


def _log_here(request: HttpRequest, links: Links) -> Log:
    """The log of the organisation that the address names, for those who may read it."""
    actor, slug = actor_of(request), request.organization.slug  # type: ignore[attr-defined]
    if actor.organization_id is None:
        raise NotFoundError
    access.require(actor, "audit.view", actor.organization_id)
    targets = {kind: partial(resolve, actor, slug) for kind, resolve in links.items()}
    return Log(
        actor.organization_id,
        "Activity",
        "Every change and sign-in, never edited.",
        reverse("activity", args=[slug]),
        targets,
    )


def _log_of_instance(request: HttpRequest) -> Log:
    access.require_instance(actor_of(request), "setting.ctrl")
    holds = "Set-up, people and sign-ins of the whole installation, never edited."
    return Log(INSTANCE, "Instance activity", holds, reverse("instance_activity"), {})


def _list(request: HttpRequest, log: Log) -> HttpResponse:
    """The newest entries first; older ones below the sequence that the last page ended with."""
    if any(tokens.looks_like_key(value) for value in request.GET.dict().values()):
        messages.error(request, "That looks like a complete API key. It was not stored. Search for its name.")
        return go_to(request, request.path)  # without the key, which must not stay in the address
    filters = ActivityFilter(request.GET, log.chain)
    asked = request.GET.get(PAGE, "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else None
    found: list[Event] = []
    older = False
    if filters.form.is_valid():
        found, older = queries.page_before(filters.qs, before, PAGE_SIZE, filters.names())
    show = request.GET.get("show", "")
    context = {
        "log": log,
        "filterset": filters,
        "tabs": [(label, f"?show={name}" if name else log.address, name == show) for name, label in TABS.items()],
        "entries": entries_of(found, log.chain, log.targets),
        "chips": [chip for chip in chips(request, filters.form) if chip.label != TAB],
        "older": altered(request.GET, **{PAGE: found[-1].sequence}) if older else "",
        "newest": altered(request.GET, **{PAGE: None}) if before is not None else "",
        "more": "activity/_instance.html"
        if log.chain and actor_of(request).held.instance.allows("setting.ctrl")
        else "",
        "crumbs": [Crumb(log.title)],
    }
    response = render_page(request, "activity/list.html", "activity/_results.html", context)
    if wants_part(request):
        announce(response, words.counted(len(found), "entry", "entries") if found else "No activity matches.")
    return response


def _entry(request: HttpRequest, log: Log, sequence: int) -> HttpResponse:
    event = queries.entry(log.chain, sequence)
    earlier, later = queries.neighbours(event)
    (shown,) = entries_of([event], log.chain, log.targets)
    context = {
        "log": log,
        "entry": shown,
        "earlier": earlier,
        "later": later,
        "crumbs": [Crumb(log.title, log.address), Crumb(f"Entry {sequence:,}")],
    }
    return render(request, "activity/entry.html", context)

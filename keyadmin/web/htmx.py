"""Whole page or part of it, decided in one place; and what a page says to the scripts in headers."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from django_htmx.middleware import HtmxDetails

MODAL = "modal"
UNPROCESSABLE = 422
LONGEST_ADDRESS = 2000
_PAGE_SHELL, _MODAL_SHELL = "components/sheet.html", "components/modal.html"


def wants_part(request: HttpRequest, target: str = "") -> bool:
    """Whether a script asks for a part, of the element with id `target` if one is named.

    Going back through history without a snapshot asks for the whole page, and so does a boosted link.
    """
    details: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    if not details or details.boosted or details.history_restore_request:
        return False
    return not target or details.target == target


def render_page(
    request: HttpRequest, full: str, part: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """The template `part` for a script, else `full`. An invalid form is answered with `status=UNPROCESSABLE`."""
    return render(request, part if wants_part(request) else full, dict(context or {}), status=status)


def render_sheet(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """One template as a page or in the modal: it extends `shell`, whose blocks components/sheet.html lists."""
    in_modal = wants_part(request, MODAL)
    shell = _MODAL_SHELL if in_modal else _PAGE_SHELL
    return render(request, template, {**(context or {}), "shell": shell, "in_modal": in_modal}, status=status)


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Another page; after a form See Other. Also for a script, which would follow a plain redirect in silence."""
    if wants_part(request):
        return cast(HttpResponse, HttpResponseClientRedirect(url))
    return HttpResponseRedirect(url, status=302 if request.method in ("GET", "HEAD") else 303)


def page_address(request: HttpRequest) -> str:
    """Path and query of the page that is open: a script's request may be to another one, or be no GET."""
    details: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    if not details:
        return request.get_full_path() if request.method == "GET" else "/"
    try:
        return details.current_url_abs_path or "/"
    except ValueError:  # a header that is no address
        return "/"


def list_behind(request: HttpRequest, path: str) -> str:
    """The address of the list at `path` with its filters, if one came from there; else nothing.

    A script tells where it was; a plain form says so in a field `next`.
    """
    said = request.headers.get("HX-Current-URL") or request.POST.get("next", "")
    try:
        before = urlsplit(said)
    except ValueError:  # no address at all
        return ""
    if before.path != path or len(said) > LONGEST_ADDRESS:
        return ""
    return f"{path}?{before.query}" if before.query else path


def finished(request: HttpRequest, url: str, text: str) -> HttpResponse:
    """After a change: another page, which says above its heading what was done."""
    messages.success(request, text)
    return go_to(request, url)


def done(*events: str) -> HttpResponse:
    """Nothing to show: the modal closes and what listens to the events (`keys-changed`) reads itself anew."""
    response = HttpResponse(status=204)
    for event in ("modal-close", *events):
        trigger(response, event)
    return response


def trigger(response: HttpResponse, event: str, **details: Any) -> HttpResponse:
    """Have the browser fire an event on the element that asked, after the swap."""
    return trigger_client_event(response, event, details, after="settle" if response.status_code != 204 else "receive")


def announce(response: HttpResponse, text: str) -> HttpResponse:
    """Have the live region say something. Headers are ASCII: the text travels as JSON."""
    return trigger(response, "announce", text=text)


def tell(response: HttpResponse, text: str) -> HttpResponse:
    """Have the page show what was done, above the h1, as components/messages.html does on the next page."""
    return trigger(response, "tell", text=text)


def secret(response: HttpResponse) -> HttpResponse:
    """Mark an answer that shows a secret: kept nowhere, compressed by nobody, its address told to nobody."""
    response["Cache-Control"] = "no-store, no-transform"
    response["Referrer-Policy"] = "no-referrer"
    return response

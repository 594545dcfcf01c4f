"""The public docs pages; and what Prometheus reads."""

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import require_instance
from keyadmin.kernel.errors import KINDS, DeniedError, ErrorKind, InvalidError, NotFoundError, ProblemError
from keyadmin.system.metrics import exposed
from keyadmin.web import errors
from keyadmin.web.auth import actor_of

PAGES = {
    "how-keys-work": ("How keys work", "What a key is made of, what it may do, and the life that it has."),
    "keeping-keys-safe": (
        "Keeping keys safe",
        "Where a key belongs, how often to replace it, and what to do on a leak.",
    ),
}
EXAMPLES: dict[str, ProblemError] = {
    "insufficient_scope": DeniedError("view_customer"),
    "validation_error": InvalidError.field("expiry_date", "The expiry date must be in the future."),
}
HEADERS = {
    401: 'WWW-Authenticate: ApiKey realm="keyadmin", Bearer realm="keyadmin"',
    405: "Allow: GET",
    503: "Retry-After: 2",
}


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """This process in numbers, for who holds `setting.ctrl` of the instance. Raises ProblemError."""
    actor = actor_of(request)
    require_instance(actor, "setting.ctrl")
    if actor.segment:
        raise NotFoundError  # nothing that it has made
    content, content_type = exposed(request.headers.get("Accept", ""))
    return HttpResponse(content, content_type=content_type, headers={"Cache-Control": "no-store"})


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/index.html", {"pages": PAGES, "current": "docs"})


@require_safe
def page(request: HttpRequest, page: str) -> HttpResponse:
    if page not in PAGES:
        raise Http404
    title, _ = PAGES[page]
    return render(request, f"docs/{page}.html", {"pages": PAGES, "current": page, "title": title})


@require_safe
def errors_index(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/errors.html", {"pages": PAGES, "current": "errors", "kinds": KINDS.values()})


@require_safe
def error_page(request: HttpRequest, code: str) -> HttpResponse:
    """What one code means: the page that the `type` of a problem leads to."""
    kind = KINDS.get(code)
    if kind is None:
        raise Http404
    context = {"pages": PAGES, "current": code, "kind": kind, "header": HEADERS.get(kind.status)}
    return render(request, "docs/error.html", {**context, "example": example_of(kind)})


def example_of(kind: ErrorKind) -> str:
    """An answer with this code, as a program gets it (RFC 9457)."""
    error = EXAMPLES.get(kind.code) or ProblemError(code=kind.code)
    body = errors.body_of(error, "req_5f0c1d8e2b7a4c639d10")
    return json.dumps(body, indent=2, ensure_ascii=False)

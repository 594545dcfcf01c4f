"""The public docs pages."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from keyadmin.kernel.errors import KINDS

PAGES = {
    "how-keys-work": "How keys work",
    "keeping-keys-safe": "Keeping keys safe",
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/index.html", {"pages": PAGES})


@require_safe
def page(request: HttpRequest, page: str) -> HttpResponse:
    if page not in PAGES:
        raise Http404
    return render(request, f"docs/{page}.html", {"title": PAGES[page]})


@require_safe
def errors_index(request: HttpRequest) -> HttpResponse:
    return render(request, "docs/errors.html", {"kinds": KINDS.values()})


@require_safe
def error_page(request: HttpRequest, code: str) -> HttpResponse:
    if code not in KINDS:
        raise Http404
    return render(request, "docs/error.html", {"kind": KINDS[code]})

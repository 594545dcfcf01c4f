"""The outermost middleware: a request id, the client's address, errors that are answers of ours; headers of pages."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

from keyadmin.kernel import tokens
from keyadmin.kernel.actor import ActorKind
from keyadmin.kernel.errors import BadRequestError, ProblemError
from keyadmin.web import edge, errors
from keyadmin.web.auth import KeyadminRequest
from keyadmin.web.htmx import go_to

LONGEST_QUERY = 4000
KEY_IN_ADDRESS = (
    "That looks like a complete API key. It was not stored. Search by its last 4 characters, its id or masked form."
)


class RequestContextMiddleware:
    """Sets `request_id` and `client_address`; sends X-Request-Id on every answer.

    A peer that is a trusted proxy is believed about the address, the scheme and the request id; nobody else is.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: KeyadminRequest) -> HttpResponse:
        meta = request.META
        peer = edge.peer(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""))
        request.client_address = peer.address
        request.request_id = edge.request_id(meta.get("HTTP_X_REQUEST_ID", "") if peer.is_trusted else "")
        if peer.is_trusted:
            scheme = request.META.get("HTTP_X_FORWARDED_PROTO", "").strip().lower()
            if scheme in ("http", "https"):
                request.environ["wsgi.url_scheme"] = scheme
        if "HTTP_COOKIE" in meta:
            _drop_odd_cookies(request)
        response = self._answer(request)
        response["X-Request-Id"] = request.request_id
        return response

    def _answer(self, request: KeyadminRequest) -> HttpResponse:
        if "keyadmin.refused" in request.META:
            return errors.answer(request, BadRequestError(request.META["keyadmin.refused"]))
        if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
            # Django reads as much as Content-Length says, so here nothing: better refused than half obeyed.
            return errors.answer(request, BadRequestError("Send the body with a Content-Length, not in chunks."))
        if request.META.get("CONTENT_LENGTH"):
            try:
                # All of the body before anybody looks at the credential: else a request could be held half sent until
                # after its key was revoked, and act then.
                _ = request.body
            except (RequestDataTooBig, UnreadablePostError) as error:
                return errors.failed(request, error)
        head = request.method == "HEAD"
        if head and errors.for_program(request):
            request.method = "GET"  # RFC 9110 §9.3.2: the same answer; the server leaves the content out
        response = errors.translated(request, self.get_response(request))
        if head:
            request.method = "HEAD"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What a view raised that has an answer of its own."""
        known = isinstance(exception, ProblemError | DatabaseError | InterfaceError)
        return errors.failed(request, exception) if known else None


def _drop_odd_cookies(request: KeyadminRequest) -> None:
    # A quoted cookie can carry control characters, which no cookie of ours has and PostgreSQL can't compare.
    request.COOKIES = {name: value for name, value in request.COOKIES.items() if value.isprintable()}


class AddressMiddleware:
    """A complete API key does not stay in the address of a page, nor does a query longer than any that we make.

    The page is opened without it: what stands in an address is kept by browsers and written down on the way.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or errors.for_program(request):
            return self.get_response(request)
        whole_key = tokens.looks_like_key(request.get_full_path())
        if not whole_key and len(request.META.get("QUERY_STRING", "")) <= LONGEST_QUERY:
            return self.get_response(request)
        if whole_key and request.user.is_authenticated:
            messages.error(request, KEY_IN_ADDRESS)
        return go_to(request, "/" if tokens.looks_like_key(request.path) else request.path)


class WrongMethodMiddleware:
    """Where a page is asked in a way that it does not take, a person gets a page that leads on, not an empty one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return errors.explained(request, self.get_response(request))


class PageMiddleware(GZipMiddleware):
    """What all pages share: nothing of a signed-in person is stored, page and partial are told apart, gzip.

    A page that shows a secret says `no-transform` (`web.htmx.secret`) and is never compressed: the length of a
    compressed page gives away what stands in it beside text that others chose (BREACH). CSRF tokens are masked anew
    in each page and may be compressed. Answers to programs are left alone, as they may hold a new key.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.get("Content-Type", "").startswith("text/html"):
            return response
        patch_vary_headers(response, ["HX-Request"])
        actor = getattr(request, "actor", None)
        if actor is not None and actor.kind is ActorKind.PERSON and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        if "no-transform" in response.get("Cache-Control", ""):
            return response
        return super().process_response(request, response)

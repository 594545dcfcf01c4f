"""Errors as answers: `application/problem+json` (RFC 9457) for programs, a page for people."""

import logging
import sys

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, DataError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, RawPostDataException, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.urls import is_valid_path

from keyadmin.instance.services import can_count
from keyadmin.kernel.actor import ANONYMOUS, Actor, ActorKind
from keyadmin.kernel.errors import ProblemError, UnavailableError
from keyadmin.kernel.text import one_line
from keyadmin.web import refusals

log = logging.getLogger("keyadmin")

PROGRAMS, DASHBOARD = ("/api/", "/crm/"), "/o/"
PROBLEM_TYPE = "application/problem+json"
# Of the database, such as that it is full or away. They come with many requests, and where in the code says nothing.
CONDITIONS = (OperationalError, InternalError, InterfaceError)
RETRY_AFTER_SECONDS = {429: "60", 503: "2"}
TOO_MANY = "There were too many attempts from your address. Wait a minute, then try again."


def for_program(request: HttpRequest) -> bool:
    """Whether the answer is read by a program rather than a person: no browser sends a key by itself."""
    by_key = "HTTP_X_API_KEY" in request.META or "json" in request.headers.get("Accept", "")
    return by_key or request.path.startswith(PROGRAMS)


def body_of(error: ProblemError, request_id: str) -> dict[str, object]:
    """The problem details of an error (RFC 9457), as programs get them and the docs show them."""
    kind = error.kind
    body: dict[str, object] = {
        "type": f"{settings.ENV.public_url}/docs/errors/{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "code": kind.code,
        "request_id": request_id,
        **error.extra,
    }
    if error.errors:
        body["errors"] = error.errors
    return body


def answer(request: HttpRequest, error: ProblemError) -> HttpResponse:
    """The answer to a request that failed, in the form that its sender reads."""
    refusals.note_problem(error)
    kind = error.kind
    body = body_of(error, getattr(request, "request_id", ""))
    response: HttpResponse
    if for_program(request):
        response = JsonResponse(body, status=kind.status, content_type=PROBLEM_TYPE)
    else:
        response = render(request, "app_error.html" if _in_frame(request, kind.status) else "error.html", body)
        response.status_code = kind.status
    response["Cache-Control"] = "no-store"
    if kind.status == 401:
        response["WWW-Authenticate"] = challenge(request.headers.get("Authorization", ""))
    if kind.status in RETRY_AFTER_SECONDS:
        response["Retry-After"] = RETRY_AFTER_SECONDS[kind.status]
    for name, value in error.headers.items():
        response[name] = value
    return response


def _in_frame(request: HttpRequest, status: int) -> bool:
    """Whether the dashboard stands around the error. Not while the database is what failed: the frame asks it."""
    actor: Actor = getattr(request, "actor", ANONYMOUS)
    return actor.kind is ActorKind.PERSON and request.path.startswith(DASHBOARD) and status != 503


def challenge(authorization: str) -> str:
    """The challenges of RFC 9110 §11.6.1; `error` only when a token was sent (RFC 6750 §3.1)."""
    scheme = authorization.strip().partition(" ")[0].lower()
    error = ', error="invalid_token"' if scheme == "bearer" else ""
    return f'ApiKey realm="keyadmin", Bearer realm="keyadmin"{error}'


def problem_of(error: BaseException | None) -> ProblemError:
    """The public side of any exception; what nobody foresaw is an internal error."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, DataError):
        return ProblemError("The request holds a value that can't be stored.", code="bad_request")
    if isinstance(error, DatabaseError | InterfaceError):
        return ProblemError(code="unavailable")
    if isinstance(error, RequestDataTooBig):
        return ProblemError(code="payload_too_large")
    if isinstance(error, UnreadablePostError):
        return ProblemError("The body of the request ended early.", code="bad_request")
    if isinstance(error, BadRequest | SuspiciousOperation | MultiPartParserError | RawPostDataException):
        return ProblemError("The request can't be read.", code="bad_request")
    return ProblemError(code="internal_error")


def failed(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    """The answer to an exception. What the server is to blame for is logged with its request id, never a path."""
    problem = problem_of(error)
    if problem.kind.status >= 500:
        request_id = getattr(request, "request_id", "-")
        match = request.resolver_match
        what = f"{request.method} {match.route if match else '-'} failed, {request_id}"
        cause = error.__cause__ if isinstance(error, ProblemError) and error.__cause__ is not None else error
        if isinstance(cause, (*CONDITIONS, UnavailableError)):
            log.error("%s: %s: %s", what, type(cause).__name__, one_line(str(cause)))
        else:
            log.error("%s", what, exc_info=error)
    return answer(request, problem)


def translated(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Django's own bare answers (405 among them) to programs, in the form that all others have."""
    if response.status_code != 405 or not for_program(request):
        return response
    allowed = {method.strip() for method in response.get("Allow", "").split(",")}
    better = answer(request, ProblemError(code="method_not_allowed"))
    better["Allow"] = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
    return better


def explained(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The same to people: a page instead of an empty one, with a link to the page that the address belongs to."""
    if response.status_code != 405 or for_program(request):
        return response
    request.belongs_to = _page_above(request.path)  # type: ignore[attr-defined]
    better = answer(request, ProblemError(code="method_not_allowed"))
    better["Allow"] = response["Allow"]
    return better


def _page_above(path: str) -> str:
    """The nearest address above that one which is a page: `/o/acme/keys/1/` of `/o/acme/keys/1/pause/`."""
    above = path.rstrip("/")
    while above := above.rpartition("/")[0]:
        if is_valid_path(f"{above}/"):
            return f"{above}/"
    return "/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return failed(request, exception)
    return answer(
        request, ProblemError("The host name or a header of the request is not accepted.", code="bad_request")
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, ProblemError(code="not_found"))


def server_error(request: HttpRequest) -> HttpResponse:
    return failed(request, sys.exc_info()[1])


def too_many(request: HttpRequest) -> HttpResponse:
    """The answer to what allauth counts for each address: sign-ins, resets, passkeys."""
    return answer(request, ProblemError(TOO_MANY, code="rate_limited") if can_count() else UnavailableError())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(request, ProblemError(code="csrf_failed"))

"""Django middleware: X-API-KEY in, `request.actor` out. It refuses nothing by itself; views demand."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts import identity, queries
from keyadmin.kernel.actor import ANONYMOUS, Actor, ActorKind
from keyadmin.kernel.errors import BadRequestError, NotFoundError, ProblemError, RefusedError
from keyadmin.kernel.text import clean_line
from keyadmin.verify.decide import Ask
from keyadmin.verify.services import actor_of, presented, refusal_of, verify
from keyadmin.web.auth import KeyadminRequest
from keyadmin.web.errors import for_program

REASON_LENGTH = 200


class ApiKeyMiddleware:
    """Sets `request.actor` and, where a credential was sent that does not count, `request.refusal`.

    A key beside a browser session: the key counts, also when it is refused. A key in the query string, a cookie or
    a basic-auth password is no credential at all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: KeyadminRequest) -> HttpResponse:
        request.actor, request.refusal, request.rate_headers = ANONYMOUS, None, {}
        try:
            request.actor = authenticated(request)
        except ProblemError as refusal:
            request.refusal = refusal
        response = self.get_response(request)
        for name, value in request.rate_headers.items():
            response[name] = value
        return response


def authenticated(request: KeyadminRequest) -> Actor:
    """The actor of a request. Raises ProblemError for a credential or an organisation that does not count."""
    key = request.META.get("HTTP_X_API_KEY", "").strip()
    key = presented(key, request.META.get("HTTP_AUTHORIZATION", ""))
    reason = _reason(request)
    meant = _organization_meant(request)
    if key:
        ask = Ask(request.client_address, organization_id=meant)
        verdict = verify(key, ask, request.META.get("HTTP_X_SITE_KEY", "").strip())
        if verdict.facts is None:
            raise refusal_of(verdict.decision)
        actor = actor_of(verdict.facts, ask, request_id=request.request_id, reason=reason)
        if not verdict.decision.allowed:
            raise refusal_of(verdict.decision, actor.subject, verdict.count)
        if verdict.count is not None:
            request.rate_headers = verdict.count.headers
        return actor
    actor = identity.from_session(request, address=request.client_address, request_id=request.request_id, reason=reason)
    if actor.kind is ActorKind.PERSON and meant is not None and not actor.reaches(meant):
        raise NotFoundError("There is no such organisation.")
    if actor.kind is ActorKind.PERSON and for_program(request):
        demanding = queries.demanding_organization(actor)
        if demanding is not None:  # pages are the business of OrganizationMiddleware
            text = f"{demanding.name} demands a second factor: set one up."
            raise RefusedError(text, code="second_factor_required", subject=actor.subject)
    return actor.meaning(meant)


def _organization_meant(request: HttpRequest) -> int | None:
    """The organisation that header or query name (oid or slug); -1 for one that does not exist, None for none."""
    if "HTTP_X_ORGANIZATION" not in request.META and not request.META.get("QUERY_STRING"):
        return None
    named = {
        text.strip().lower()
        for text in (request.META.get("HTTP_X_ORGANIZATION", ""), request.GET.get("organization", ""))
        if text.strip()
    }
    if not named:
        return None
    if len(named) > 1:
        raise BadRequestError("X-Organization and ?organization= name different organisations.")
    return queries.organization_id_meant(named.pop())


def _reason(request: HttpRequest) -> str:
    """X-Reason, which the log keeps; header bytes are read as UTF-8."""
    raw = request.META.get("HTTP_X_REASON", "")
    if not raw:
        return ""
    try:
        text = raw.encode("latin-1").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        text = raw
    return clean_line("X-Reason", text, longest=REASON_LENGTH, required=False)

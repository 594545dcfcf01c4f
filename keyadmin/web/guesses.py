"""How often one may be wrong about a password or a code before the next try is not looked at: it gets 429."""

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from allauth.core.internal.ratelimit import RateLimitUsage, clear, consume, get_ip
from django.http import HttpRequest, HttpResponse

from keyadmin.instance.services import can_count
from keyadmin.kernel.errors import ProblemError, UnavailableError
from keyadmin.web import errors

APP, MARK = "allauth.account", "keyadmin.too_many_guesses"
WAIT_SECONDS = 300
TOO_MANY = "Too many attempts. Try again in 5 minutes."


def begin(request: HttpRequest, account: str, *, familiar: Callable[[], bool]) -> RateLimitUsage:
    """Count a try about an account before it is looked at. A right one is no guess: `rollback` what this returns.

    ACCOUNT_RATE_LIMITS holds the three limits: `guess` for an account from one address (of IPv6 the first 64 bits),
    `guess_address` for an address over all accounts, `guess_account` for an account from everywhere. The last one
    does not hold for an address that is `familiar`: else anybody could lock out the owner, from wherever they are.
    Raises ValidationError, the same whether there is such an account or not; UnavailableError while nothing can be
    counted.
    """
    used = []
    for action, key in (("guess", _here(request, account)), ("guess_address", ""), ("guess_account", account)):
        counted = consume(request, app=APP, action=action, key=key)
        if counted is not None:
            used += counted.usage
        elif action != "guess_account" or not familiar():
            if not can_count():
                raise UnavailableError
            request.META[MARK] = True
            raise get_adapter(request).validation_error("too_many_login_attempts")
    return RateLimitUsage(used)


def forget(request: HttpRequest, account: str) -> None:
    """Count anew for an account, here and everywhere: its owner has shown who they are by other means."""
    for action, key in (("guess", _here(request, account)), ("guess_account", account)):
        clear(request, app=APP, action=action, key=key)


class GuessesMiddleware:
    """A page that refused a guess unseen is a 429, with all that was typed but secrets; programs get a problem."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if MARK not in request.META:
            return response
        if errors.for_program(request):
            response = errors.answer(request, ProblemError(TOO_MANY, code="rate_limited"))
        response.status_code = 429
        response["Retry-After"] = str(WAIT_SECONDS)
        return response


def _here(request: HttpRequest, account: str) -> str:
    return f"{account} {get_ip(request)}"

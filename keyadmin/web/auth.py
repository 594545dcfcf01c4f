"""Who acts, for views: reads what the middleware found, and demands an identity or a permission."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import parse_header_parameters
from ninja.security import APIKeyHeader
from ninja.utils import check_csrf

from accounts.access import require_somewhere
from keyadmin.kernel.actor import Actor, ActorKind
from keyadmin.kernel.errors import ProblemError
from keyadmin.web.htmx import go_to, page_address

P = ParamSpec("P")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class KeyadminRequest(WSGIRequest):
    """What the middleware adds to a request. `refusal` says why a credential that was sent does not count.

    `rate_headers` are for every answer to a key that has a limit.
    """

    actor: Actor
    refusal: ProblemError | None
    rate_headers: Mapping[str, str]
    request_id: str
    client_address: str

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """As Django's, but queries and bodies are UTF-8, whatever charset is named: "hex" would crash the reading."""
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Handler(WSGIHandler):
    """Django's handler with requests of ours."""

    request_class = KeyadminRequest


def actor_of(request: HttpRequest) -> Actor:
    """The authenticated actor. Raises ProblemError: the refusal of what was sent, `missing_key`, `csrf_failed`."""
    asked = cast(KeyadminRequest, request)
    if asked.refusal is not None:
        raise asked.refusal
    if not asked.actor.authenticated:
        raise ProblemError(code="missing_key")
    by_session = asked.actor.kind is ActorKind.PERSON
    if by_session and request.method not in SAFE_METHODS and check_csrf(request) is not None:
        raise ProblemError(code="csrf_failed")
    return asked.actor


class Credential(APIKeyHeader):
    """For ninja: demands an identity, and a permission where one is named. The OpenAPI scheme is X-API-KEY."""

    param_name = "X-API-KEY"

    def __init__(self, permission: str = "") -> None:
        super().__init__()
        self.permission = permission

    def __call__(self, request: HttpRequest) -> Actor:
        actor = actor_of(request)
        if self.permission:
            require_somewhere(actor, self.permission)
        return actor

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor:
        """Not reached: the middleware has looked at the key already."""
        return actor_of(request)


def requires(
    permission: str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]], Callable[Concatenate[HttpRequest, P], HttpResponse]
]:
    """Decorator for any Django view behind the middleware: the caller must hold the permission."""

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @functools.wraps(view)
        def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            require_somewhere(actor_of(request), permission)
            return view(request, *args, **kwargs)

        return checked

    return decorate


def signed_in(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Decorator for pages: people only; everybody else is sent to sign in, and after that back to this page."""

    @functools.wraps(view)
    def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if cast(KeyadminRequest, request).actor.kind is not ActorKind.PERSON:
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    return checked


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """The way to the sign-in page, and from there back to this one."""
    return go_to(request, f"{reverse('account_login')}{_back(request)}")


def _back(request: HttpRequest) -> str:
    """Where to go on: the page that is open in the browser; nothing for the start page."""
    address = page_address(request)
    return f"?{urlencode({'next': address})}" if address != "/" else ""

"""At the edge of the server: what became of a request is recorded, where no transaction takes that back."""

import time
from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse

from keyadmin.kernel.actor import ANONYMOUS, ActorKind
from keyadmin.kernel.errors import UnavailableError
from keyadmin.usage import services
from keyadmin.web import edge, refusals
from keyadmin.web.auth import KeyadminRequest
from keyadmin.web.logs import masked
from keyadmin.web.refusals import Refusal

# What Django and allauth answer by themselves.
BARE = {403: Refusal("forbidden"), 429: Refusal("rate_limited")}
ALLOWED, UNKNOWN = Refusal("allowed"), Refusal("unavailable")


class AccessMiddleware:
    """Records each request that a key was accepted for, and each that was refused, once.

    What people do on pages is not recorded here: changes are in the activity log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        with refusals.noting() as noted:
            response = self.get_response(request)
        asked = cast(KeyadminRequest, request)
        outcome = noted.refusal or BARE.get(response.status_code) or _of_key(asked)
        if outcome is not None:
            _record(asked, outcome)
            if outcome.code == edge.UNPROVED:
                edge.wait_evenly(began)
        return response


def _of_key(request: KeyadminRequest) -> Refusal | None:
    """What became of a request that nothing refused, if it came with a key."""
    if isinstance(getattr(request, "refusal", None), UnavailableError):
        return UNKNOWN
    return ALLOWED if getattr(request, "actor", ANONYMOUS).kind is ActorKind.KEY else None


def _record(request: KeyadminRequest, outcome: Refusal) -> None:
    services.record(
        services.access(
            outcome=outcome.code,
            reason=outcome.reason,
            missing_permission=outcome.missing_permission,
            subject=outcome.subject or getattr(request, "actor", ANONYMOUS).subject,
            method=request.META["REQUEST_METHOD"],  # as it was sent: HEAD is treated as GET on the way
            path=masked(request.path),
            address=request.client_address,
            user_agent=request.headers.get("User-Agent", ""),
            request_id=request.request_id,
        )
    )

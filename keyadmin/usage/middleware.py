"""At the edge of the server: a request that was refused is recorded, where no transaction takes that back."""

import logging
from collections.abc import Callable
from typing import cast

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from keyadmin.kernel.actor import ANONYMOUS
from keyadmin.usage import services
from keyadmin.web import refusals
from keyadmin.web.auth import KeyadminRequest
from keyadmin.web.logs import masked
from keyadmin.web.refusals import Refusal

log = logging.getLogger("keyadmin")

# What Django and allauth answer by themselves.
BARE = {403: Refusal("forbidden"), 429: Refusal("rate_limited")}


class AccessMiddleware:
    """Records each refused request once. The answer is the same when that fails."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with refusals.noting() as noted:
            response = self.get_response(request)
        refusal = noted.refusal or BARE.get(response.status_code)
        if refusal is not None:
            _record(cast(KeyadminRequest, request), refusal)
        return response


def _record(request: KeyadminRequest, refusal: Refusal) -> None:
    try:
        services.record(
            outcome=refusal.code,
            reason=refusal.reason,
            missing_permission=refusal.missing_permission,
            subject=refusal.subject or getattr(request, "actor", ANONYMOUS).subject,
            method=request.META["REQUEST_METHOD"],  # as it was sent: HEAD is treated as GET on the way
            path=masked(request.path),
            address=request.client_address,
            user_agent=request.headers.get("User-Agent", ""),
            request_id=request.request_id,
        )
    except (DatabaseError, InterfaceError) as error:  # full, locked or gone; nothing of the request may stand in a log
        log.error("An access record could not be written: %s", type(error).__name__)

"""What stands."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from keyadmin.keys import queries as keys
from keyadmin.sitekey import queries
from keyadmin.sitekey.queries import DAYS, VARIABLE
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.navigation import Crumb
from keyadmin.web.rest import base_address

TITLE = "Site key"


@require_safe
@signed_in
def site_key(request: HttpRequest) -> HttpResponse:
    """The site key, the one that retires, and whether it is demanded."""
    actor = actor_of(request)
    context = {
        "state": queries.state(actor),
        "used": keys.number_used(actor.meaning(None), DAYS),
        "variable": VARIABLE,
        "try_url": f"{base_address(request)}/api/v1/whoami",
        "crumbs": [Crumb(TITLE)],
    }
    return render(request, "sitekey/page.html", context)

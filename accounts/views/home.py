from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import queries
from keyadmin.web.auth import actor_of, signed_in

SHOWN = 200


@never_cache
@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Where a signed-in person lands: in their organisation, or at the choice between several."""
    actor = actor_of(request)
    known = list(queries.known_organizations(actor)[:SHOWN])
    reached = [one for one in known if actor.reaches(one.pk)]
    if len(reached) == 1:
        return redirect("overview", reached[0].slug)
    return render(request, "accounts/home.html", {"organizations": known, "all_suspended": not reached})

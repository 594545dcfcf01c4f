from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import queries
from keyadmin.web.auth import actor_of, signed_in


@never_cache
@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Where a signed-in person lands: in their first organisation, if there is one."""
    first = queries.visible_organizations(actor_of(request)).first()
    if first is not None:
        return redirect("overview", first.slug)
    return render(request, "accounts/home.html", {"organizations": []})

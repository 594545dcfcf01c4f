from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import queries
from keyadmin.web.auth import actor_of, signed_in


@never_cache
@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Where a signed-in person lands."""
    organizations = queries.visible_organizations(actor_of(request))[:50]
    return render(request, "accounts/home.html", {"organizations": organizations})

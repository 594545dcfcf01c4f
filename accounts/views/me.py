"""The pages of a person about themself: profile, security, sessions."""

from typing import cast

from allauth.mfa.base.views import IndexView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import queries
from accounts.forms.me import ProfileForm
from accounts.models import User
from accounts.services import sessions
from accounts.services.people import edit_own_profile
from keyadmin.kernel.errors import InvalidError
from keyadmin.web.auth import actor_of, signed_in
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE
from keyadmin.web.navigation import Crumb
from keyadmin.web.session import DEMANDING, prolong, seconds_left


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """Name, address and ids."""
    actor, user = actor_of(request), cast(User, request.user)
    form = ProfileForm(request.POST if request.method == "POST" else None, initial={"name": user.name})
    if form.is_valid():
        try:
            edit_own_profile(actor=actor, name=form.cleaned_data["name"])
        except InvalidError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Your profile was saved.")
            return redirect("me")
    context = {"form": form, "crumbs": [Crumb("Profile")]}
    return render(request, "me/profile.html", context, status=UNPROCESSABLE if form.errors else 200)


@method_decorator([never_cache, signed_in], name="dispatch")
class Security(IndexView):
    """Password, second factors, sessions; and which organisation demands a second factor while there is none.

    `go_on_to`: the one that had sent the person here, once they have one.
    """

    http_method_names = ("get", "head")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        here = self.request.session.session_key
        rows = [(row, row.session_key == here) for row in sessions.sessions_of(cast(User, self.request.user))]
        actor, came_from = actor_of(self.request), self.request.session.get(DEMANDING)
        demanding = queries.demanding_organization(actor)
        go_on_to = queries.visible_organizations(actor).filter(pk=came_from).first() if came_from else None
        return {
            **super().get_context_data(**kwargs),
            "crumbs": [Crumb("Security")],
            "sessions": sorted(rows, key=lambda pair: not pair[1]),
            "demanding": demanding,
            "go_on_to": None if demanding else go_on_to,
        }


@never_cache
@require_http_methods(["GET", "POST"])
@signed_in
def session(request: HttpRequest) -> HttpResponse:
    """How many seconds the session has left; a POST prolongs it."""
    if request.method == "POST":
        prolong(request.session)
    return JsonResponse({"left": seconds_left(request.session)})


@require_POST
@signed_in
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign out one browser."""
    sessions.end(actor=actor_of(request), user=cast(User, request.user), session_id=pk)
    messages.success(request, "The session was ended.")
    return redirect("mfa_index")


@require_POST
@signed_in
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    here = request.session.session_key or ""
    count = sessions.end_others(actor=actor_of(request), user=cast(User, request.user), session_key=here)
    messages.success(request, f"Signed out elsewhere: {count}." if count else "You are signed in nowhere else.")
    return redirect("mfa_index")

from typing import cast

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import queries
from accounts.forms.invitations import AcceptForm
from accounts.models import Invitation, User
from accounts.services import invitations
from accounts.services.people import hashed_password
from accounts.signin import enter
from keyadmin.kernel.actor import ActorKind
from keyadmin.kernel.errors import ProblemError
from keyadmin.web import errors
from keyadmin.web.auth import KeyadminRequest
from keyadmin.web.forms import add_errors
from keyadmin.web.htmx import UNPROCESSABLE


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def accept_invitation(request: KeyadminRequest, token: str) -> HttpResponse:
    """The page behind the link: one button for who is signed in, name and password for who is new."""
    try:
        response = _answer(request, token, invitations.opened(token))
    except ProblemError as error:
        response = errors.answer(request, error)
    response["Referrer-Policy"] = "strict-origin"  # as on the set-up page
    return response


def _answer(request: KeyadminRequest, token: str, invitation: Invitation) -> HttpResponse:
    origin = {"address": request.client_address, "request_id": request.request_id}
    context: dict[str, object] = {"invitation": invitation, "token": token}
    if request.actor.kind is ActorKind.PERSON:
        user = cast(User, request.user)
        if user.email == invitation.email and request.method == "POST":
            invitations.accept_as(user=user, token=token, **origin)
            return redirect("overview", invitation.organization.slug)
        return render(request, "invitations/join.html", {**context, "fits": user.email == invitation.email})
    if queries.has_account(invitation.email):
        return render(request, "invitations/sign_in.html", context)
    form = AcceptForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        name, password = form.cleaned_data["name"], form.cleaned_data["password"]
        try:
            encoded = hashed_password(password, name=name, email=invitation.email)
            user, _ = invitations.accept_as_new(token=token, name=name, encoded_password=encoded, **origin)
        except ProblemError as error:
            add_errors(form, error)
        else:
            enter(request, user)
            return redirect("overview", invitation.organization.slug)
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "invitations/new.html", {**context, "form": form}, status=status)

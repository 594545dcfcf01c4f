from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import queries
from accounts.forms.setup import SetUpForm
from accounts.services.setup import set_up
from accounts.signin import enter
from keyadmin.instance import services as instance
from keyadmin.kernel.actor import operator
from keyadmin.kernel.errors import ConflictError, InvalidError, NotFoundError, ProblemError
from keyadmin.web import errors
from keyadmin.web.auth import KeyadminRequest

USED = "Keyadmin has been set up, and its set-up links have stopped working."
WRONG = (
    "This set-up link is not complete, or a newer one has taken its place. "
    "Open the link that was printed last; keyadmin prints a new one each time it starts."
)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def set_up_page(request: KeyadminRequest, token: str) -> HttpResponse:
    """The page behind the one-time link: makes the first administrator and signs them in."""
    try:
        response = _answer(request, token)
    except ProblemError as error:
        response = errors.answer(request, error)
    # The token is in the path, so no path may travel. Not "no-referrer": with that, browsers send the form with
    # `Origin: null` (Fetch standard, "append a request Origin header"), which the CSRF check refuses.
    response["Referrer-Policy"] = "strict-origin"
    return response


def _answer(request: KeyadminRequest, token: str) -> HttpResponse:
    if queries.administrator_exists():
        raise ConflictError(USED, code="already_set_up")
    if not instance.setup_token_fits(token):
        raise NotFoundError(WRONG)
    form = SetUpForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        actor = operator(label="set-up link", address=request.client_address, request_id=request.request_id)
        try:
            user, _ = set_up(actor=actor, token=token, **form.cleaned_data)
        except InvalidError as error:
            for field, messages in error.errors.items():
                form.add_error(field if field in form.fields else None, messages)
        else:
            enter(request, user)
            return redirect("home")
    return render(request, "accounts/setup.html", {"form": form}, status=422 if form.errors else 200)

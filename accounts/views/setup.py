from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import queries
from accounts.forms.setup import SetUpForm
from accounts.services.setup import set_up
from keyadmin.instance import services as instance
from keyadmin.kernel.actor import operator
from keyadmin.kernel.errors import InvalidError, NotFoundError
from keyadmin.web.auth import KeyadminRequest

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def set_up_page(request: KeyadminRequest, token: str) -> HttpResponse:
    """The page behind the one-time link: makes the first administrator and signs them in."""
    if queries.administrator_exists():
        return redirect("account_login")
    if not instance.setup_token_fits(token):
        raise NotFoundError("This set-up link is not valid (any more). The newest one is printed when keyadmin starts.")
    form = SetUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor = operator(label="set-up link", address=request.client_address, request_id=request.request_id)
        try:
            user, _ = set_up(actor=actor, token=token, **form.cleaned_data)
        except InvalidError as error:
            for field, messages in error.errors.items():
                form.add_error(field if field in form.fields else None, messages)
        else:
            login(request, user, backend=BACKEND)
            return redirect("home")
    return page(request, form)


def page(request: HttpRequest, form: SetUpForm) -> HttpResponse:
    response = render(request, "accounts/setup.html", {"form": form}, status=422 if form.errors else 200)
    response["Referrer-Policy"] = "no-referrer"
    return response

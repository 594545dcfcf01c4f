"""Sign-in, second factors and passwords: allauth's views, with what they change recorded; the page of a mail's link."""

import functools
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from allauth.account import views as account
from allauth.account.forms import UserTokenForm
from allauth.account.internal.flows.password_reset import finalize_password_reset
from allauth.account.utils import get_next_redirect_url, passthrough_next_redirect_url
from allauth.core import ratelimit
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.base import views as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms.signin import NewPasswordForm
from accounts.models import User
from accounts.services import second_factor
from accounts.signin import AccountAdapter, acting, may_go_on, on_the_way
from keyadmin.kernel.errors import NotFoundError, ProblemError
from keyadmin.web import errors, words
from keyadmin.web.auth import KeyadminRequest, signed_in
from keyadmin.web.navigation import Crumb

WAYS = {"reauthenticate": "Password", "mfa_reauthenticate": "Code", "mfa_reauthenticate:webauthn": "Passkey"}
CONFIRMED = "You confirmed that it is you. This counts for 10 minutes."
NO_CODES = "Make new ones under Security."
BEGIN_AGAIN = "Your sign-in was stopped because your account has changed. Sign in again."
WRONG_LINK = "This link is not complete, has been used, or is older than two hours. Ask for a new one."


def recorded(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """A view of allauth: what its POST changes is recorded with it, or not done.

    Who has to confirm who they are comes back to an empty form: allauth would keep the POST, codes and all, in the
    session.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = on_the_way(request)

        def act() -> HttpResponse:
            return cast(HttpResponse, view(request, *args, **kwargs))

        try:
            if request.method != "POST" or user is None:
                return act()
            return second_factor.recorded(actor=acting(request, user), user=user, act=act)
        except ReauthenticationRequired:
            back = urlencode({"next": request.path if request.method == "GET" else reverse("mfa_index")})
            return redirect(f"{reverse('account_reauthenticate')}?{back}")

    return private(wrapped)


def private(view: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """A page that takes secrets: kept nowhere, and its fields stand in no report of an error."""
    return cast(Callable[..., HttpResponse], never_cache(sensitive_post_parameters()(view)))


def mine(
    view: Callable[..., Any], wrap: Callable[[Callable[..., Any]], Callable[..., HttpResponse]] = recorded
) -> Callable[..., HttpResponse]:
    """The same for a page about the person signed in.

    `wrap=private` where a password is looked at: that is slow, and what follows has a unit of its own.
    """
    return signed_in(wrap(view))


def shows_secret(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that shows a secret beside a form: kept nowhere and never compressed (see web.htmx.secret).

    Its referrer policy stays: a form on a page with "no-referrer" is sent with `Origin: null`, which CSRF refuses.
    """

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store, no-transform"
        return response

    return wrapped


class Activate(totp.ActivateTOTPView):
    """The code that turned the app on is used up."""

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        second_factor.take_step(user=cast(User, self.request.user), code=form.cleaned_data["code"])
        return response


class CountsCodes:
    """Whoever used a recovery code reads on the next page how many are left."""

    request: HttpRequest

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        used = getattr(form, "authenticator", None)
        if used is not None and used.type == Authenticator.Type.RECOVERY_CODES:
            used.refresh_from_db()  # the code was crossed out in another instance of it
            left = len(used.wrap().get_unused_codes())
            text = f"You used a recovery code: {words.counted(left, 'code')} left."
            messages.warning(self.request, text if left else f"{text} {NO_CODES}")
        return response


class SecondStep(CountsCodes, mfa.AuthenticateView):
    """The code or passkey after the password."""


class Ways:
    """The ways to confirm who one is, side by side: `ways` is label, address, whether it is this one."""

    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked: Any = super()
        found = AccountAdapter(self.request).get_reauthentication_methods(self.request.user)
        back = get_next_redirect_url(self.request)
        ways = [
            (
                WAYS[way["id"]],
                passthrough_next_redirect_url(self.request, way["url"], "next"),
                way["url"] == self.request.path,
            )
            for way in found
        ]
        return {**asked.get_context_data(**kwargs), "ways": ways, "back": back, "sso_name": sso_name()}

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, CONFIRMED)
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return response


class Confirm(Ways, account.ReauthenticateView):
    """By password."""


class ConfirmByCode(CountsCodes, Ways, mfa.ReauthenticateView):
    """By a code of the app, or a recovery code."""


class ConfirmByPasskey(Ways, passkeys.ReauthenticateWebAuthnView):
    """By a passkey; one that is refused leads back to this page."""

    def form_invalid(self, form: Any) -> HttpResponse:
        for text in form.errors.get("credential", []):
            messages.error(self.request, text)
        return redirect(self.request.get_full_path())


def sso_name() -> str:
    """What single sign-on is called here; empty where there is none."""
    return settings.ENV.oidc.name if settings.ENV.oidc else ""


def _about(title: str) -> dict[str, Any]:
    return {"extra_context": {"crumbs": [Crumb("Security", cast(str, reverse_lazy("mfa_index"))), Crumb(title)]}}


BACK = reverse_lazy("mfa_index")
login = account.LoginView.as_view(extra_context={"sso_name": sso_name})
login_by_passkey = recorded(passkeys.login_webauthn)
confirm = mine(Confirm.as_view(), private)
confirm_by_code = mine(ConfirmByCode.as_view())
confirm_by_passkey = mine(ConfirmByPasskey.as_view())
change_password = mine(account.PasswordChangeView.as_view(**_about("Change password")), private)
activate_app = shows_secret(mine(Activate.as_view(**_about("Authenticator app"))))
remove_app = mine(totp.DeactivateTOTPView.as_view(**_about("Remove authenticator app")))
recovery_codes = shows_secret(mine(codes.ViewRecoveryCodesView.as_view(**_about("Recovery codes"))))
new_recovery_codes = mine(codes.GenerateRecoveryCodesView.as_view(**_about("New recovery codes")))
add_passkey = mine(passkeys.AddWebAuthnView.as_view(**_about("Add a passkey")))
rename_passkey = mine(passkeys.EditWebAuthnView.as_view(success_url=BACK, **_about("Rename passkey")))
remove_passkey = mine(passkeys.RemoveWebAuthnView.as_view(success_url=BACK, **_about("Remove passkey")))


def second_step(request: HttpRequest) -> HttpResponse:
    """The code or passkey after the password; back to the password for who has none to give any more."""
    if not may_go_on(request):
        messages.warning(request, BEGIN_AGAIN)
        return redirect("account_login")
    return _second_step(request)


_second_step = recorded(SecondStep.as_view())


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def reset_password(request: KeyadminRequest, key: str) -> HttpResponse:
    """The page behind the link of a mail: a new password. allauth's own would keep the token in the session."""
    response: HttpResponse | None = ratelimit.consume_or_429(request, action="reset_password_from_key")
    if response is None:
        try:
            response = _new_password(request, key)
        except ProblemError as error:
            response = errors.answer(request, error)
    response["Referrer-Policy"] = "strict-origin"  # as on the set-up page
    return response


def _new_password(request: KeyadminRequest, key: str) -> HttpResponse:
    uid, _, token = key.partition("-")
    link = UserTokenForm({"uidb36": uid, "key": token})
    if not uid or not token or not link.is_valid() or not link.reset_user.is_active:
        raise NotFoundError(WRONG_LINK)
    form = NewPasswordForm(request.POST if request.method == "POST" else None, user=link.reset_user)
    if form.is_valid():
        AccountAdapter(request).set_password(link.reset_user, form.cleaned_data["password1"])
        finalize_password_reset(request, link.reset_user)
        return redirect("account_reset_password_from_key_done")
    context = {"form": form, "name": link.reset_user.name}
    return render(request, "account/reset.html", context, status=422 if form.errors else 200)

"""Single sign-on (OpenID Connect Core 1.0): who may come in by it. A face."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from keyadmin.web import refusals
from keyadmin.web.refusals import Refusal

NOBODY = "Nobody here has the e-mail address that you signed in with there. Ask an administrator to invite you."
FAILED = "Single sign-on did not work. Try again, or sign in with your password."


class Adapter(DefaultSocialAccountAdapter):
    """People that exist, found by an address that the provider has verified. Nobody is made."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Raises ImmediateHttpResponse for anybody else."""
        claims = sociallogin.account.extra_data
        token, user = claims.get("id_token", {}), claims.get("userinfo", {})
        # Core 5.3.2: what the userinfo endpoint says counts only for the person that the token is about.
        one_person = bool(token.get("sub")) and token["sub"] == user.get("sub", token["sub"])
        # `true`, and not the text "false" that some providers send.
        verified = (user or token).get("email_verified") is True
        if not one_person or not verified or not sociallogin.is_existing:
            raise ImmediateHttpResponse(refused(request, "sso_unknown_person", NOBODY))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def on_authentication_error(self, request: HttpRequest, provider: Any, **why: Any) -> None:
        raise ImmediateHttpResponse(failed(request))


class Provider(OpenIDConnectOAuth2Adapter):
    """Checks the signature of each ID token, also of one that came by TLS."""

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> SocialLogin:
        self.did_fetch_access_token = False
        return super().complete_login(request, app, token, **kwargs)


def failed(request: HttpRequest) -> HttpResponse:
    """The provider did not answer, or not as it has to."""
    return refused(request, "sso_failed", FAILED)


def refused(request: HttpRequest, code: str, text: str) -> HttpResponse:
    """Back to the sign-in page, which says why."""
    refusals.note(Refusal(code))
    messages.error(request, text)
    return redirect("account_login")

"""allauth's adapter: sign-in by e-mail and password, no sign-up, client addresses by our rule. A face."""

from typing import ClassVar, cast

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from keyadmin.web.auth import KeyadminRequest


class AccountAdapter(DefaultAccountAdapter):
    """Users are made by services only; throttles count the address that trusted proxies report."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail address or password is wrong.",
        "too_many_login_attempts": "Too many attempts. Try again in 5 minutes.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return cast(KeyadminRequest, request).client_address


def display_name(user: AbstractBaseUser) -> str:
    return str(user)

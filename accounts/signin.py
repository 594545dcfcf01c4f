"""allauth's adapter: sign-in by e-mail and password, no sign-up, client addresses by our rule. A face."""

from typing import Any, ClassVar, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from accounts import identity
from accounts.models import User
from accounts.services import sessions
from keyadmin.kernel.actor import Actor
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

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin a session, and say so in the log: without the event there is no sign-in."""
        begin = super().login
        sessions.sign_in(
            actor=_acting(request, user), user=user, user_agent=_agent(request), begin=lambda: begin(request, user)
        )

    def logout(self, request: HttpRequest) -> None:
        """End the session, and say so in the log."""
        end, user = super().logout, cast(User, request.user)
        sessions.sign_out(actor=_acting(request, user), user=user, user_agent=_agent(request), end=lambda: end(request))


class SignInForm(LoginForm):
    """allauth's form in our words; the server does the checking."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label = "E-mail address"
        login.widget.attrs["autocomplete"] = "username"
        login.error_messages["invalid"] = "Write the e-mail address in full, such as dana@example.org."
        password.help_text = ""
        for field in (login, password):
            field.widget.attrs.pop("placeholder", None)
            field.error_messages["required"] = f"{field.label} is missing."


def display_name(user: AbstractBaseUser) -> str:
    return str(user)


def _acting(request: HttpRequest, user: User) -> Actor:
    asked = cast(KeyadminRequest, request)
    return identity.person(user, address=asked.client_address, request_id=asked.request_id)


def _agent(request: HttpRequest) -> str:
    return request.headers.get("User-Agent", "")

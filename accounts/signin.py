"""allauth's adapters: no sign-up, client addresses by our rule, its writes through our services. A face."""

from typing import Any, ClassVar, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.stagekit import clear_login, unstash_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import RateLimitUsage
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import identity, mail, queries
from accounts.models import User
from accounts.services import sessions
from keyadmin.kernel import sealing
from keyadmin.kernel.actor import NOBODY, Actor, Subject
from keyadmin.web import guesses, refusals, session
from keyadmin.web.auth import KeyadminRequest
from keyadmin.web.identity import recently_confirmed
from keyadmin.web.refusals import Refusal

SEALED = "second factor"
BEGAN_WITH = "sign_in_began_with"  # in the session: a keyed hash of the password's hash, as Django keeps one
# Errors that mean a refusal, by the codes under which records keep them.
REFUSALS = {
    "email_password_mismatch": "wrong_password",
    "incorrect_password": "wrong_password",
    "enter_current_password": "wrong_password",
    "too_many_login_attempts": "rate_limited",
    "incorrect_code": "wrong_code",
    "incorrect_passkey": "wrong_passkey",
}


class AccountAdapter(DefaultAccountAdapter):
    """Users are made by services only; throttles count the address that trusted proxies report."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail address or password is wrong.",
        "too_many_login_attempts": guesses.TOO_MANY,
        "incorrect_password": "The password is wrong.",
        "enter_current_password": "The current password is wrong.",
    }

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        note_refusal(code, typed=True)
        return cast(ValidationError, super().validation_error(code, *args))

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        refusals.note(Refusal("person_disabled", subject=_subject(user)))
        return cast(HttpResponse, super().respond_user_inactive(request, user))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        # A socket without an address: all that come by it are counted together.
        return cast(KeyadminRequest, request).client_address or "0.0.0.0"  # noqa: S104

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not recently_confirmed(self.request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def pre_login(self, request: HttpRequest, user: User, **hints: Any) -> HttpResponse | None:
        """The password was right, or a passkey: the steps that follow hold as long as that does."""
        request.session[BEGAN_WITH] = user.get_session_auth_hash()
        return cast(HttpResponse | None, super().pre_login(request, user, **hints))

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin a session, and say so in the log: without the event there is no sign-in."""
        login = super().login
        user.refresh_from_db()
        if not user.is_active or request.session.pop(BEGAN_WITH, None) not in (None, user.get_session_auth_hash()):
            # Disabled, or the password was changed, since the first step of this sign-in.
            clear_login(request)
            raise ImmediateHttpResponse(redirect("account_login"))

        def begin() -> None:
            login(request, user)
            session.begin(request.session)

        sessions.sign_in(actor=acting(request, user), user=user, user_agent=agent(request), begin=begin)

    def logout(self, request: HttpRequest) -> None:
        """End the session, and say so in the log."""
        end, user = super().logout, cast(User, request.user)
        sessions.sign_out(actor=acting(request, user), user=user, user_agent=agent(request), end=lambda: end(request))

    def set_password(self, user: User, password: str) -> None:
        """For change and reset alike; the slow hash comes before the transaction."""
        by_link = self.request.user != user
        sessions.change_password(
            actor=acting(self.request, user), user=user, encoded_password=make_password(password), by_link=by_link
        )

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the try before the password is looked at. allauth takes it back when it was right.

        allauth's own limit (`login_failed`) counts for an account wherever the tries come from: five wrong passwords
        by anybody would lock its owner out.
        """
        self._login_failed_rl_usage = self.guess(request, str(credentials.get("email", "")))

    def guess(self, request: HttpRequest, email: str, *, what: str = "password") -> RateLimitUsage:
        """Count a try at the password, or the code, of whoever has this e-mail address. Raises ValidationError."""
        email = email.lower()
        return guesses.begin(
            request, f"{what} {email}", familiar=lambda: queries.has_signed_in_from(email, self.get_client_ip(request))
        )

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        guesses.forget(request, f"password {str(credentials['email']).lower()}")

    def is_safe_url(self, url: str) -> bool:
        """Whether `next` may lead there: to paths of ours alone."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Under the public address: the Host of a request is whatever its sender likes."""
        base = settings.ENV.public_url or f"{self.request.scheme}://{self.request.get_host()}"
        return base + reverse("account_reset_password_from_key", args=[key])

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """After the answer."""
        mail.post(self.render_mail(template_prefix, email, {"request": self.request, "email": email, **context}))


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets at rest are sealed under the master key."""

    error_messages: ClassVar[dict[str, str]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "The code is wrong, too old, or has been used. Wait for the next one.",
        "incorrect_passkey": "The passkey could not be used.",
    }

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        # allauth speaks of a code for both.
        by_passkey = code == "incorrect_code" and "credential" in context.request.POST
        code = "incorrect_passkey" if by_passkey else code
        note_refusal(code)
        return cast(ValidationError, super().validation_error(code, *args))

    def encrypt(self, text: str) -> str:
        return sealing.seal(settings.ENV.master.derive(SEALED), text, SEALED)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(settings.ENV.master.derive(SEALED), encrypted_text, SEALED)

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        return "Passkey"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": context.request.get_host().partition(":")[0], "name": "Keyadmin"}


def display_name(user: AbstractBaseUser) -> str:
    return str(user)


def acting(request: HttpRequest, user: User) -> Actor:
    """The person as the one who acts, also before their session has begun."""
    asked = cast(KeyadminRequest, request)
    return identity.person(user, address=asked.client_address, request_id=asked.request_id)


def agent(request: HttpRequest) -> str:
    """What the browser calls itself."""
    return request.headers.get("User-Agent", "")


def note_refusal(code: str, *, typed: bool = False) -> None:
    """Note that allauth refuses the request, and whose it is: who is known, else who has the address that was `typed`.

    What was typed is not kept: people type passwords into that field.
    """
    if code not in REFUSALS:
        return
    user = on_the_way(context.request)
    if user is None and typed:
        user = queries.person_with(context.request.POST.get("login", ""))
    refusals.note(Refusal(REFUSALS[code], subject=_subject(user)))


def on_the_way(request: HttpRequest) -> User | None:
    """The person signed in, or the one who is on the way to it."""
    if request.user.is_authenticated:
        return request.user
    login = unstash_login(request, peek=True)
    return None if login is None else login.user


def may_go_on(request: HttpRequest) -> bool:
    """Whether who is on the way to be signed in still can by a second factor; forgets the way of who can't any more.

    The person may have been disabled meanwhile, or their factors removed: allauth would send them in circles.
    """
    user = on_the_way(request)
    if user is None or request.user.is_authenticated or (user.is_active and queries.has_second_factor(user.pk)):
        return True
    clear_login(request)
    return False


def _subject(user: User | None) -> Subject:
    return NOBODY if user is None else Subject(user_id=user.pk, who=user.name)


def enter(request: HttpRequest, user: User) -> None:
    """Sign in somebody who has just chosen their password: by the set-up link or an invitation."""
    record_authentication(request, user, method="password")
    AccountAdapter(request).login(request, user)

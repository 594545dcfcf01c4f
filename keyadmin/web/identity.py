"""Dangerous acts ask who you are: in the same form, unless the person signed in or confirmed it a moment ago."""

import re
import time
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.mfa import app_settings as mfa
from allauth.mfa.base.forms import ReauthenticateForm
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.utils import get_form_class
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from keyadmin.kernel.actor import ActorKind
from keyadmin.kernel.errors import ProblemError
from keyadmin.web.auth import KeyadminRequest

FIELD = "identity"
CODE = re.compile(r"\s*[0-9]{3}\s?[0-9]{3}\s*", re.ASCII)
WHY, OTHERWISE = (
    "To confirm that it is you.",
    '{} <a href="{}?next={}" target="_blank">Confirm in another way</a> (new tab)',
)


def recently_confirmed(request: HttpRequest) -> bool:
    """Whether the person signed in, or confirmed that it is them, within the last 10 minutes in this session."""
    records = get_authentication_records(request, request.user)
    latest = max((record["at"] for record in records), default=0.0)
    return bool(time.time() - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


class IdentityField(forms.CharField):
    """The person's own password, or a code of their app; counted against guessing like a sign-in.

    A right one counts for 10 minutes. Who has neither at hand finds the other ways behind a link.
    """

    widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})

    def __init__(self, request: HttpRequest, *, asked: bool) -> None:
        self.request, self.asked, self.by_code = request, asked, has_app(request)
        others = get_adapter(request).get_reauthentication_methods(request.user)[1:]
        page = (reverse("account_reauthenticate"), reverse("mfa_index"))
        super().__init__(
            label="Your password, or a code from your app" if self.by_code else "Your password",
            help_text=format_html(OTHERWISE, WHY, *page) if others or settings.ENV.oidc else WHY,
            strip=False,
            max_length=1000,
            required=asked,
            error_messages={"required": "Your password is missing."},
        )

    def clean(self, value: Any) -> str:
        """Nothing: a password is kept nowhere. Raises ValidationError for a wrong one, or too many of them."""
        typed = super().clean(value)
        if self.asked and self.by_code and CODE.fullmatch(typed):  # too short for a password
            form = get_form_class(mfa.FORMS, "reauthenticate", ReauthenticateForm)(
                {"code": typed}, user=self.request.user
            )
            if not form.is_valid():
                raise forms.ValidationError(list(form.errors["code"]))
            post_authentication(self.request, form.authenticator, reauthenticated=True)
        elif self.asked:
            adapter = get_adapter(self.request)
            if not adapter.reauthenticate(self.request.user, typed):
                raise adapter.validation_error("incorrect_password")
            reauthenticate_by_password(self.request)
        return ""


def require_identity(request: HttpRequest) -> None:
    """For programs that act by a browser's session: raise ProblemError unless it is clear who acts. A key is."""
    if cast(KeyadminRequest, request).actor.kind is ActorKind.PERSON and not recently_confirmed(request):
        raise ProblemError(code="reauthentication_required")


def has_app(request: HttpRequest) -> bool:
    """Whether the person has an authenticator app."""
    return bool(is_mfa_enabled(request.user, [Authenticator.Type.TOTP]))


def ask_identity(form: forms.Form, request: HttpRequest, *, asked: bool = True) -> None:
    """Add the field to a form whose act is dangerous, unless it is clear who acts. Before `is_valid`.

    `asked=False`: the field is there for what may still be chosen, but this time it is not looked at.
    """
    if not recently_confirmed(request):
        form.fields[FIELD] = IdentityField(request, asked=asked)

"""Dangerous acts ask who you are: in the same form, unless the person signed in or confirmed it a moment ago."""

import time
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from django import forms
from django.conf import settings
from django.http import HttpRequest

FIELD = "identity"


def recently_confirmed(request: HttpRequest) -> bool:
    """Whether the person signed in, or confirmed that it is them, within the last 10 minutes in this session."""
    records = get_authentication_records(request, request.user)
    latest = max((record["at"] for record in records), default=0.0)
    return bool(time.time() - latest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


class IdentityField(forms.CharField):
    """The person's own password, counted against guessing like a sign-in; a right one counts for 10 minutes."""

    widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})

    def __init__(self, request: HttpRequest, *, asked: bool) -> None:
        super().__init__(
            label="Your password",
            help_text="To confirm that it is you.",
            strip=False,
            max_length=1000,
            required=asked,
            error_messages={"required": "Your password is missing."},
        )
        self.request, self.asked = request, asked

    def clean(self, value: Any) -> str:
        """Nothing: a password is kept nowhere. Raises ValidationError for a wrong one, or too many of them."""
        password = super().clean(value)
        if self.asked:
            adapter = get_adapter(self.request)
            if not adapter.reauthenticate(self.request.user, password):
                raise adapter.validation_error("incorrect_password")
            reauthenticate_by_password(self.request)
        return ""


def ask_identity(form: forms.Form, request: HttpRequest, *, asked: bool = True) -> None:
    """Add the field to a form whose act is dangerous, unless it is clear who acts. Before `is_valid`.

    `asked=False`: the field is there for what may still be chosen, but this time it is not looked at.
    """
    if not recently_confirmed(request):
        form.fields[FIELD] = IdentityField(request, asked=asked)

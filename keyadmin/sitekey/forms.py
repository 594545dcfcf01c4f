"""Shapes of what is asked about the site key; the rules are the services'."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from keyadmin.kernel import given
from keyadmin.sitekey.queries import State
from keyadmin.sitekey.services import DEFAULT_OVERLAP
from keyadmin.web.forms import KitForm, Option, options_of, reason_field

OVERLAPS = {
    "0": ("None", "It stops at once. For one that has leaked."),
    "3600": ("1 hour", ""),
    "86400": ("24 hours", ""),
    "604800": ("7 days", ""),
}
HINTS = {
    "generate": "Recommended. The site key is shown once, on the next page.",
    "given": "For an installation whose clients have one already and can't take another.",
}


class ReplaceForm(KitForm):
    """A site key that is made here, or one made elsewhere, which is never shown again."""

    holds_keys = frozenset({"site_key"})
    nonce = forms.CharField(max_length=64, widget=forms.HiddenInput)
    replaces = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    how = forms.ChoiceField(
        label="Site key",
        choices=[("generate", "Make one"), ("given", "Enter one made elsewhere")],
        initial="generate",
        widget=forms.RadioSelect,
    )
    site_key = forms.CharField(
        label="Site key made elsewhere",
        required=False,
        strip=False,
        help_text=f"At least {given.SHORTEST} characters: letters, digits and . _ ~ - only. One that is made of words "
        "or hardly random can be guessed. It is not shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    overlap = forms.ChoiceField(
        label="Overlap: how long the present one counts beside it",
        choices=[(value, label) for value, (label, _) in OVERLAPS.items()],
        initial=str(int(DEFAULT_OVERLAP.total_seconds())),
        widget=forms.RadioSelect,
    )
    reason = reason_field()

    def __init__(self, *args: Any, state: State, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if state.current is None:
            del self.fields["overlap"]

    def clean_site_key(self) -> str:
        typed: str = self.cleaned_data["site_key"]
        if self.cleaned_data.get("how") == "given" and not typed:
            raise ValidationError("Enter the site key.")
        return typed

    @property
    def secret(self) -> str | None:
        """What was entered; None: one is to be made."""
        return self.cleaned_data["site_key"] if self.cleaned_data["how"] == "given" else None

    @property
    def chosen_overlap(self) -> timedelta:
        """How long the present one goes on counting; there may be none."""
        return timedelta(seconds=int(self.cleaned_data.get("overlap", "0")))

    @property
    def how_options(self) -> list[Option]:
        return options_of(self["how"], HINTS)

    @property
    def overlap_options(self) -> list[Option]:
        return options_of(self["overlap"], {value: hint for value, (_, hint) in OVERLAPS.items()})


class ActForm(KitForm):
    """Before something else is done to the site key: why."""

    reason = reason_field()

from typing import Any

from django import forms

from keyadmin.web.forms import KitForm, TypedNameForm, reason_field


class ConfirmForm(TypedNameForm):
    """A last question: why, and, where much stops, the name of what it is about."""

    reason = reason_field()


class VersionedForm(KitForm):
    """A form about something that others edit too: it carries the version that was on the screen."""

    version = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)


def text(label: str, longest: int, hint: str = "", **attrs: str) -> forms.CharField:
    """A line of text; the service says whether it may be missing."""
    widget = forms.TextInput(attrs={"dir": "auto", "autocomplete": "off", **attrs})
    return forms.CharField(label=label, max_length=longest, help_text=hint, widget=widget)


def paragraph(label: str = "Description (optional)", hint: str = "") -> forms.CharField:
    """Optional text of several lines."""
    widget = forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    return forms.CharField(label=label, required=False, max_length=2000, help_text=hint, widget=widget)


class IdsField(forms.MultipleChoiceField):
    """Ids of things to tick. Whether each may be chosen is the service's to say, also of one that was not offered."""

    widget = forms.CheckboxSelectMultiple

    def valid_value(self, value: str) -> bool:
        return value.isascii() and value.isdigit() and len(value) < 19

    def clean(self, value: Any) -> list[int]:
        return [int(one) for one in super().clean(value)]

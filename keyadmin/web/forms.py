"""Forms as the kit shows them. crispy lays out single fields; the form tag and the buttons are the template's."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from keyadmin.kernel import tokens
from keyadmin.kernel.errors import ProblemError
from keyadmin.web import refusals


class KitForm(forms.Form):
    """A missing field is called by its name, so that the summary of errors says which; the server does the checking.

    Two forms on one page need an `auto_id` each, such as `auto_id="edit_%s"`.
    """

    use_required_attribute = False
    holds_keys: ClassVar[frozenset[str]] = frozenset()  # fields that are for secrets, and never shown again

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        default = forms.Field.default_error_messages["required"]
        for name, field in self.fields.items():
            if field.error_messages.get("required") == default:
                field.error_messages["required"] = f"{field.label or self[name].label} is missing."

    def full_clean(self) -> None:
        """As Django's; but a complete API key typed into a field is refused, and not shown again."""
        keys = [
            name for name in self.fields.keys() - self.holds_keys if any(map(tokens.looks_like_key, self._texts(name)))
        ]
        if keys and isinstance(self.data, QueryDict):
            kept = self.data.copy()
            for name in keys:
                kept.pop(self.add_prefix(name), None)
            self.data = kept
        super().full_clean()
        for name in keys:
            self.errors.pop(name, None)  # what is said of a missing value
            self.add_error(name, "That looks like a complete API key. It was not stored; it belongs nowhere here.")

    def _texts(self, name: str) -> list[str]:
        found = self.data.getlist(self.add_prefix(name)) if isinstance(self.data, QueryDict) else []
        return [text for text in found if isinstance(text, str)]


class Option(NamedTuple):
    """A box to tick or a radio button with a line beneath it; `blocked` says why this person can't choose it."""

    id: str
    value: str
    label: str
    chosen: bool
    hint: str = ""
    blocked: str = ""


def options_of(
    bound: forms.BoundField, hints: Mapping[str, str], blocked: Mapping[str, str] | None = None
) -> list[Option]:
    """What can be chosen in a field of choices, with the lines beneath by value."""
    value, found = bound.value(), []
    chosen = {str(one) for one in value} if isinstance(value, list | tuple) else {str(value or "")}
    for one in bound.subwidgets:
        worth = str(one.data["value"])
        why = (blocked or {}).get(worth, "")
        found.append(Option(one.id_for_label, worth, str(one.choice_label), worth in chosen, hints.get(worth, ""), why))
    return found


def reason_field(hint: str = "Kept in the activity log.") -> forms.CharField:
    """Why something is done, in a line."""
    return forms.CharField(label="Reason (optional)", max_length=200, required=False, help_text=hint)


class TypedNameForm(KitForm):
    """A last question before much stops: the name of what stops is typed, where `ask_name` says it."""

    name = forms.CharField(
        label="Name", max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, ask_name: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = ask_name
        if ask_name:
            self.fields["name"].label = f"Type {ask_name} to confirm"
        else:
            del self.fields["name"]

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if typed.split() != self.asked.split():
            raise ValidationError("The name does not match.")
        return typed


def add_errors(form: forms.Form, error: ProblemError, names: Mapping[str, str] | None = None) -> None:
    """Put what a service refused beside the fields; `names` maps the service's fields to the form's."""
    refusals.note_problem(error)
    for field, texts in error.errors.items():
        name = (names or {}).get(field, field)
        form.add_error(name if name in form.fields else None, texts)
    if not error.errors:
        form.add_error(None, error.detail)

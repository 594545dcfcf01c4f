"""Forms as the kit shows them. crispy lays out single fields; the form tag and the buttons are the template's."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
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


def add_errors(form: forms.Form, error: ProblemError, names: Mapping[str, str] | None = None) -> None:
    """Put what a service refused beside the fields; `names` maps the service's fields to the form's."""
    refusals.note_problem(error)
    for field, texts in error.errors.items():
        name = (names or {}).get(field, field)
        form.add_error(name if name in form.fields else None, texts)
    if not error.errors:
        form.add_error(None, error.detail)

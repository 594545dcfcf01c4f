"""The shape of a policy as people type it: rules in rows, or the same as JSON."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms.common import VersionedForm, paragraph, text
from accounts.services.catalogue import problems_of
from keyadmin.web.forms import reason_field

RULES, SOURCE = "rules", "source"
SHOWN_PROBLEMS = 5


class PolicyForm(VersionedForm):
    """`view` says which of the two is on the screen; only that one counts."""

    name = text("Name", 80, "What it allows, for example Billing, read only.")
    description = paragraph()
    patterns = forms.Field(label="Rules", required=False, widget=forms.MultipleHiddenInput)
    source = forms.CharField(
        label="Source",
        required=False,
        max_length=20000,
        help_text="A list of permissions: names, prefixes such as apikey.*, or * for everything.",
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "ka-source"}),
    )
    view = forms.ChoiceField(choices=[(RULES, RULES), (SOURCE, SOURCE)], initial=RULES, widget=forms.HiddenInput)
    reason = reason_field("Kept in the activity log and with the version.")

    @property
    def by_source(self) -> bool:
        return bool(self["view"].value() == SOURCE)

    @property
    def rows(self) -> list[str]:
        """The patterns as typed, one row each; one empty row where there is none."""
        return [str(one) for one in self["patterns"].value() or ()] or [""]

    def read(self) -> tuple[list[str] | None, list[str]]:
        """The patterns that mean something, and what is wrong with the others, by place; None for JSON that is none."""
        try:
            places = numbered_lines(str(self["source"].value() or "")) if self.by_source else numbered_rows(self.rows)
        except ValidationError as error:
            return None, error.messages
        wrong = problems_of([pattern for _, pattern in places])
        problems = [f"{place}: {wrong[pattern]}" for place, pattern in places if pattern in wrong]
        right = dict.fromkeys(pattern for _, pattern in places if pattern not in wrong)
        return list(right), problems[:SHOWN_PROBLEMS]

    def clean(self) -> dict[str, Any]:
        super().clean()
        field = "source" if self.by_source else "patterns"
        if field in self.cleaned_data:
            self.cleaned_data["wanted"], problems = self.read()
            for problem in problems:
                self.add_error(field, problem)
        return self.cleaned_data


def numbered_rows(rows: Iterable[str]) -> list[tuple[str, str]]:
    """The patterns of the rows that hold one, each with its place."""
    return [(f"Rule {number}", row.strip()) for number, row in enumerate(rows, start=1) if row.strip()]


def numbered_lines(source: str) -> list[tuple[str, str]]:
    """The patterns of a JSON list, each with the line that it stands in. Raises ValidationError naming the line."""
    try:
        found = json.loads(source or "[]")
    except json.JSONDecodeError as error:
        raise ValidationError(f"Line {error.lineno}: {error.msg.lower()}.") from None
    except RecursionError:
        raise ValidationError("Line 1: a list in a list in a list.") from None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValidationError('Line 1: write a list of texts, such as ["view_customer", "apikey.*"].')
    lines = source.splitlines()
    places, start = [], 0
    for pattern in found:
        wanted = json.dumps(pattern)
        start = next((at for at in range(start, len(lines)) if wanted in lines[at]), start)
        places.append((f"Line {start + 1}", pattern))
    return places


def source_of(patterns: Iterable[str]) -> str:
    """The patterns as JSON, one a line."""
    return json.dumps(list(patterns), indent=2, ensure_ascii=False)


def typed_patterns(form: PolicyForm) -> list[str]:
    """What stands in the form, right or wrong, in the view that is on the screen; nothing for JSON that is none."""
    if not form.by_source:
        return [row.strip() for row in form.rows if row.strip()]
    try:
        return [pattern for _, pattern in numbered_lines(str(form["source"].value() or ""))]
    except ValidationError:
        return []

"""Shapes of what people type about API users and members; the rules are the services'."""

from collections.abc import Iterable
from typing import Any

from django import forms

from accounts.forms.common import IdsField, VersionedForm, paragraph, text
from keyadmin.web.forms import KitForm, Option, options_of


class ChoosingForm(KitForm):
    """A form with things to choose; `hints` say of each what it gives."""

    choosing = ""

    def offer(self, name: str, choices: Iterable[tuple[str, str, str]]) -> None:
        """Fill a choice field: value, label, and the line beneath."""
        offered = list(choices)
        self.fields[name].choices = [(value, label) for value, label, _ in offered]  # type: ignore[attr-defined]
        self.choosing, self.hints = name, {value: hint for value, _, hint in offered}

    @property
    def chosen_field(self) -> Any:
        return self[self.choosing] if self.choosing else None

    @property
    def options(self) -> list[Option]:
        """All that can be chosen."""
        return options_of(self[self.choosing], self.hints) if self.choosing else []

    @property
    def plain_fields(self) -> list[Any]:
        """All other visible fields."""
        return [bound for bound in self.visible_fields() if bound.name != self.choosing]


class ApiUserForm(VersionedForm):
    name = text("Name", 150, "The system that will call, for example billing-sync.")
    description = paragraph(hint="What it is for, and who looks after it.")
    contact_email = forms.EmailField(
        label="Contact e-mail (optional)",
        required=False,
        max_length=254,
        help_text="Where notices about its keys go, besides to the organisation.",
        error_messages={"invalid": "Write the e-mail address in full, such as team@example.org."},
    )


class NewApiUserForm(ApiUserForm, ChoosingForm):
    groups = IdsField(label="Groups", required=False)


class GroupsForm(ChoosingForm):
    """Which groups to put somebody in."""

    groups = IdsField(label="Groups", error_messages={"required": "Choose a group."})


class ResourcesForm(ChoosingForm):
    """What somebody is to look at."""

    resources = forms.MultipleChoiceField(
        label="What it may look at",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one resource."},
    )

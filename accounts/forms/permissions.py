"""The shape of a permission of one's own; the rules are the services'."""

from django import forms

from accounts.forms.common import paragraph, text
from accounts.models.permissions import Action, Risk
from keyadmin.web.forms import KitForm


class PermissionForm(KitForm):
    name = text("Name", 100, "As applications ask for it: lower case, in parts with dots between, such as order.view.")
    label = text("Label", 150, "What it allows, in words: View orders.")
    resource = text("Resource", 80, "What it is about. Permissions of one resource stand together.")
    action = forms.ChoiceField(label="Action", choices=Action.choices, initial=Action.VIEW)
    risk = forms.ChoiceField(label="Risk", choices=Risk.choices, initial=Risk.MEDIUM)
    description = paragraph()
    tasks = forms.CharField(
        label="Needed for",
        required=False,
        max_length=20000,
        help_text="Tasks or endpoints, one a line, such as GET /orders.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def clean_tasks(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["tasks"].splitlines() if line.strip()]


class EditPermissionForm(PermissionForm):
    """Its name stays: policies and applications know it by that."""

    name = None  # type: ignore[assignment]

"""Shapes of what people type about groups; the rules are the services'."""

from collections.abc import Iterable

from django import forms

from accounts.forms.common import IdsField, VersionedForm, paragraph, text
from accounts.forms.users import ChoosingForm
from accounts.models import Membership
from keyadmin.web.forms import KitForm


class GroupForm(VersionedForm):
    name = text("Name", 80, "What its members have in common, for example Billing.")
    description = paragraph()


class NewGroupForm(GroupForm, ChoosingForm):
    policies = IdsField(label="Policies", required=False)


class PoliciesForm(ChoosingForm):
    """Which policies to give to a group."""

    policies = IdsField(label="Policies", error_messages={"required": "Choose a policy."})


class MembersForm(KitForm):
    """Whom to put in a group, of those that a search found."""

    users = forms.MultipleChoiceField(label="Users", error_messages={"required": "Choose somebody."})

    def offer(self, rows: Iterable[Membership]) -> None:
        self.fields["users"].choices = [(str(row.user_id), row.user.name) for row in rows]  # type: ignore[attr-defined]

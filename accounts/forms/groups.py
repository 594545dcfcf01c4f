"""Shapes of what people type about groups; the rules are the services'."""

from collections.abc import Iterable

from django import forms

from accounts.forms.common import VersionedForm, paragraph, text
from accounts.forms.users import ChoosingForm
from accounts.models import Membership, Policy
from keyadmin.web.forms import KitForm


class GroupForm(VersionedForm):
    name = text("Name", 80, "What its members have in common, for example Billing.")
    description = paragraph()


class NewGroupForm(GroupForm, ChoosingForm):
    policies = forms.MultipleChoiceField(label="Policies", required=False, widget=forms.CheckboxSelectMultiple)


class PoliciesForm(ChoosingForm):
    """Which policies to give to a group."""

    policies = forms.MultipleChoiceField(
        label="Policies", widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose a policy."}
    )


class MembersForm(KitForm):
    """Whom to put in a group, of those that a search found."""

    users = forms.MultipleChoiceField(label="Users", error_messages={"required": "Choose somebody."})

    def offer(self, rows: Iterable[Membership]) -> None:
        self.fields["users"].choices = [(str(row.user_id), row.user.name) for row in rows]  # type: ignore[attr-defined]


def among(policies: Iterable[Policy], ids: Iterable[str]) -> list[Policy]:
    """The policies that were chosen of those that were offered."""
    wanted = set(ids)
    return [policy for policy in policies if str(policy.pk) in wanted]

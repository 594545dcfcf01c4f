"""Shapes of an organisation's settings; the rules are the services'."""

from django import forms

from accounts.forms.common import IdsField, VersionedForm, text
from accounts.forms.users import ChoosingForm
from accounts.models.organizations import LARGEST_IMPORTED_SECRET, LEAST_IMPORTED_SECRET, LONGEST_LIFE_DAYS
from keyadmin.web.forms import KitForm

WRONG_NUMBER = ("invalid", "min_value", "max_value")
EMAIL_WRONG = {"invalid": "Write the e-mail address in full, such as security@example.org."}


class GeneralForm(VersionedForm):
    name = text("Name", 150)
    contact_email = forms.EmailField(
        label="Contact e-mail (optional)",
        required=False,
        max_length=254,
        help_text="Notices about keys go there too, in case an owner has left. A shared mailbox is best.",
        error_messages=EMAIL_WRONG,
    )
    two_factor_required = forms.BooleanField(
        label="Demand a second factor",
        required=False,
        help_text="Members who sign in without one must set it up before they can go on.",
    )


def _days(label: str, hint: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=1,
        max_value=LONGEST_LIFE_DAYS,
        help_text=hint,
        error_messages=dict.fromkeys(WRONG_NUMBER, f"Write a number of days from 1 to {LONGEST_LIFE_DAYS:,}."),
    )


def _switch(label: str, hint: str) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, help_text=hint)


class KeyPolicyForm(VersionedForm):
    """What the organisation demands of keys."""

    longest_life_days = _days("Longest life, in days (optional)", "No key may be made to work longer. Empty: no limit.")
    default_life_days = _days(
        "Usual life, in days (optional)",
        "What a key gets that is made by the API without an expiry date. Empty: it never expires.",
    )
    never_expiring_allowed = _switch(
        "Allow keys without an expiry date",
        "Off: every key needs an expiry date. Without effect while a longest life is set, as that demands one too.",
    )
    admin_keys_allowed = _switch(
        "Allow admin keys", "An admin key has all permissions. Off: keys need a list of what they may do."
    )
    admin_networks_required = _switch(
        "Demand networks for admin keys", "An admin key must name the networks that it works from."
    )
    one_key_per_user = _switch(
        "Allow only one key per user",
        "A user has at most one user key that is active or paused. Rotating is still possible.",
    )
    api_users_only = _switch("Allow user keys for API users only", "People then have no keys of their own here.")
    reason_required = _switch(
        "Demand a reason", "Whoever makes or changes a key says why; it is kept in the activity log."
    )
    shortest_imported_secret = forms.IntegerField(
        label="Shortest key made elsewhere, in characters",
        min_value=LEAST_IMPORTED_SECRET,
        max_value=LARGEST_IMPORTED_SECRET,
        help_text="For keys that were made elsewhere and are entered here. Under 32 characters they can be weak.",
        error_messages=dict.fromkeys(WRONG_NUMBER, "Write a number of characters from 16 to 256."),
    )
    default_rate_limit = forms.CharField(
        label="Usual rate limit (optional)",
        required=False,
        max_length=30,
        empty_value=None,
        help_text="For keys without a limit of their own, at once. Such as 600/minute; also second, hour and day. "
        "Empty: no limit.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class InviteForm(ChoosingForm):
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The link works only for somebody who signs in with this address.",
        error_messages=EMAIL_WRONG,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    groups = IdsField(label="Groups", required=False)


class OrganizationForm(KitForm):
    name = text("Name", 150, "For example Acme Logistics.")
    slug = forms.CharField(
        label="Address (optional)",
        required=False,
        max_length=50,
        help_text="The part after /o/: lower-case letters, digits and hyphens. Empty: made from the name.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

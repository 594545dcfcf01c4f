"""Shapes of what people type about keys. Every rule is in the services; here only what a field looks like."""

from datetime import date, datetime
from typing import Any

from django import forms

from accounts import queries as accounts
from accounts.models import Organization
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.keys import presets, queries
from keyadmin.keys.models import APIKey
from keyadmin.keys.presets import expiry_choices, last_day
from keyadmin.web.forms import KitForm

MODES = (
    ("template", "From a template"),
    ("read_only", "Read only"),
    ("custom", "Custom"),
    ("admin", "Admin (all permissions)"),
)


class KeyForm(KitForm):
    """Name, description, expiry, permissions and networks: what creating and editing share."""

    name = forms.CharField(
        label="Name", max_length=80, help_text="For example: Provisioning System. Used in the logs.", required=False
    )
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=2000,
        help_text="Who uses it and where is it stored? This helps the next administrator.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    expiry = forms.ChoiceField(label="Expiry date", widget=forms.RadioSelect)
    expiry_date = forms.DateField(
        label="Custom date",
        required=False,
        help_text="Format YYYY-MM-DD. The key works until the end of that day, 23:59 UTC.",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
    )
    mode = forms.ChoiceField(label="Permissions", choices=MODES, initial="read_only", widget=forms.RadioSelect)
    template = forms.ChoiceField(
        label="Template",
        required=False,
        choices=[(one.slug, f"{one.label}: {', '.join(one.permissions)}") for one in presets.TEMPLATES],
        widget=forms.RadioSelect,
    )
    permissions = forms.MultipleChoiceField(label="Permissions", required=False)
    networks = forms.CharField(
        label="Allowed networks",
        required=False,
        max_length=8000,
        help_text="One address or network a line, such as 203.0.113.0/24. Empty: from anywhere.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, actor: Actor, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.organization = actor, organization
        names = [(row.name, row.label) for row in accounts.permissions()]
        # A pattern that a key has already, such as sensor.*, can be kept though no box of the matrix stands for it.
        kept = [(name, name) for name in self.initial.get("permissions") or () if name not in dict(names)]
        self.choices_of("permissions", [*names, *kept])
        self.choices_of("expiry", expiry_choices(clock.now()))
        self.initial.setdefault("expiry", str(presets.DEFAULT_LIFE_IN_DAYS))

    def choices_of(self, field: str, choices: list[tuple[str, str]]) -> None:
        """Fill a choice field."""
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("expiry") == "custom" and not cleaned.get("expiry_date") and "expiry_date" not in self.errors:
            self.add_error("expiry_date", "Enter a date.")
        if cleaned.get("mode") == "template" and not cleaned.get("template"):
            self.add_error("template", "Choose a template.")
        if cleaned.get("mode") == "custom" and not cleaned.get("permissions"):
            self.add_error("permissions", "Choose at least one permission.")
        return cleaned

    def expires_at(self) -> datetime | None:
        """The moment that was chosen: the end of a day in UTC, or never."""
        chosen = self.cleaned_data["expiry"]
        if chosen == "never":
            return None
        if chosen == "keep":
            moment: datetime | None = self.initial.get("expires_at")
            return moment
        day: date = self.cleaned_data["expiry_date"] if chosen == "custom" else last_day(clock.now(), int(chosen))
        return clock.parse_moment(day.isoformat())

    def patterns(self) -> list[str]:
        """The permissions that were chosen."""
        mode = self.cleaned_data["mode"]
        if mode == "admin":
            return ["*"]
        if mode == "template":
            found = presets.template(self.cleaned_data["template"])
            return list(found.permissions) if found else []
        if mode == "read_only":
            return queries.readable(self.actor, self.organization)
        return list(self.cleaned_data["permissions"])

    def allowed_networks(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["networks"].splitlines() if line.strip()]


class NewKeyForm(KeyForm):
    """A new key: first whose it is. `nonce` makes a repeated POST harmless."""

    nonce = forms.CharField(max_length=64, widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label="Belongs to",
        choices=[("organization", "The organisation"), ("user", "A user")],
        initial="organization",
        widget=forms.RadioSelect,
    )
    owner = forms.ChoiceField(label="User", required=False, help_text="The key can do what this user can, or less.")
    environment = forms.ChoiceField(
        label="Environment", choices=[("live", "Live"), ("test", "Test")], initial="live", widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users = accounts.possible_key_owners(self.actor, self.organization)
        self.choices_of("owner", [("", "Choose a user"), *((str(user.pk), user.name) for user in users)])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("kind") == "user" and not cleaned.get("owner"):
            self.add_error("owner", "Choose the user that the key belongs to.")
        return cleaned


class EditKeyForm(KeyForm):
    """The same for a key that exists, with the version that was on the screen."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    reason = forms.CharField(label="Reason", max_length=200, required=False, help_text="Kept in the activity log.")

    def __init__(self, *args: Any, key: APIKey, **kwargs: Any) -> None:
        kwargs["initial"] = initial_of(key)
        super().__init__(*args, **kwargs)
        if key.expires_at is not None:
            keep = ("keep", f"Stays {key.expires_at:%a %d %b %Y}")
            self.choices_of("expiry", [keep, *expiry_choices(clock.now())])


class ConfirmForm(KitForm):
    """A last question before something stops working."""

    reason = forms.CharField(label="Reason", max_length=200, required=False, help_text="Kept in the activity log.")
    version = forms.IntegerField(min_value=1, required=False, widget=forms.HiddenInput)


class RegenerateForm(ConfirmForm):
    """A new secret; an expired key needs a new expiry with it."""

    nonce = forms.CharField(max_length=64, widget=forms.HiddenInput)
    expiry = forms.ChoiceField(label="New expiry date", required=False, widget=forms.RadioSelect)

    def __init__(self, *args: Any, expired: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not expired:
            del self.fields["expiry"]
            return
        choices = [choice for choice in expiry_choices(clock.now()) if choice[0] != "custom"]
        self.fields["expiry"].choices = choices  # type: ignore[attr-defined]
        self.initial.setdefault("expiry", str(presets.DEFAULT_LIFE_IN_DAYS))

    def new_expiry(self) -> datetime | None:
        chosen = self.cleaned_data["expiry"]
        return None if chosen == "never" else clock.parse_moment(last_day(clock.now(), int(chosen)).isoformat())


def initial_of(key: APIKey) -> dict[str, Any]:
    """A key as the form shows it before anything is typed."""
    admin = key.permissions == ["*"]
    return {
        "name": key.name,
        "description": key.description,
        "expiry": "never" if key.expires_at is None else "keep",
        "expires_at": key.expires_at,
        "mode": "admin" if admin else "custom",
        "permissions": [] if admin else key.permissions,
        "networks": "\n".join(key.allowed_networks),
        "version": key.version,
    }

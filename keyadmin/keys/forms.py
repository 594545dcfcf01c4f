"""Shapes of what people type about keys. Every rule is in the services; here only what a field looks like."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from accounts import access
from accounts import queries as accounts
from accounts.models import Organization, User
from keyadmin.kernel import addresses, clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import DeniedError, ProblemError
from keyadmin.kernel.patterns import EVERYTHING, NOTHING, Rights
from keyadmin.kernel.rates import parse_rate
from keyadmin.keys import policy, presets, queries
from keyadmin.keys.flairs import effective_flairs
from keyadmin.keys.models import APIKey, KeyKind
from keyadmin.keys.policy import Demands
from keyadmin.keys.presets import expiry_choices, expiry_hints, last_day
from keyadmin.keys.services import UNSAID, KeyChanges, Unsaid
from keyadmin.keys.status import Status
from keyadmin.web import refusals
from keyadmin.web.forms import KitForm, Option, TypedNameForm, add_errors, options_of, reason_field

MODES = {
    "template": "From a template",
    "read_only": "Read only",
    "custom": "Custom",
    "owner": "All that the user may do",
    "admin": "Admin (all permissions)",
}
MODE_HINTS = {
    "template": "What a common integration needs.",
    "read_only": "View everything that you may view, change nothing.",
    "custom": "Choose each permission.",
    "owner": "It follows the groups of the user, whatever they give later.",
}
FIELDS_OF_SERVICE = {"allowed_networks": "networks"}
SHOWN_LINES = 5

CAUSES = (
    ("", "No reason given"),
    ("Leaked", "Leaked"),
    ("No longer needed", "No longer needed"),
    ("Replaced", "Replaced by another key"),
    ("Other", "Other"),
)


def reason_of(form: forms.Form, demands: Demands, name: str = "reason") -> None:
    """Call the reason optional only where it is; the service does the demanding."""
    if demands.reason_required:
        form.fields[name].label = "Reason"


def said_expiry(moment: datetime | None) -> str:
    """`Fri 5 Nov 2027`, or that it never expires."""
    return f"{moment:%a} {moment.day} {moment:%b %Y}" if moment else "it never expires"


class ExpiryForm(KitForm):
    """Until when a key works: a ready life, a day or never. What the demands forbid can't be chosen.

    Valid or not, `cleaned_data` holds `expires_at` (a moment, or None: never; UNSAID: as it is) where what was typed
    says it.
    """

    expiry = forms.ChoiceField(label="Expiry date", widget=forms.RadioSelect)
    expiry_date = forms.DateField(
        label="Custom date",
        required=False,
        help_text="Format YYYY-MM-DD. The key works until the end of that day, 23:59 UTC.",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        input_formats=["%Y-%m-%d"],
        error_messages={"invalid": "Enter a date such as 2027-01-31."},
    )

    now: datetime
    demands: Demands
    kept_expiry: datetime | Unsaid | None = UNSAID  # what "as it is" stands for
    kept_hint = ""

    def offer_expiry(self, *, kept: str = "") -> None:
        """Fill the choices, once `now` and `demands` are there; `kept`: what the key has that may keep it, in words."""
        keep, self.kept_hint = [("keep", "As it is")] if kept else [], kept
        self.fields["expiry"].choices = [*keep, *expiry_choices(self.now)]  # type: ignore[attr-defined]
        for name, value in presets.first_expiry(self.demands, self.now).items():
            self.initial.setdefault(name, value)
        self.fields["expiry_date"].widget.attrs["min"] = self.now.date().isoformat()
        if self.demands.longest_life_days:
            latest = last_day(self.now, self.demands.longest_life_days)
            self.fields["expiry_date"].widget.attrs["max"] = latest.isoformat()

    @property
    def expiry_options(self) -> list[Option]:
        hints = {**expiry_hints(self.now), "keep": self.kept_hint}
        return options_of(self["expiry"], hints, presets.too_long(self.demands))

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._clean_expiry()
        return self.cleaned_data

    def _clean_expiry(self) -> None:
        chosen = self.cleaned_data.get("expiry")
        if chosen == "custom":
            day = self.cleaned_data.get("expiry_date")
            if day is None and "expiry_date" not in self.errors:
                self.add_error("expiry_date", "Enter a date.")
        else:
            day = last_day(self.now, int(chosen)) if chosen and chosen.isdigit() else None
        if chosen == "keep":
            self.cleaned_data["expires_at"] = self.kept_expiry
        elif chosen == "never" or day is not None:
            self.cleaned_data["expires_at"] = None if day is None else clock.parse_moment(day.isoformat())


class KeyForm(ExpiryForm):
    """Name, description, expiry, permissions and networks: what creating and editing share.

    Valid or not, `cleaned_data` holds `expires_at` (a moment, or None: never) and `patterns` (None: all that the
    owner may do) where what was typed says them.
    """

    field_order = ("name", "description")
    name = forms.CharField(
        label="Name", max_length=80, help_text="For example: Provisioning System. Used in the logs.", required=False
    )
    description = forms.CharField(
        label="Description (optional)",
        required=False,
        max_length=2000,
        help_text="Who uses it and where is it stored? This helps the next administrator.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    mode = forms.ChoiceField(label="Permissions", initial="read_only", widget=forms.RadioSelect)
    template = forms.ChoiceField(
        label="Template",
        required=False,
        choices=[(one.slug, one.label) for one in presets.TEMPLATES],
        widget=forms.RadioSelect,
    )
    permissions = forms.MultipleChoiceField(label="Permissions", required=False)
    admin_confirmed = forms.BooleanField(label="I need an admin key", required=False)
    networks = forms.CharField(
        label="Allowed networks (optional)",
        required=False,
        max_length=8000,
        help_text="One address or network a line, such as 203.0.113.0/24. Empty: from anywhere.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )

    rate_limit = forms.CharField(
        label="Rate limit (optional)",
        required=False,
        max_length=30,
        empty_value=None,
        help_text="Requests at most, such as 600/minute; also second, hour and day.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    modes: tuple[str, ...] = tuple(MODES)
    mode_labels, mode_hints = MODES, MODE_HINTS
    kept = NOTHING  # what the key may do already: it can be kept by whoever lacks it
    may_be_empty = was_admin = False

    def __init__(self, *args: Any, actor: Actor, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.organization = actor, organization
        self.now = clock.now()
        self.held, self.demands = self.bounds()
        names = [(row.name, row.label) for row in accounts.permissions()]
        self.other_patterns = sorted(self.kept.patterns - {"*"} - dict(names).keys())
        # A pattern that a key has already, such as sensor.*, can be kept though no box of the matrix stands for it.
        self.choices_of("permissions", [*names, *((name, name) for name in self.other_patterns)])
        default = self.demands.default_rate or "no limit"
        self.fields["rate_limit"].help_text += f" Empty: the organisation's default, {default}."
        self.choices_of("mode", [(mode, self.mode_labels[mode]) for mode in self.modes])
        self.offer_expiry(kept=self.kept_hint)

    def bounds(self) -> tuple[Rights, Demands]:
        """What the person can give, and what binds the key."""
        return self.actor.rights_in(self.organization.pk), policy.demands_on(self.organization.pk, None)

    def sent(self, data: Mapping[str, object]) -> Self:
        """A form of the same kind about the same, as if this were sent."""
        return type(self)(data, actor=self.actor, organization=self.organization)

    def choices_of(self, field: str, choices: list[tuple[str, str]]) -> None:
        """Fill a choice field."""
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        return _typed(self.cleaned_data["name"], "Enter a name.")

    def clean_rate_limit(self) -> str | None:
        typed: str | None = self.cleaned_data["rate_limit"]
        try:
            return None if typed is None else str(parse_rate(typed))
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def clean_networks(self) -> list[str]:
        found, problems = [], []
        for number, line in enumerate(self.cleaned_data["networks"].splitlines(), start=1):
            try:
                found += [addresses.parse_network(line.strip())] if line.strip() else []
            except ValueError as error:
                problems.append(f"Line {number}: {error}")
        if problems:
            raise ValidationError(problems[:SHOWN_LINES])
        return found

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._clean_permissions()
        return self.cleaned_data

    def _clean_permissions(self) -> None:
        mode, chosen = self.cleaned_data.get("mode"), self.cleaned_data.get("permissions")
        template = presets.template(self.cleaned_data.get("template", ""))
        if mode == "template" and template is None and "template" not in self.errors:
            self.add_error("template", "Choose a template.")
        elif mode == "custom" and not chosen and "permissions" not in self.errors and not self.may_be_empty:
            self.add_error("permissions", "Choose at least one permission.")
        elif mode == "admin" and not self.was_admin and not self.cleaned_data.get("admin_confirmed"):
            self.add_error("admin_confirmed", "Tick that you need an admin key, or choose fewer permissions.")
        if mode == "template" and template is not None:
            self.cleaned_data["patterns"] = list(template.permissions)
        elif mode == "read_only":
            self.cleaned_data["patterns"] = queries.readable(self.held)
        elif mode == "custom" and "permissions" in self.cleaned_data:
            self.cleaned_data["patterns"] = list(chosen or ())
        elif mode in ("admin", "owner"):
            self.cleaned_data["patterns"] = ["*"] if mode == "admin" else None

    def proposed(self) -> APIKey | None:
        """A key, unsaved, that belongs to whom and gives what the form says; None while it does not say enough."""
        raise NotImplementedError

    @property
    def mode_options(self) -> list[Option]:
        lacks_all = self._lacking(["*"], "the right to everything")
        if not self.demands.admin_keys_allowed:
            lacks_all = "This organisation allows no admin keys."
        return options_of(self["mode"], self.mode_hints, {"admin": lacks_all})

    @property
    def template_options(self) -> list[Option]:
        hints, blocked = {}, {}
        for one in presets.TEMPLATES:
            life = presets.life_name(one.days) if one.days else "no expiry date"
            hints[one.slug] = f"{one.purpose} Usually with {life}."
            blocked[one.slug] = self._lacking(one.permissions)
        return options_of(self["template"], hints, blocked)

    def _lacking(self, patterns: Iterable[str], what: str = "") -> str:
        """What the person can't give of these (or `what`), and who can grant it; empty when nothing is missing."""
        missing = [name for name in patterns if not (self.kept.allows(name) or self.held.allows(name))]
        if not missing:
            return ""
        grantors = access.grantors(missing[0], self.organization.pk, *missing[1:])
        return f"You do not have {what or ', '.join(missing)}. {grantors}"

    def add_problem(self, error: ProblemError) -> None:
        """Put what a service refused beside the field that it is about."""
        if isinstance(error, DeniedError):
            refusals.note_problem(error)
            self.add_error(*self._place(error))
        else:
            add_errors(self, error, FIELDS_OF_SERVICE)

    def _place(self, error: DeniedError) -> tuple[str | None, str]:
        typed, missing = self.cleaned_data, error.permission
        flairs = effective_flairs(typed["name"]) ^ effective_flairs(self.initial.get("name", ""))
        if missing == "apikey.ctrl" and flairs and not self.actor.rights_in(self.organization.pk).allows(missing):
            return "name", f"[{min(flairs)}] is put on and taken off by whoever manages keys. {error.detail}"
        if missing in (typed["patterns"] or ()) and not self.kept.allows(missing):
            field = {"custom": "permissions", "template": "template"}.get(typed["mode"], "mode")
            return field, f"You can't give {missing}: you do not have it yourself."
        return None, error.detail


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

    reason = reason_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason_of(self, self.demands)
        if not self.demands.reason_required:
            del self.fields["reason"]
        users = accounts.possible_key_owners(self.actor, self.organization)
        self.owners = {str(user.pk): user for user in users}
        choices = [
            (pk, f"{user.name} (you)" if user.pk == self.actor.user_id else user.name)
            for pk, user in self.owners.items()
        ]
        self.choices_of("owner", choices if len(choices) == 1 else [("", "Choose a user"), *choices])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("kind") == "user" and not cleaned.get("owner"):
            self.add_error("owner", "Choose the user that the key belongs to.")
        if cleaned.get("kind") == "organization" and cleaned.get("mode") == "owner":
            self.add_error("mode", "Only a user's key can do all that the user may do. Choose its permissions.")
            cleaned.pop("patterns", None)
        return cleaned

    @property
    def owner_user(self) -> User | None:
        """The user that was chosen, where the key is to be a user's."""
        typed = self.cleaned_data
        return self.owners.get(typed.get("owner", "")) if typed.get("kind") == "user" else None

    def proposed(self) -> APIKey | None:
        typed, owner = self.cleaned_data, self.owner_user
        kind = typed.get("kind")
        if "patterns" not in typed or kind is None or (kind == KeyKind.USER and owner is None):
            return None
        home = None if kind == KeyKind.USER else self.organization
        return APIKey(kind=kind, organization=home, owner=owner, permissions=typed["patterns"])

    @property
    def kind_options(self) -> list[Option]:
        hints = {
            "organization": "Recommended. It works whoever comes and goes, with permissions of its own.",
            "user": "For what has to follow the rights of that user.",
        }
        return options_of(self["kind"], hints)

    @property
    def environment_options(self) -> list[Option]:
        hints = {"test": "A label that the applications behind can refuse."}
        return options_of(self["environment"], hints)

    def _place(self, error: DeniedError) -> tuple[str | None, str]:
        owner = self.owner_user
        field, text = super()._place(error)
        if field is None and owner is not None:
            lacking = f"You do not have {error.permission}, so you can't make a key that has it"
            return "owner", f"{lacking}, as this key of {owner.name} would. Choose fewer permissions or another user."
        return field, text


class OwnKeyForm(NewKeyForm):
    """A new key of one's own. It works in every organisation that one is in, so the policies of all bind it.

    `organization` is the one that the form describes it in.
    """

    modes = tuple(mode for mode in MODES if mode != "admin")
    mode_labels = {**MODES, "owner": "All that you may do"}
    mode_hints = {**MODE_HINTS, "owner": "It follows your groups, whatever they give later."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in (("kind", str(KeyKind.USER)), ("owner", str(self.actor.user_id))):
            self.fields[name].widget = forms.HiddenInput()
            self.choices_of(name, [(value, value)])
            self.initial[name] = value
        self.initial.setdefault("mode", "owner")

    def bounds(self) -> tuple[Rights, Demands]:
        held = self.actor.held
        every = [held.rights_in(pk) for pk in {self.organization.pk, *held.rights}]
        owner = accounts.acting_user(self.actor)
        return Rights(frozenset().union(*(one.patterns for one in every))), policy.demands_on(None, owner)


class EditKeyForm(KeyForm):
    """The same for a key that exists, with the version that was on the screen."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    reason = reason_field()

    def __init__(self, *args: Any, key: APIKey, **kwargs: Any) -> None:
        kwargs["initial"] = initial_of(key)
        self.key, self.may_be_empty, self.was_admin = key, key.permissions == [], key.permissions == ["*"]
        self.kept = EVERYTHING if key.permissions is None else Rights(frozenset(key.permissions))
        unfit = "owner" if key.kind == KeyKind.ORGANIZATION else "admin"
        self.modes = tuple(mode for mode in MODES if mode != unfit or mode == kwargs["initial"]["mode"])
        self.kept_expiry, self.kept_hint = key.expires_at, said_expiry(key.expires_at) if key.expires_at else ""
        super().__init__(*args, **kwargs)
        reason_of(self, self.demands)

    def bounds(self) -> tuple[Rights, Demands]:
        held = self.actor.rights_in(self.organization.pk)
        return held, policy.demands_on(self.key.organization_id, self.key.owner)

    def sent(self, data: Mapping[str, object]) -> Self:
        return type(self)(data, key=self.key, actor=self.actor, organization=self.organization)

    def proposed(self) -> APIKey | None:
        if "patterns" not in self.cleaned_data:
            return None
        key = self.key
        permissions = self.cleaned_data["patterns"]
        return APIKey(pk=key.pk, kind=key.kind, organization=key.organization, owner=key.owner, permissions=permissions)

    def changes(self) -> KeyChanges:
        """What was typed, for the service; fields that are wrong are left out."""
        typed, found = self.cleaned_data, KeyChanges()
        if "name" in typed:
            found["name"] = typed["name"]
        if "description" in typed:
            found["description"] = typed["description"]
        if "expires_at" in typed:
            found["expires_at"] = typed["expires_at"]
        if "patterns" in typed:
            found["permissions"] = typed["patterns"]
        if "networks" in typed:
            found["allowed_networks"] = typed["networks"]
        if "rate_limit" in typed:
            found["rate_limit"] = typed["rate_limit"]
        return found

    def _place(self, error: DeniedError) -> tuple[str | None, str]:
        field, text = super()._place(error)
        if field is not None:
            return field, text
        lacking = f"it gives {error.permission}, which you do not have."
        typed, key = self.cleaned_data, self.key
        if typed["expires_at"] != key.expires_at:
            return "expiry", f"You can't change how long this key works: {lacking}"
        if addresses.widens(key.allowed_networks, typed["networks"]):
            return "networks", f"You can't let this key work from more places: {lacking}"
        if typed["rate_limit"] != key.rate_limit:
            return "rate_limit", f"You can't let this key work more often: {lacking}"
        if effective_flairs(key.name) != effective_flairs(typed["name"]):
            return "name", f"You can't let this key see more: {lacking}"
        return "mode", f"You can't give this key more permissions: {error.permission} is one that you do not have."


def stand_on(form: forms.Form, version: int) -> None:
    """Let the form be sent again over a newer version, which its reader has been shown."""
    if isinstance(form.data, QueryDict):
        form.data = form.data.copy()
        form.data["version"] = str(version)


class BlockForm(KitForm):
    """Before a person's key is blocked: why."""

    reason = reason_field()


class StopForm(TypedNameForm):
    """Before a key is revoked or deleted: why, and its name where that much care is due."""

    field_order = ("cause", "details", "name")
    cause = forms.ChoiceField(
        label="Reason (optional)", choices=CAUSES, required=False, help_text="Kept in the activity log."
    )
    details = forms.CharField(label="Details (optional)", max_length=150, required=False)
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, demands: Demands, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason_of(self, demands, "cause")

    @property
    def reason(self) -> str:
        """Cause and details in one line, as the log keeps them."""
        return ": ".join(filter(None, (self.cleaned_data["cause"], self.cleaned_data["details"])))


class RegenerateForm(KitForm):
    """A new secret; an expired key needs a new expiry with it."""

    reason = reason_field()
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    nonce = forms.CharField(max_length=64, widget=forms.HiddenInput)
    expiry = forms.ChoiceField(label="New expiry date", widget=forms.RadioSelect)

    def __init__(self, *args: Any, expired: bool, demands: Demands, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason_of(self, demands)
        if not expired:
            del self.fields["expiry"]
            return
        choices = [choice for choice in expiry_choices(clock.now(), dated=True) if choice[0] != "custom"]
        self.fields["expiry"].choices = choices  # type: ignore[attr-defined]
        self.initial.setdefault("expiry", str(presets.DEFAULT_LIFE_IN_DAYS))

    def new_expiry(self) -> datetime | None:
        chosen = self.cleaned_data["expiry"]
        return None if chosen == "never" else clock.parse_moment(last_day(clock.now(), int(chosen)).isoformat())


class AssignForm(ExpiryForm):
    """The key of a user: one that is made here, or a secret made elsewhere, which is never shown again."""

    holds_keys = frozenset({"api_key"})
    field_order = ("nonce", "how", "api_key")
    nonce = forms.CharField(max_length=64, widget=forms.HiddenInput)
    how = forms.ChoiceField(
        label="Secret",
        choices=[("generate", "Generate one"), ("given", "Enter a key made elsewhere")],
        initial="generate",
        widget=forms.RadioSelect,
    )
    api_key = forms.CharField(
        label="Key made elsewhere",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = reason_field()

    def __init__(self, *args: Any, demands: policy.Demands, key: APIKey | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now, self.demands = clock.now(), demands
        lives = key is not None and key.status is not Status.EXPIRED
        if lives:
            self.initial.setdefault("expiry", "keep")
        self.offer_expiry(kept=said_expiry(key.expires_at) if key is not None and lives else "")
        reason_of(self, demands)
        self.fields["api_key"].help_text = (
            f"At least {demands.shortest_imported_secret} characters: letters, digits and . _ ~ - only. One that is "
            "made of words or hardly random can be guessed. It is not shown again."
        )

    def clean_api_key(self) -> str:
        typed: str = self.cleaned_data["api_key"]
        if self.cleaned_data.get("how") == "given" and not typed:
            raise ValidationError("Enter the key.")
        return typed

    @property
    def secret(self) -> str | None:
        """What was entered; None: one is to be generated."""
        return self.cleaned_data["api_key"] if self.cleaned_data["how"] == "given" else None

    @property
    def how_options(self) -> list[Option]:
        hints = {
            "generate": "Recommended. The key is shown once, on the next page.",
            "given": "For a system that has a key already and can't take another.",
        }
        return options_of(self["how"], hints)


def initial_of(key: APIKey) -> dict[str, Any]:
    """A key as the form shows it before anything is typed."""
    mode = "owner" if key.permissions is None else "admin" if key.permissions == ["*"] else "custom"
    return {
        "name": key.name,
        "description": key.description,
        "expiry": "never" if key.expires_at is None else "keep",
        "expires_at": key.expires_at,
        "mode": mode,
        "permissions": list(key.permissions or ()) if mode == "custom" else [],
        "networks": "\n".join(key.allowed_networks),
        "rate_limit": key.rate_limit,
        "version": key.version,
    }


def _typed(text: str, otherwise: str) -> str:
    if not text:
        raise ValidationError(otherwise)
    return text

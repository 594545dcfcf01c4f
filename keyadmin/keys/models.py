from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan, LessThanOrEqual

from accounts.models import Organization, User
from keyadmin.kernel import clock, tokens
from keyadmin.kernel.rates import Rate
from keyadmin.keys.flairs import effective_flairs, flairs_of
from keyadmin.keys.status import Status, status_of
from keyadmin.limits.columns import columns_of, rate_of, rate_or_none

NAME_LENGTH, DESCRIPTION_LENGTH = 80, 2000


class KeyKind(models.TextChoices):
    ORGANIZATION = "organization", "Organisation key"
    USER = "user", "User key"


class APIKey(models.Model):
    """One key. Only a verifier of its secret is stored; `organization` is empty for a person's key alone.

    A person's key works in every organisation that the person is in; an API user's in its one organisation.
    `permissions` is the key's own list: what an organisation key may do, what narrows a user key (null: nothing).
    `segmented` marks one made through a key with the flair [segment]: it is limited as if it had that flair itself.
    A secret made here is found by its token id, one made elsewhere by its bucket; the `tail` of a weak one is empty.
    `assigned` marks the one key of a user that is entered or generated for them, each time in place of the last.
    """

    kind = models.CharField(max_length=12, choices=KeyKind.choices)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="api_keys")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="api_keys")
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.TextField(blank=True)
    permissions = models.JSONField(null=True)
    allowed_networks = models.JSONField(default=list)
    rate_count = models.PositiveIntegerField(null=True)  # with the next one: null is as the organisation has it
    rate_seconds = models.PositiveIntegerField(null=True)
    segmented = models.BooleanField(default=False, db_default=False)

    environment = models.CharField(max_length=4)
    prefix = models.CharField(max_length=16, blank=True)
    token_id = models.CharField(max_length=12, unique=True, null=True)  # noqa: DJ001  empty is no id
    bucket = models.BigIntegerField(null=True, db_index=True)
    tail = models.CharField(max_length=4, blank=True)
    assigned = models.BooleanField(default=False, db_default=False)
    verifier = models.CharField(max_length=255, blank=True)

    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_by_key = models.BigIntegerField(null=True)  # an id alone: that key may be deleted
    created_by_label = models.CharField(max_length=150)
    expires_at = models.DateTimeField(null=True)
    secret_kept = models.BooleanField(default=False)  # seen by its owner, or who holds everything everywhere, alone
    secret_confirmed_at = models.DateTimeField(null=True)  # null: shown on a page, and nobody said that it was saved
    expired_seen_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(kind="organization", organization__isnull=False, owner__isnull=True, permissions__isnull=False)
                    | Q(kind="user", owner__isnull=False)
                ),
                name="apikey_belongs_to_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, verifier__gt="") | Q(revoked_at__isnull=False, verifier=""),
                name="apikey_revoked_exactly_without_verifier",
            ),
            models.CheckConstraint(
                condition=Q(token_id__isnull=False, bucket__isnull=True, tail__gt="")
                | Q(token_id__isnull=True, bucket__isnull=False),
                name="apikey_found_by_token_id_or_bucket",
            ),
            models.CheckConstraint(condition=Q(assigned=False) | Q(kind="user"), name="apikey_assigned_to_a_user"),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(assigned=True, revoked_at=None), name="apikey_one_assigned_for_each_user"
            ),
            models.CheckConstraint(
                condition=GreaterThan(Length(F("name")), 0) & LessThanOrEqual(Length(F("name")), NAME_LENGTH),
                name="apikey_name_length",
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(Length(F("description")), DESCRIPTION_LENGTH),
                name="apikey_description_length",
            ),
            models.CheckConstraint(condition=rate_or_none("rate_count", "rate_seconds"), name="apikey_rate_is_sane"),
            models.CheckConstraint(condition=Q(environment__in=["live", "test"]), name="apikey_environment_is_known"),
            models.CheckConstraint(condition=Q(version__gte=1), name="apikey_version_starts_at_one"),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("created_at")),
                name="apikey_expires_after_creation",
            ),
            models.CheckConstraint(
                condition=Q(expired_seen_at__isnull=True) | Q(expires_at__isnull=False),
                name="apikey_seen_expired_only_with_expiry",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="apikey_by_creation"),
            models.Index(fields=["organization", "expires_at"], name="apikey_by_expiry"),
            models.Index(
                fields=["created_by_key"], condition=Q(created_by_key__isnull=False), name="apikey_by_creating_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.masked})"

    @property
    def masked(self) -> str:
        if self.token_id is None:
            return tokens.masked_given(self.tail)
        return tokens.masked(self.prefix, self.environment, self.token_id, self.tail)

    @property
    def is_weak(self) -> bool:
        """Whether its secret was made elsewhere and is weak."""
        return self.token_id is None and not self.tail

    @property
    def status(self) -> Status:
        return status_of(self, clock.now())

    @property
    def state(self) -> str:
        """All that decides what the key can do, in one value to compare: not its name, not its description."""
        times = (self.expires_at, self.expired_seen_at, self.paused_at, self.revoked_at)
        return repr(
            (
                self.token_id,
                self.bucket,
                self.permissions,
                self.allowed_networks,
                sorted(effective_flairs(self.name)),
                self.rate,
                self.segmented,
                times,
            )
        )

    @property
    def rate(self) -> Rate | None:
        """The key's own limit; None: as its organisation has it."""
        return rate_of(self.rate_count, self.rate_seconds)

    @property
    def rate_limit(self) -> str | None:
        """The same as it is written, such as `600/minute`. ValueError for a text that is no limit."""
        return None if self.rate is None else str(self.rate)

    @rate_limit.setter
    def rate_limit(self, text: str | None) -> None:
        self.rate_count, self.rate_seconds = columns_of(text)

    @property
    def is_segment(self) -> bool:
        """Whether only what it created itself can be seen and changed through it."""
        return self.segmented or "segment" in effective_flairs(self.name)

    @property
    def last_used(self) -> datetime | None:
        """When a request was accepted with it last, as of a minute or so ago; None: never."""
        return self._use.time if self._use else None

    @property
    def last_used_from(self) -> str:
        """The address of that request; empty: there was none."""
        return self._use.address if self._use else ""

    @property
    def _use(self) -> "KeyUse | None":
        return getattr(self, "use", None)  # one that is not there is an AttributeError too

    @property
    def flairs(self) -> list[str]:
        return flairs_of(self.name)


class KeyUse(models.Model):
    """When a key was used last, for lists: copied from the usage slice once a minute, later by no more than that.

    No constraint in the database: a key that is being deleted does not wait for it, nor fails because of it.
    """

    key = models.OneToOneField(
        APIKey, on_delete=models.CASCADE, primary_key=True, related_name="use", db_constraint=False
    )
    time = models.DateTimeField()
    address = models.CharField(max_length=45)

    class Meta:
        indexes = [models.Index(fields=["time"], name="keyuse_by_time")]


class FormerTokenId(models.Model):
    """A token id that a key had before: refused, but found by search. Null: it was a secret made elsewhere."""

    key = models.ForeignKey(APIKey, on_delete=models.CASCADE, related_name="former_token_ids")
    token_id = models.CharField(max_length=12, unique=True, null=True)  # noqa: DJ001  empty is no id
    tail = models.CharField(max_length=4, blank=True)
    replaced_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.token_id or tokens.masked_given(self.tail)


class KeyBlock(models.Model):
    """An organisation has blocked a person's key for itself: elsewhere the key works as before.

    It outlasts the person's leaving, so that whoever comes back does not bring the key back with them.
    """

    key = models.ForeignKey(APIKey, on_delete=models.CASCADE, related_name="blocks")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    blocked_at = models.DateTimeField()
    blocked_by_label = models.CharField(max_length=150)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "organization"], name="keyblock_once_in_an_organization")]

    def __str__(self) -> str:
        return f"key {self.key_id} in organisation {self.organization_id}"

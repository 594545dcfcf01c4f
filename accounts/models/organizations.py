import uuid

from django.db import models
from django.db.models import F, Q

from accounts.models.users import User, UserKind
from accounts.models.versioned import Made, Versioned
from keyadmin.kernel.rates import Rate
from keyadmin.limits.columns import columns_of, rate_of, rate_or_none

LONGEST_LIFE_DAYS = 36500
LEAST_IMPORTED_SECRET, SHORTEST_IMPORTED_SECRET, LARGEST_IMPORTED_SECRET = 16, 32, 256


class Organization(Versioned, Made):
    oid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=150)
    contact_email = models.EmailField(max_length=254, blank=True)
    two_factor_required = models.BooleanField(default=False)
    suspended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(slug="") & ~Q(name=""), name="organization_has_slug_and_name"),
        ]

    def __str__(self) -> str:
        return self.name


class KeyPolicy(Versioned):
    """What an organisation demands of the keys that work in it. Every organisation has one.

    Lives are in days; null: any life is allowed, and a key lives for ever unless its maker says otherwise.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="key_policy"
    )
    longest_life_days = models.PositiveIntegerField(null=True)
    default_life_days = models.PositiveIntegerField(null=True)
    never_expiring_allowed = models.BooleanField(default=True)
    admin_keys_allowed = models.BooleanField(default=True)
    admin_networks_required = models.BooleanField(default=False)
    one_key_per_user = models.BooleanField(default=False)
    api_users_only = models.BooleanField(default=False)
    reason_required = models.BooleanField(default=False)
    shortest_imported_secret = models.PositiveSmallIntegerField(default=SHORTEST_IMPORTED_SECRET)
    default_rate_count = models.PositiveIntegerField(null=True)  # with the next one: null is no limit
    default_rate_seconds = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name_plural = "key policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(longest_life_days__isnull=True) | Q(longest_life_days__range=(1, LONGEST_LIFE_DAYS)),
                name="key_policy_longest_life_is_sane",
            ),
            models.CheckConstraint(
                condition=Q(default_life_days__isnull=True) | Q(default_life_days__range=(1, LONGEST_LIFE_DAYS)),
                name="key_policy_default_life_is_sane",
            ),
            models.CheckConstraint(
                condition=Q(default_life_days__isnull=True)
                | Q(longest_life_days__isnull=True)
                | Q(default_life_days__lte=F("longest_life_days")),
                name="key_policy_default_life_is_allowed",
            ),
            models.CheckConstraint(
                condition=Q(shortest_imported_secret__range=(LEAST_IMPORTED_SECRET, LARGEST_IMPORTED_SECRET)),
                name="key_policy_shortest_imported_secret_is_sane",
            ),
            models.CheckConstraint(
                condition=rate_or_none("default_rate_count", "default_rate_seconds"),
                name="key_policy_default_rate_is_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"key policy of {self.organization_id}"

    @property
    def default_rate(self) -> Rate | None:
        """How often a key may be used that has no limit of its own; None: as often as one likes."""
        return rate_of(self.default_rate_count, self.default_rate_seconds)

    @property
    def default_rate_limit(self) -> str | None:
        """The same as it is written, such as `600/minute`. ValueError for a text that is no limit."""
        return None if self.default_rate is None else str(self.default_rate)

    @default_rate_limit.setter
    def default_rate_limit(self, text: str | None) -> None:
        self.default_rate_count, self.default_rate_seconds = columns_of(text)


class Membership(models.Model):
    """A user in an organisation. `user_kind` repeats the user's, which never changes, for the constraint below."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    user_kind = models.CharField(max_length=10, choices=UserKind.choices)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organization"], name="membership_is_unique"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(user_kind="api"), name="membership_api_user_has_one_organization"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.organization_id}"

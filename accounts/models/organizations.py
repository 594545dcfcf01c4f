import uuid

from django.db import models
from django.db.models import Q

from accounts.models.users import User, UserKind


class Organization(models.Model):
    oid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=150)
    contact_email = models.EmailField(max_length=254, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(slug="") & ~Q(name=""), name="organization_has_slug_and_name"),
        ]

    def __str__(self) -> str:
        return self.name


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

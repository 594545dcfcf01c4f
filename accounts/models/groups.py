from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models.organizations import Membership, Organization
from accounts.models.versioned import Made, Versioned


class Policy(Versioned, Made):
    """A named list of permission patterns of one organisation; `version` counts its edits."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="policies")
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    patterns = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint("organization", Lower("name"), name="policy_name_is_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="policy_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """A policy as it was saved once, the present one included, so that it can be compared and restored."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    patterns = models.JSONField(default=list)
    saved_at = models.DateTimeField()
    saved_by_label = models.CharField(max_length=150)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["policy", "version"], name="policy_version_is_unique"),
            models.CheckConstraint(condition=Q(version__gte=1), name="policy_version_starts_at_one"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Group(Versioned, Made):
    """Members of one organisation, and the policies that say what they may do."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="groups")
    name = models.CharField(max_length=80)
    description = models.TextField(blank=True)
    policies = models.ManyToManyField(Policy, related_name="groups")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("organization", Lower("name"), name="group_name_is_unique"),
            models.CheckConstraint(condition=~Q(name=""), name="group_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class GroupMember(models.Model):
    """Hangs on the membership, so that whoever leaves the organisation leaves its groups with it."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="groups")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "membership"], name="group_member_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id} in {self.group_id}"

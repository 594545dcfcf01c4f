from django.db import models
from django.db.models import Q


class Action(models.TextChoices):
    VIEW = "view", "View"
    CREATE = "create", "Create"
    UPDATE = "update", "Update"
    DELETE = "delete", "Delete"
    OTHER = "other", "Other"


class Risk(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class Permission(models.Model):
    """One name of the instance-wide catalogue. `tasks` lists the tasks and endpoints that need it."""

    name = models.CharField(max_length=100, unique=True)
    label = models.CharField(max_length=150)
    resource = models.CharField(max_length=80)
    action = models.CharField(max_length=10, choices=Action.choices)
    category = models.CharField(max_length=80)
    risk = models.CharField(max_length=10, choices=Risk.choices)
    description = models.TextField(blank=True)
    tasks = models.JSONField(default=list)
    pack = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name="") & ~Q(label=""), name="permission_has_name_and_label"),
            models.CheckConstraint(condition=Q(action__in=Action.values), name="permission_action_is_known"),
            models.CheckConstraint(condition=Q(risk__in=Risk.values), name="permission_risk_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

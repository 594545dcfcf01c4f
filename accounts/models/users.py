import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models.versioned import Made, Versioned


class UserKind(models.TextChoices):
    PERSON = "person", "Person"
    API = "api", "API user"


class UserManager(BaseUserManager["User"]):
    """Nothing but the look-up that signing in needs: users are made by services."""


class User(Versioned, Made, AbstractBaseUser):
    """A person, who signs in, or an API user: a named service that never can."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=UserKind.choices)
    # An API user has neither e-mail address nor password: null and empty, as the constraint below demands.
    email = models.EmailField(max_length=254, null=True, blank=True, unique=True)
    password = models.CharField(max_length=128, blank=True)
    name = models.CharField(max_length=150)
    description = models.TextField(blank=True)
    contact_email = models.EmailField(max_length=254, blank=True)
    is_active = models.BooleanField(default=True)
    is_instance_admin = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(email__isnull=True) | Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=(Q(kind="person", email__isnull=False) | Q(kind="api", email__isnull=True, password="")),
                name="user_signs_in_exactly_if_a_person",
            ),
            models.CheckConstraint(
                condition=Q(kind="person") | Q(is_instance_admin=False),
                name="user_instance_admin_is_a_person",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="user_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

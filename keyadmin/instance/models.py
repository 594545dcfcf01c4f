from django.db import models
from django.db.models import Q

from keyadmin.kernel import hashing


class Instance(models.Model):
    """The one row of the installation."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    master_fingerprint = models.CharField(max_length=64)
    setup_token_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    api_key_rounds_no = models.PositiveIntegerField(null=True)  # null: none was ever saved
    settings_version = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="instance_is_one_row"),
            models.CheckConstraint(
                condition=Q(api_key_rounds_no__isnull=True) | Q(api_key_rounds_no__range=(1, hashing.MOST_ROUNDS)),
                name="instance_rounds_in_range",
            ),
        ]


class CacheEntry(models.Model):
    """The table of Django's database cache: counters of failed sign-ins, shared by all processes."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "instance_cache"


class IdempotencyRecord(models.Model):
    """The first answer to a POST that carried an Idempotency-Key, without any secret. Kept for 24 hours."""

    fingerprint = models.CharField(max_length=64, unique=True)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)

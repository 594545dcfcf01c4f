from django.db import models
from django.db.models import Q


class Epoch(models.Model):
    """The one row. Compared for equality only: a counter would come back after a fail-over or a restore."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.CharField(max_length=32)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="epoch_is_one_row")]

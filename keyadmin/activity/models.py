from django.db import models
from django.db.models import Q

EMPTY_HASH = "0" * 64


class Chain(models.Model):
    """The head of one organisation's chain (0: the instance). Writers lock it, so a chain can't fork."""

    organization_id = models.PositiveBigIntegerField(primary_key=True)
    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=EMPTY_HASH)


class Event(models.Model):
    """One entry, never edited. `text` is what is hashed; the other columns repeat it for filters.

    No foreign key: history outlives what it describes.
    """

    chain = models.PositiveBigIntegerField()
    sequence = models.PositiveBigIntegerField()
    previous_hash = models.CharField(max_length=64)
    leaf_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    text = models.TextField()

    time = models.DateTimeField()
    name = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=300)
    target_kind = models.CharField(max_length=30)
    target_id = models.BigIntegerField(null=True)
    target_label = models.CharField(max_length=300)
    member_id = models.BigIntegerField(null=True)  # whom the entry about a group or an invitation took in or let go
    address = models.CharField(max_length=45)
    request_id = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="event_sequence_is_unique"),
            models.UniqueConstraint(fields=["chain", "previous_hash"], name="event_chain_does_not_fork"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="event_sequence_starts_at_one"),
        ]
        indexes = [  # each ends with the sequence, so that no filter has to sort
            models.Index(fields=["chain", "time", "sequence"], name="event_by_time"),
            models.Index(fields=["chain", "name", "sequence"], name="event_by_name"),
            models.Index(fields=["chain", "target_kind", "target_id", "sequence"], name="event_by_target"),
            models.Index(
                fields=["chain", "member_id", "sequence"],
                condition=Q(member_id__isnull=False),
                name="event_by_member",
            ),
        ]

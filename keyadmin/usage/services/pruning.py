"""Let go of what is old, and of the oldest of what is too much."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from keyadmin.kernel import clock
from keyadmin.usage.models import AccessRecord, KeyAddress, UsageDay, UsageHour
from keyadmin.usage.services import partitions
from keyadmin.usage.services.partitions import usage_database

KEPT_FOR: Final = timedelta(days=30)
KEPT_RECORDS: Final = 10_000_000
KEPT_BYTES: Final = 4 << 30  # of access records with their indexes
HOURS_KEPT_FOR: Final = timedelta(days=90)
DAYS_KEPT_FOR: Final = timedelta(days=400)
BATCH: Final = 1_000


def prune() -> int:
    """Remove what is older than its span, and the oldest access records of too many; returns how many of these.

    In small batches, or in whole days where there are partitions, so that nobody waits for it.
    """
    now, database = clock.now(), usage_database()
    for model, field, span in (
        (UsageHour, "start", HOURS_KEPT_FOR),
        (UsageDay, "start", DAYS_KEPT_FOR),
        (KeyAddress, "last_seen", DAYS_KEPT_FOR),
    ):
        _remove(model, **{f"{field}__lt": now - span})
    newest = AccessRecord.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    too_many = newest - KEPT_RECORDS
    if database.vendor == "postgresql":
        removed = _drop_days(database, now - KEPT_FOR, too_many)
    else:
        removed = 0
        too_many = max(too_many, _too_large(database, newest))
    # Ids only grow: counting them instead of rows may keep a few records less, and needs no walk through all.
    return removed + _remove(AccessRecord, pk__lte=too_many) + _remove(AccessRecord, time__lt=now - KEPT_FOR)


def _drop_days(database: BaseDatabaseWrapper, oldest: datetime, too_many: int) -> int:
    """Whole days that are too old, or of which nothing is among the newest records, or that take too much room."""
    removed = 0
    sizes = {name: _size(database, name) for _, name in partitions.existing(database)}
    for day, name in partitions.existing(database):
        if day >= clock.now().date():
            break
        ended = datetime(day.year, day.month, day.day, tzinfo=oldest.tzinfo) + timedelta(days=1) <= oldest
        if ended or sum(sizes.values()) > KEPT_BYTES or _last_id(database, name) <= too_many:
            with transaction.atomic(using=database.alias):
                removed += partitions.drop(database, name)
            del sizes[name]
    return removed


def _last_id(database: BaseDatabaseWrapper, name: str) -> int:
    return int(_one(database, f"SELECT coalesce(max(id), 0) FROM {name}"))  # noqa: S608  the name is ours


def _size(database: BaseDatabaseWrapper, name: str) -> int:
    return int(_one(database, f"SELECT pg_total_relation_size('{name}')"))


def _too_large(database: BaseDatabaseWrapper, newest: int) -> int:
    """The id up to which records go where the file holds too many bytes; 0: none."""
    pages = _one(database, "PRAGMA page_count") - _one(database, "PRAGMA freelist_count")
    used = pages * _one(database, "PRAGMA page_size")
    if used <= KEPT_BYTES:
        return 0
    oldest = AccessRecord.objects.order_by("pk").values_list("pk", flat=True).first() or newest
    return int(newest - (newest - oldest + 1) * KEPT_BYTES // used)


def _one(database: BaseDatabaseWrapper, question: str) -> Any:
    with database.cursor() as cursor:
        cursor.execute(question)
        found: Any = cursor.fetchone()
    return found[0]


def _remove(model: type[Model], **condition: object) -> int:
    rows, removed = model._default_manager, 0
    while True:
        batch = rows.filter(**condition).values_list("pk", flat=True)[:BATCH]
        count, _ = rows.filter(pk__in=list(batch)).delete()
        removed += count
        if count < BATCH:
            return removed

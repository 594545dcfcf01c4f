"""The days of the table of access records on PostgreSQL, one partition each (UTC). On SQLite there are none."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from keyadmin.kernel import clock
from keyadmin.usage.models import AccessRecord

TABLE: Final = "usage_accessrecord"
AHEAD: Final = 3  # days
LOCK: Final = 0x6B61646179  # the same number in every process: "kaday"
# A page that reads, or a dump, holds the table: then try again later rather than hold up whoever comes after.
_PATIENCE: Final = "SET LOCAL lock_timeout = '2s'"


def usage_database() -> BaseDatabaseWrapper:
    """Where access records stand."""
    return connections[router.db_for_write(AccessRecord) or "default"]


def prepare() -> None:
    """Make the partitions of today and of the next days."""
    database, today = usage_database(), clock.now().date()
    if database.vendor == "postgresql":
        with transaction.atomic(using=database.alias):
            make(database, [today + timedelta(days=number) for number in range(AHEAD + 1)])


def make(database: BaseDatabaseWrapper, days: Iterable[date]) -> None:
    """Make those of these days that are missing, in the transaction that the caller has begun."""
    wanted = set(days)
    if wanted <= _there(database):
        return
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])  # one makes them, others wait
    for day in sorted(wanted - _there(database)):
        name, start = name_of(day), datetime(day.year, day.month, day.day, tzinfo=UTC)
        with database.cursor() as cursor:
            # Attached, not made as a part: that locks the table for nobody who reads or writes.
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {name} (LIKE {TABLE} INCLUDING DEFAULTS)")
            cursor.execute(
                f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM ('{start.isoformat()}') "
                f"TO ('{(start + timedelta(days=1)).isoformat()}')"
            )


def _there(database: BaseDatabaseWrapper) -> set[date]:
    return {day for day, _ in existing(database)}


def existing(database: BaseDatabaseWrapper) -> list[tuple[date, str]]:
    """The days that have a partition, the oldest first, with the names of their tables."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid "
            "WHERE inhparent = to_regclass(%s) ORDER BY child.relname",
            [TABLE],
        )
        names = [name for (name,) in cursor.fetchall()]
    return [(_day_of(name), name) for name in names]


def drop(database: BaseDatabaseWrapper, name: str) -> int:
    """Remove a day with all its records; returns how many they were."""
    with database.cursor() as cursor:
        cursor.execute(_PATIENCE)
        cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608  the name is ours
        number: Any = cursor.fetchone()
        cursor.execute(f"DROP TABLE {name}")
    return int(number[0])


def name_of(day: date) -> str:
    """The table of a day."""
    return f"{TABLE}_{day:%Y%m%d}"


def _day_of(name: str) -> date:
    return datetime.strptime(name.rpartition("_")[2], "%Y%m%d").replace(tzinfo=UTC).date()

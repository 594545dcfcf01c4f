"""Many access records into their table at once: COPY on PostgreSQL, one prepared INSERT on SQLite."""

from datetime import UTC, datetime
from typing import Any, Final

from django.db import DataError
from django.db.backends.base.base import BaseDatabaseWrapper

from keyadmin.kernel.text import one_line
from keyadmin.usage.models import AccessRecord
from keyadmin.usage.services import partitions
from keyadmin.usage.spool import Record

COLUMNS: Final = ("time", "organization_id", "key_id", "user_id", *Record._fields[4:])
UNSTORABLE: Final = (DataError, ValueError, OverflowError)
_LENGTHS: Final = {field.name: field.max_length for field in AccessRecord._meta.fields}
_LAST: Final = int(datetime(9000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


def insert(database: BaseDatabaseWrapper, records: list[Record]) -> None:
    """Write them. Raises one of UNSTORABLE where one of them can't be stored as it is."""
    if database.vendor == "postgresql":
        _copy(database, records)
        return
    rows = [(_text_time(record.time), *_ids(record), *record[4:]) for record in records]
    statement = f"INSERT INTO usage_accessrecord ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608
    with database.cursor() as cursor:
        cursor.executemany(statement, rows)


def _copy(database: BaseDatabaseWrapper, records: list[Record]) -> None:
    days = {datetime.fromtimestamp(day * 86400, UTC).date() for day in {r.time // 86_400_000_000 for r in records}}
    partitions.make(database, days)
    statement = f"COPY usage_accessrecord ({', '.join(COLUMNS)}) FROM STDIN"
    # Django knows nothing of COPY: what psycopg raises there would not pass for a DatabaseError of its own.
    with database.wrap_database_errors, database.cursor() as cursor, cursor.copy(statement) as copy:
        for record in records:
            seconds, rest = divmod(record.time, 1_000_000)
            copy.write_row((datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), *_ids(record), *record[4:]))


def _ids(record: Record) -> list[int | None]:
    """Organisation, key and user; null where there is none."""
    return [None if number < 0 else number for number in record[1:4]]


_second: tuple[int, str] = (-1, "")


def _text_time(time: int) -> str:
    """As Django writes a moment on SQLite. The same second comes thousands of times."""
    global _second
    seconds, rest = divmod(time, 1_000_000)
    if _second[0] != seconds:
        _second = (seconds, datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S"))
    return f"{_second[1]}.{rest:06d}" if rest else _second[1]


def storable(record: Record) -> Record:
    """The same as far as it can be stored: within the lengths of the columns, in a year that there is."""
    texts: dict[str, Any] = {
        name: one_line(getattr(record, name))[: _LENGTHS[name]] for name in Record._fields if name in _TEXTS
    }
    return record._replace(time=min(max(record.time, 0), _LAST), **texts)


_TEXTS: Final = frozenset(Record._fields[4:])

"""What is counted while records are drained: requests by hour and day, addresses, last uses. In plain SQL."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from keyadmin.usage.queries import ACCEPTED, EVERY_KEY
from keyadmin.usage.spool import Record

SECOND: Final = 1_000_000  # in the unit of a record's time
HOUR, DAY = 3600 * SECOND, 86400 * SECOND
MOST_ADDRESSES: Final = 200  # for each key: those seen last
CHUNK: Final = 500
NO_ORGANIZATION: Final = 0

_COUNT = (
    "INSERT INTO {table} (key_id, organization_id, start, outcome, number) {rows} "
    "ON CONFLICT (key_id, organization_id, start, outcome) DO UPDATE SET number = {table}.number + excluded.number"
)
_ADDRESS = (
    "INSERT INTO usage_keyaddress AS old (key_id, organization_id, address, first_seen, last_seen, number) "
    "{rows} ON CONFLICT (key_id, organization_id, address) DO UPDATE SET "
    "first_seen = CASE WHEN excluded.first_seen < old.first_seen THEN excluded.first_seen ELSE old.first_seen END, "
    "last_seen = CASE WHEN excluded.last_seen > old.last_seen THEN excluded.last_seen ELSE old.last_seen END, "
    "number = old.number + excluded.number"
)
_LAST_USE = (
    "INSERT INTO usage_lastuse AS old (key_id, time, address, noted) {rows} ON CONFLICT (key_id) DO UPDATE SET "
    "time = excluded.time, address = excluded.address, noted = excluded.noted WHERE excluded.time > old.time"
)
_CROWDED = "SELECT key_id FROM usage_keyaddress WHERE key_id IN ({ids}) GROUP BY key_id HAVING count(*) > {most}"
_FORGET = (
    "DELETE FROM usage_keyaddress WHERE key_id = %s AND id NOT IN (SELECT id FROM usage_keyaddress "
    "WHERE key_id = %s ORDER BY last_seen DESC, id DESC LIMIT %s)"
)


_COUNT_TYPES: Final = "bigint bigint timestamptz text bigint"
_ADDRESS_TYPES: Final = "bigint bigint text timestamptz timestamptz bigint"
_LAST_USE_TYPES: Final = "bigint timestamptz text boolean"


class Counted(NamedTuple):
    """Sums over a batch of records; times in microseconds since 1970.

    `hours`, `days`: (key, organisation, start, outcome) → number. `addresses`: (key, organisation, address) →
    [first, last, number]. `uses`: key → (time, address).
    """

    hours: Counter[tuple[int, int, int, str]]
    days: Counter[tuple[int, int, int, str]]
    addresses: dict[tuple[int, int, str], list[int]]
    uses: dict[int, tuple[int, str]]


def count(records: Iterable[Record]) -> Counted:
    """Add up a batch."""
    per_hour: Counter[tuple[int, int, int, str]] = Counter()
    addresses: dict[tuple[int, int, str], list[int]] = {}
    uses: dict[int, tuple[int, str]] = {}
    for record in records:
        time, organization, key = record.time, max(record.organization_id, NO_ORGANIZATION), record.key_id
        per_hour[key, organization, time - time % HOUR, record.outcome] += 1
        if key > 0 and record.outcome in ACCEPTED:
            seen = addresses.setdefault((key, organization, record.address), [time, time, 0])
            seen[0], seen[1], seen[2] = min(seen[0], time), max(seen[1], time), seen[2] + 1
            if key not in uses or uses[key][0] < time:
                uses[key] = (time, record.address)
    hours: Counter[tuple[int, int, int, str]] = Counter()
    days: Counter[tuple[int, int, int, str]] = Counter()
    for (key, organization, hour, outcome), number in per_hour.items():
        for counted in {EVERY_KEY, max(key, EVERY_KEY)}:
            hours[counted, organization, hour, outcome] += number
            days[counted, organization, hour - hour % DAY, outcome] += number
    return Counted(hours, days, addresses, uses)


def write(connection: BaseDatabaseWrapper, counted: Counted) -> None:
    """Add the sums to what stands in the database. In the order of their keys: so two that write don't deadlock."""
    for table, sums in (("usage_usagehour", counted.hours), ("usage_usageday", counted.days)):
        starts = {start: moment(connection, start) for start in {start for _, _, start, _ in sums}}
        rows: list[tuple[Any, ...]] = [
            (key, organization, starts[start], outcome, number)
            for (key, organization, start, outcome), number in sorted(sums.items())
        ]
        _insert(connection, _COUNT.replace("{table}", table), _COUNT_TYPES, rows)
    seen = [
        (*who, moment(connection, first), moment(connection, last), number)
        for who, (first, last, number) in sorted(counted.addresses.items())
    ]
    _insert(connection, _ADDRESS, _ADDRESS_TYPES, seen)
    uses = [(key, moment(connection, at), address, False) for key, (at, address) in sorted(counted.uses.items())]
    _insert(connection, _LAST_USE, _LAST_USE_TYPES, uses)
    _bound_addresses(connection, sorted({key for key, _, _ in counted.addresses}))


def moment(connection: BaseDatabaseWrapper, time: int) -> Any:
    """Microseconds since 1970 as the database keeps them."""
    whole = datetime.fromtimestamp(time // SECOND, UTC).replace(microsecond=time % SECOND)
    return connection.ops.adapt_datetimefield_value(whole)


def _insert(connection: BaseDatabaseWrapper, statement: str, types: str, rows: list[tuple[Any, ...]]) -> None:
    """All rows with one statement; PostgreSQL takes them as one array for each column."""
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{kind}[]" for kind in types.split())
            cursor.execute(
                statement.replace("{rows}", f"SELECT * FROM unnest({arrays})"),  # noqa: S608  names of ours alone
                [list(column) for column in zip(*rows, strict=True)],
            )
        else:
            cursor.executemany(statement.replace("{rows}", f"VALUES ({', '.join(['%s'] * len(rows[0]))})"), rows)


def _bound_addresses(connection: BaseDatabaseWrapper, keys: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        for first in range(0, len(keys), CHUNK):
            some = keys[first : first + CHUNK]
            places = ", ".join(["%s"] * len(some))
            cursor.execute(_CROWDED.replace("{ids}", places).replace("{most}", str(MOST_ADDRESSES)), some)
            for (key,) in cursor.fetchall():
                cursor.execute(_FORGET, [key, key, MOST_ADDRESSES])

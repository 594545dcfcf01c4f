"""When keys were used last: copied from the usage slice, for lists to show, sort and filter by."""

from django.db import connection

from keyadmin.keys.models import APIKey
from keyadmin.usage import queries as usage
from keyadmin.usage import services as records
from keyadmin.usage.queries import Use

BATCH = 500
_LATEST = (
    "INSERT INTO keys_keyuse AS old (key_id, time, address) VALUES {rows} ON CONFLICT (key_id) DO UPDATE SET "
    "time = excluded.time, address = excluded.address WHERE excluded.time > old.time"
)


def note_uses() -> int:
    """Copy what has come since the last time; returns how many keys that were.

    No activity, no epoch and no version: it changes nothing that a key may do. It never goes back, and may run twice.
    """
    noted = 0
    while uses := usage.uses_to_note(BATCH):
        _write(uses)
        records.note_written(uses)
        noted += len(uses)
    return noted


def _write(uses: list[Use]) -> None:
    there = set(APIKey.objects.filter(pk__in=[use.key_id for use in uses]).values_list("pk", flat=True))
    adapted = connection.ops.adapt_datetimefield_value
    rows = [(use.key_id, adapted(use.time), use.address) for use in uses if use.key_id in there]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(
                _LATEST.replace("{rows}", ", ".join(["(%s, %s, %s)"] * len(rows))),
                [value for row in rows for value in row],
            )

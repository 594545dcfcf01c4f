"""Keep what became of a request."""

from functools import lru_cache
from typing import Final

from django.conf import settings

from keyadmin.kernel import clock
from keyadmin.kernel.actor import Subject
from keyadmin.kernel.text import kept_line
from keyadmin.usage.queries import Use
from keyadmin.usage.services.partitions import usage_database
from keyadmin.usage.spool import Record, Spool

LONGEST_REMEMBERED: Final = 500  # characters
_NOTED = "UPDATE usage_lastuse SET noted = TRUE WHERE (key_id, time) IN (VALUES {rows})"

spool = Spool(settings.ENV.data_dir / "spool")


def access(
    *,
    outcome: str,
    reason: str = "",
    missing_permission: str = "",
    subject: Subject,
    method: str,
    path: str,
    address: str,
    user_agent: str,
    request_id: str,
) -> Record:
    """What became of a request, at this moment.

    `path` is without query and one-use tokens. Long texts are cut, whole keys in them masked.
    """
    return Record(
        int(clock.timestamp() * 1_000_000),
        -1 if subject.organization_id is None else subject.organization_id,
        -1 if subject.key_id is None else subject.key_id,
        -1 if subject.user_id is None else subject.user_id,
        _kept(method, 20),
        _kept(path, 500),
        outcome,
        reason,
        missing_permission,
        _kept(subject.who, 300),
        subject.token_id,
        address,
        _kept(user_agent, 300),
        request_id,
    )


def record(*records: Record) -> None:
    """Keep records in the spool of this process, from where the worker takes them. Never raises."""
    spool.append(*records)


def _kept(text: str, longest: int) -> str:
    return _remembered(text, longest) if len(text) <= LONGEST_REMEMBERED else kept_line(text, longest)


# The same few texts come again and again, and cleaning one takes longer than all the rest.
_remembered = lru_cache(maxsize=8192)(kept_line)


def note_written(uses: list[Use]) -> None:
    """These last uses stand in the administration database now; what came later does not yet. One statement."""
    if not uses:
        return
    database = usage_database()
    adapted = database.ops.adapt_datetimefield_value
    with database.cursor() as cursor:
        cursor.execute(
            _NOTED.replace("{rows}", ", ".join(["(%s, %s)"] * len(uses))),
            [value for use in uses for value in (use.key_id, adapted(use.time))],
        )

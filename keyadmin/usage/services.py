"""Write and prune access records. They change nothing, so there is no unit of work, no actor and no event."""

from datetime import timedelta
from functools import lru_cache

from django.conf import settings

from keyadmin.kernel import clock
from keyadmin.kernel.actor import Subject
from keyadmin.kernel.text import kept_line
from keyadmin.usage.models import AccessRecord
from keyadmin.usage.spool import Record, Spool

KEPT_FOR = timedelta(days=30)
KEPT_RECORDS = 1_000_000
BATCH = 1_000
_spool = Spool(settings.ENV.data_dir / "spool")


def record(
    *,
    outcome: str,
    reason: str = "",
    missing_permission: str = "",
    subject: Subject,
    token_id: str = "",
    method: str,
    path: str,
    address: str,
    user_agent: str,
    request_id: str,
) -> None:
    """Keep what became of a request: in the spool of this process, from where the worker takes it. Never raises.

    `path` is without query and one-use tokens. Long texts are cut, whole keys in them masked.
    """
    _spool.append(
        Record(
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
            token_id,
            address,
            _kept(user_agent, 300),
            request_id,
        )
    )


# The same few texts come again and again, and cleaning one takes longer than all the rest.
_kept = lru_cache(maxsize=8192)(kept_line)


def prune() -> int:
    """Remove records that are older than 30 days, and the oldest of more than a million; returns how many.

    In small batches, so that nobody waits for it.
    """
    newest = AccessRecord.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    # Ids only grow: counting them instead of rows may keep a few records less, and needs no walk through all.
    return _remove(pk__lte=newest - KEPT_RECORDS) + _remove(time__lt=clock.now() - KEPT_FOR)


def _remove(**condition: object) -> int:
    removed = 0
    while True:
        batch = AccessRecord.objects.filter(**condition).values_list("pk", flat=True)[:BATCH]
        count, _ = AccessRecord.objects.filter(pk__in=list(batch)).delete()
        removed += count
        if count < BATCH:
            return removed

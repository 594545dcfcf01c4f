"""Write and prune access records. They change nothing, so there is no unit of work, no actor and no event."""

from datetime import timedelta

from django.db.models import CharField

from keyadmin.kernel import clock
from keyadmin.kernel.actor import Subject
from keyadmin.kernel.text import kept_line
from keyadmin.usage.models import AccessRecord

KEPT_FOR = timedelta(days=30)
KEPT_RECORDS = 1_000_000
BATCH = 1_000
LONGEST = {field.name: field.max_length or 0 for field in AccessRecord._meta.fields if isinstance(field, CharField)}


def record(
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
) -> None:
    """Keep what became of a request, whose transaction has ended. Long texts are cut, whole keys in them masked.

    `path` is without query and one-use tokens. Raises DatabaseError or InterfaceError if it can't be written.
    """
    texts = {
        "method": method,
        "path": path,
        "outcome": outcome,
        "reason": reason,
        "missing_permission": missing_permission,
        "who": subject.who,
        "address": address,
        "user_agent": user_agent,
        "request_id": request_id,
    }
    AccessRecord.objects.create(
        time=clock.now(),
        organization_id=subject.organization_id,
        key_id=subject.key_id,
        user_id=subject.user_id,
        **{name: kept_line(text, LONGEST[name]) for name, text in texts.items()},
    )


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

"""How usage stands in JSON."""

from collections.abc import Iterable, Sequence

from keyadmin.kernel import clock
from keyadmin.usage import queries
from keyadmin.usage.models import AccessRecord
from keyadmin.usage.queries import Address, Point


def record_fields(row: AccessRecord) -> dict[str, object]:
    """One access record; empty texts and ids are null."""
    return {
        "id": row.pk,
        "time": clock.rfc3339(row.time),
        "method": row.method,
        "path": row.path,
        "outcome": row.outcome,
        "reason": row.reason or None,
        "missing_permission": row.missing_permission or None,
        "api_key_id": row.key_id,
        "token_id": row.token_id or None,
        "user_id": row.user_id,
        "who": row.who or None,
        "address": row.address,
        "user_agent": row.user_agent,
        "request_id": row.request_id,
    }


def usage_fields(points: Iterable[Point], addresses: Sequence[Address]) -> dict[str, object]:
    """Counts by span of time and in all, addresses (the last first), last use. Spans without a request are left out."""
    every, last = list(points), addresses[0] if addresses else None
    spans: dict[str, dict[str, int]] = {}
    for point in every:
        spans.setdefault(clock.rfc3339(point.start), {})[point.outcome] = point.number
    return {
        "items": [{"start": start, "requests": found, "total": sum(found.values())} for start, found in spans.items()],
        "requests": queries.totals(every),
        "total": sum(point.number for point in every),
        "last_used": clock.rfc3339(last.last_seen) if last else None,
        "last_used_from": last.address if last else None,
        "addresses": [
            {
                "address": one.address,
                "first_seen": clock.rfc3339(one.first_seen),
                "last_seen": clock.rfc3339(one.last_seen),
                "requests": one.number,
            }
            for one in addresses
        ],
    }

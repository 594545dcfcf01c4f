"""The status of a key: derived, never stored. One table of rules serves Python and SQL."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from django.db.models import Case, CharField, Q, Value, When


class Status(StrEnum):
    """In order of precedence."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    PAUSED = "paused"
    EXPIRING_SOON = "expiring_soon"
    ACTIVE = "active"


class Dated(Protocol):
    """The four moments (aware, UTC, or None) that decide."""

    @property
    def revoked_at(self) -> datetime | None: ...
    @property
    def expired_seen_at(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def paused_at(self) -> datetime | None: ...


WORKING = (Status.ACTIVE, Status.EXPIRING_SOON)
SOON = timedelta(days=30)
_ANY_TIME = None

# The first rule that fits gives the status. A rule fits when the field is set and, where a span is given, lies no
# later than now + span. A moment that was seen to expire stays expired, even if the clock is set back.
RULES: tuple[tuple[Status, str, timedelta | None], ...] = (
    (Status.REVOKED, "revoked_at", _ANY_TIME),
    (Status.EXPIRED, "expired_seen_at", _ANY_TIME),
    (Status.EXPIRED, "expires_at", timedelta(0)),
    (Status.PAUSED, "paused_at", _ANY_TIME),
    (Status.EXPIRING_SOON, "expires_at", SOON),
)


def status_of(key: Dated, now: datetime) -> Status:
    """The status of one key at a moment."""
    for status, field, span in RULES:
        moment: datetime | None = getattr(key, field)
        if moment is not None and (span is None or moment <= now + span):
            return status
    return Status.ACTIVE


def status_sql(now: datetime) -> Case:
    """The same as an expression for annotate(), filter() and order_by()."""
    return Case(
        *(When(_condition(field, span, now), then=Value(status.value)) for status, field, span in RULES),
        default=Value(Status.ACTIVE.value),
        output_field=CharField(),
    )


def _condition(field: str, span: timedelta | None, now: datetime) -> Q:
    return Q(**{f"{field}__isnull": False}) if span is None else Q(**{f"{field}__lte": now + span})


# What each choice of the status filter shows. "Active" includes what expires soon.
FILTERS: dict[str, frozenset[Status]] = {
    "not_revoked": frozenset(Status) - {Status.REVOKED},
    "all": frozenset(Status),
    "active": frozenset({Status.ACTIVE, Status.EXPIRING_SOON}),
    "expiring_soon": frozenset({Status.EXPIRING_SOON}),
    "expired": frozenset({Status.EXPIRED}),
    "paused": frozenset({Status.PAUSED}),
    "revoked": frozenset({Status.REVOKED}),
}

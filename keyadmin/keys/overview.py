"""What the overview says of the visible keys as a whole: what needs attention, and how many come and go when."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import TruncDate

from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.keys.models import APIKey
from keyadmin.keys.queries import admin_keys, visible_keys
from keyadmin.keys.status import Status, status_sql

NEAR = timedelta(days=7)
LONG = timedelta(days=30)


class Need(IntEnum):
    """Why a key needs attention, the most urgent first."""

    EXPIRES = 1
    UNCONFIRMED = 2
    ADMIN = 3
    EXPIRED = 4
    PAUSED = 5


def needing_attention(actor: Actor, number: int) -> list[tuple[Need, APIKey]]:
    """The keys that somebody should look at, each with its most urgent reason."""
    now = clock.now()
    works = Q(status_now__in=[Status.ACTIVE, Status.EXPIRING_SOON])
    need = Case(
        When(status_now=Status.EXPIRING_SOON, expires_at__lte=now + NEAR, then=Need.EXPIRES.value),
        When(works | Q(status_now=Status.PAUSED), secret_confirmed_at=None, then=Need.UNCONFIRMED.value),
        When(works & admin_keys(), expires_at=None, then=Need.ADMIN.value),
        When(status_now=Status.EXPIRED, expires_at__gte=now - LONG, then=Need.EXPIRED.value),
        When(status_now=Status.PAUSED, paused_at__lte=now - LONG, then=Need.PAUSED.value),
        output_field=IntegerField(null=True),
    )
    keys = visible_keys(actor).annotate(status_now=status_sql(now)).annotate(need=need).filter(need__isnull=False)
    first = keys.order_by("need", F("expires_at").asc(nulls_last=True), "created_at", "pk")[:number]
    return [(Need(key.need), key) for key in first]


def per_day(actor: Actor, spans: Mapping[str, tuple[date, date]]) -> dict[str, dict[date, int]]:
    """For each moment (a field): how many visible keys have it on each day (UTC) of its span, in one query.

    Revoked keys expire no more, so they count for other moments only.
    """
    parts = [_days(actor, moment, *span) for moment, span in spans.items()]
    found: dict[str, dict[date, int]] = {moment: {} for moment in spans}
    for moment, day, number in parts[0].union(*parts[1:], all=True):
        found[moment][day] = number
    return found


def _days(actor: Actor, moment: str, first: date, last: date) -> QuerySet[Any, Any]:
    bounds = (datetime.combine(first, time.min, UTC), datetime.combine(last, time.max, UTC))
    keys = visible_keys(actor).order_by().filter(**{f"{moment}__range": bounds})
    if moment == "expires_at":
        keys = keys.filter(revoked_at=None)
    days = keys.annotate(moment=Value(moment), day=TruncDate(moment, tzinfo=UTC)).values("moment", "day")
    return days.annotate(number=Count("pk")).values_list("moment", "day", "number")

"""How much a key is used, as its page shows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import DeniedError
from keyadmin.keys import queries
from keyadmin.keys.models import APIKey
from keyadmin.usage import queries as usage
from keyadmin.usage.queries import ALLOWED, Address, Point
from keyadmin.web import charts, words

DAYS, SHOWN_ADDRESSES = 30, 8
OUTCOMES = {
    ALLOWED: "Allowed",
    "insufficient_scope": "Refused: missing permission",
    "rate_limited": "Refused: rate limit",
    "invalid_key": "Refused: invalid key",
    "key_expired": "Refused: expired",
    "key_paused": "Refused: paused",
    "key_blocked": "Refused: blocked by the organisation",
    "owner_disabled": "Refused: owner disabled",
    "organization_suspended": "Refused: organisation suspended",
    "address_not_allowed": "Refused: address not allowed",
    "site_key_required": "Refused: site key missing or wrong",
    "wrong_environment": "Refused: wrong environment",
    "unavailable": "Not answered",
}


@dataclass(frozen=True)
class KeyUsage:
    """The last thirty days of a key: a picture, what it says, and each outcome; and from where, the last first."""

    chart: charts.Chart
    caption: str
    outcomes: list[tuple[str, int]]
    addresses: list[Address]
    more_addresses: bool


def usage_of(actor: Actor, key: APIKey) -> KeyUsage | None:
    """None for who may not see the usage of this key. Two queries, however much it is used."""
    try:
        scope = queries.usage_of(actor, key)
    except DeniedError:
        return None
    since, until = usage.span("day", None, None)
    points = usage.of_key(key.pk, "day", since, until, scope)
    totals = usage.totals(points)
    addresses = usage.addresses(key.pk, scope, SHOWN_ADDRESSES + 1)
    return KeyUsage(
        charts.chart(charts.days(since.date(), DAYS, *_by_day(points))),
        _caption(totals),
        [
            (OUTCOMES.get(outcome, f"Refused: {outcome.replace('_', ' ')}"), number)
            for outcome, number in totals.items()
        ],
        addresses[:SHOWN_ADDRESSES],
        len(addresses) > SHOWN_ADDRESSES,
    )


def _by_day(points: Iterable[Point]) -> tuple[dict[date, int], dict[date, int]]:
    """What was allowed and what was refused on each day (UTC)."""
    allowed: dict[date, int] = {}
    refused: dict[date, int] = {}
    for point in points:
        series = allowed if point.outcome == ALLOWED else refused
        day = point.start.date()
        series[day] = series.get(day, 0) + point.number
    return allowed, refused


def _caption(totals: dict[str, int]) -> str:
    """`1,204 requests in the last 30 days, 12 of them refused.`"""
    every = sum(totals.values())
    refused = every - totals.get(ALLOWED, 0)
    ending = f", {refused:,} of them refused" if refused and every > 1 else ", refused" if refused else ""
    return f"{words.counted(every, 'request')} in the last {DAYS} days{ending}. Days are in UTC."

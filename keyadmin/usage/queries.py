"""What became of requests, for whoever may know it: the caller says of which organisations and keys that is.

Charts read the counts by hour and day alone, never the records, however many there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

from django.db.models import Q, QuerySet, Sum

from keyadmin.kernel import clock
from keyadmin.kernel.errors import KINDS, InvalidError
from keyadmin.usage.models import AccessRecord, KeyAddress, LastUse, UsageDay, UsageHour

Unit = Literal["hour", "day"]
# The key was good: it was used, though what was asked of it may not have been allowed.
ACCEPTED: Final = frozenset({"allowed", "insufficient_scope", "rate_limited"})
ALLOWED: Final = "allowed"
# What a record can say, beside the public codes: of what Django answers by itself, and of refused sign-ins.
OF_SIGN_IN: Final = ("wrong_password", "wrong_code", "wrong_passkey", "person_disabled")
OUTCOMES: Final = frozenset({ALLOWED, "forbidden", *OF_SIGN_IN, *KINDS})
OF_SSO: Final = "sso_"
ONE_REQUEST, LONGEST_SEARCH = timedelta(hours=24), timedelta(days=31)  # request ids have no index
EVERY_KEY: Final = 0  # the key id under which an organisation's requests are counted together
COUNTED: Final = 10_000
USUAL: Final[dict[Unit, timedelta]] = {"hour": timedelta(days=2), "day": timedelta(days=30)}
LONGEST: Final[dict[Unit, timedelta]] = {"hour": timedelta(days=31), "day": timedelta(days=400)}


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which requests somebody may know: those about these organisations (None: all), and those of these keys."""

    organization_ids: frozenset[int] | None = frozenset()
    key_ids: frozenset[int] = frozenset()


class Point(NamedTuple):
    """How many requests of one outcome there were in the hour or day that begins at `start`."""

    start: datetime
    outcome: str
    number: int


class Address(NamedTuple):
    """From where a key was used: when first, when last, and how often."""

    address: str
    first_seen: datetime
    last_seen: datetime
    number: int


class Use(NamedTuple):
    """When a key was used last and from where, in whichever organisation: that is for whoever may see all of it."""

    key_id: int
    time: datetime
    address: str


def span(unit: Unit, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """From when until when to count: what is asked, or the last two days by hours, thirty by days.

    Both are moved to where an hour or a day begins or ends. Raises InvalidError for a span that is empty or too long.
    """
    step = timedelta(hours=1) if unit == "hour" else timedelta(days=1)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    try:
        ending = epoch + -(-((until or clock.now()) - epoch) // step) * step
        beginning = ending - USUAL[unit] if since is None else epoch + (since - epoch) // step * step
    except OverflowError:
        raise InvalidError.field("to", "That is out of range.") from None
    if not timedelta() < ending - beginning <= LONGEST[unit]:
        text = f"The span must not be empty, nor longer than {LONGEST[unit].days} days by the {unit}."
        raise InvalidError.field("from", text)
    return beginning, ending


def of_key(key_id: int, unit: Unit, since: datetime, until: datetime, organizations: Scope) -> list[Point]:
    """The requests of a key by hour or day and outcome, the oldest first; `until` is not in it. One query."""
    rows = _counts(unit, since, until).filter(key_id=key_id)
    if organizations.organization_ids is not None and key_id not in organizations.key_ids:
        rows = rows.filter(organization_id__in=organizations.organization_ids)
    return _points(rows)


def of_organization(organization_id: int, unit: Unit, since: datetime, until: datetime) -> list[Point]:
    """The same for all requests of an organisation, whichever key they came with, or none. One query."""
    return _points(_counts(unit, since, until).filter(key_id=EVERY_KEY, organization_id=organization_id))


def totals(points: Iterable[Point]) -> dict[str, int]:
    """How many requests of each outcome there were in all, the most frequent first."""
    found: dict[str, int] = {}
    for point in points:
        found[point.outcome] = found.get(point.outcome, 0) + point.number
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def busiest(organization_id: int, since: datetime, until: datetime, number: int) -> list[tuple[int, int]]:
    """The keys of an organisation with the most requests, by days: id and number. One query."""
    rows = _counts("day", since, until).filter(organization_id=organization_id).exclude(key_id=EVERY_KEY)
    found = rows.values("key_id").annotate(every=Sum("number")).order_by("-every", "key_id")[:number]
    return [(row["key_id"], row["every"]) for row in found]


def addresses(key_id: int, organizations: Scope, number: int) -> list[Address]:
    """From where a key was used, the last first. One query."""
    rows = KeyAddress.objects.filter(key_id=key_id)
    if organizations.organization_ids is not None and key_id not in organizations.key_ids:
        rows = rows.filter(organization_id__in=organizations.organization_ids)
    found: dict[str, Address] = {}
    for row in rows.order_by("-last_seen", "address"):  # one row for each organisation
        one = found.get(row.address)
        first = row.first_seen if one is None else min(one.first_seen, row.first_seen)
        last = row.last_seen if one is None else one.last_seen
        found[row.address] = Address(row.address, first, last, row.number + (one.number if one else 0))
    return list(islice(found.values(), number))


def uses_to_note(number: int) -> list[Use]:
    """Last uses that the administration database does not know yet."""
    rows = LastUse.objects.filter(noted=False).order_by("key_id")[:number]
    return [Use(row.key_id, row.time, row.address) for row in rows]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records: from a moment on, before another, of an outcome, a key, a request. None: whatever it is."""

    since: datetime | None = None
    until: datetime | None = None
    outcome: str | None = None
    key_id: int | None = None
    request_id: str | None = None


def wanted(asked: Wanted) -> Wanted:
    """The same, checked; a request is looked for in the last 24 hours before `until`, unless `since` is earlier.

    Raises InvalidError for an outcome that does not exist, an empty span, and a request to look for in over 31 days.
    """
    if asked.outcome is not None and asked.outcome not in OUTCOMES and not asked.outcome.startswith(OF_SSO):
        raise InvalidError.field("outcome", "There is no such outcome.")
    if asked.since is not None and asked.until is not None and asked.since > asked.until:
        raise InvalidError.field("from", "This must not be after the end.")
    if asked.request_id is None:
        return asked
    ending = asked.until or clock.now()
    if asked.since is None:
        return replace(asked, since=ending - ONE_REQUEST)
    if ending - asked.since > LONGEST_SEARCH:
        raise InvalidError.field("from", f"A request is looked for in {LONGEST_SEARCH.days} days at most.")
    return asked


class Records(NamedTuple):
    """Some records, the newest first; where the next ones begin (empty: there are none); how many there are in all.

    `total` is exact to 10,000, and not more than one more.
    """

    records: list[AccessRecord]
    following: str
    total: int


def records(scope: Scope, wanted: Wanted, cursor: str, size: int) -> Records:
    """A page of the access log. Raises InvalidError for a cursor that none of these pages has given."""
    walks = [_wanted(rows, wanted) for rows in _visible(scope, wanted.key_id)]
    parts = [_before(rows, cursor).order_by("-time", "-pk")[: size + 1] for rows in walks]
    found = list(islice(merge(*parts, key=_newest_first), size + 1))
    following = _cursor_of(found[size - 1]) if len(found) > size else ""
    total = 0
    for rows in walks:
        total += rows.order_by().values("pk")[: COUNTED + 1 - total].count() if total <= COUNTED else 0
    return Records(found[:size], following, total)


def _counts(unit: Unit, since: datetime, until: datetime) -> QuerySet[Any]:
    model: Any = UsageHour if unit == "hour" else UsageDay
    rows: QuerySet[Any] = model.objects.filter(start__gte=since, start__lt=until)
    return rows


def _points(rows: QuerySet[Any]) -> list[Point]:
    summed = rows.values("start", "outcome").annotate(every=Sum("number")).order_by("start", "outcome")
    return [Point(row["start"], row["outcome"], row["every"]) for row in summed]


def _visible(scope: Scope, key_id: int | None) -> list[QuerySet[AccessRecord]]:
    """The records of a scope as walks along an index each, no record in two of them."""
    every = AccessRecord.objects.all()
    if scope.organization_ids is None or (key_id is not None and key_id in scope.key_ids):
        return [every]
    walks = [every.filter(organization_id=pk) for pk in sorted(scope.organization_ids)]
    if scope.key_ids and key_id is None:
        own = every.filter(key_id__in=scope.key_ids)
        elsewhere = ~Q(organization_id__in=scope.organization_ids) | Q(organization_id=None)
        walks.append(own.filter(elsewhere) if scope.organization_ids else own)
    return walks


def _wanted(rows: QuerySet[AccessRecord], wanted: Wanted) -> QuerySet[AccessRecord]:
    if wanted.since is not None:
        rows = rows.filter(time__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(time__lt=wanted.until)
    if wanted.outcome is not None:
        rows = rows.filter(outcome=wanted.outcome)
    if wanted.request_id is not None:
        rows = rows.filter(request_id=wanted.request_id)
    return rows if wanted.key_id is None else rows.filter(key_id=wanted.key_id)


def _before(rows: QuerySet[AccessRecord], cursor: str) -> QuerySet[AccessRecord]:
    if not cursor:
        return rows
    time, _, number = cursor.partition("-")
    if not (time.isdigit() and number.isdigit() and len(time) <= 17 and len(number) <= 18 and cursor.isascii()):
        raise InvalidError.field("cursor", "Take the cursor from the last answer.")
    seconds, rest = divmod(int(time), 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
    return rows.filter(time__lte=moment).exclude(time=moment, pk__gte=int(number))


def _cursor_of(row: AccessRecord) -> str:
    seconds = int(row.time.timestamp() // 1)
    return f"{seconds * 1_000_000 + row.time.microsecond}-{row.pk}"


def _newest_first(row: AccessRecord) -> tuple[float, int]:
    return -row.time.timestamp(), -row.pk

"""Time: what now is, how a moment is written, and how what people and programs send is read. All in UTC."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

MAX_DAYS: Final = 36500

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DATE_TIME = re.compile(
    _DATE.pattern + r"[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_DAYS = re.compile(r"([0-9]{1,5})d")
_shifted: ContextVar[datetime | None] = ContextVar("shifted clock", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC. Call it as `clock.now()`, so that a test can shift it."""
    return _shifted.get() or datetime.now(UTC)


def timestamp() -> float:
    """The same moment in seconds since 1970."""
    shifted = _shifted.get()
    return time.time() if shifted is None else shifted.timestamp()


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let it be `moment` (aware) for what is done inside, in this thread alone. Only demo data and tests use it."""
    token = _shifted.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _shifted.reset(token)


def rfc3339(moment: datetime) -> str:
    """`moment` as `2026-01-10T23:59:59Z` (RFC 3339): UTC, whole seconds, rounded down.

    Raises ValueError for a moment without a time zone, or outside the years 1 to 9999 in UTC.
    """
    if moment.utcoffset() is None:
        raise ValueError("A moment without a time zone can't be written.")
    return _in_utc(moment).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_moment(text: str) -> datetime:
    """The moment that `text` names, aware, in UTC, to the microsecond (further digits are dropped).

    Either an RFC 3339 date-time, whose offset (`Z`, `+02:00`) is required, or a bare date `YYYY-MM-DD`, which
    means the end of that day, 23:59:59Z. Leap seconds (`:60`) are not accepted.
    Raises ValueError, with a text for users, for anything else; nothing around the moment is tolerated.
    """
    match = _DATE_TIME.fullmatch(f"{text}T23:59:59Z" if _DATE.fullmatch(text) else text)
    if match is None:
        raise ValueError("Write a date such as 2026-12-31, or a date and time such as 2026-12-31T23:59:59Z.")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    microsecond = int((match[7] or "")[:6].ljust(6, "0"))
    if match[8] is None:
        raise ValueError("The time needs its offset from UTC, such as Z or +02:00, at the end.")
    offset = _offset(match[8])
    try:
        moment = datetime(year, month, day, hour, minute, second, microsecond, offset)
    except ValueError:
        raise ValueError("There is no such date or time.") from None
    return _in_utc(moment)


def parse_expiry(text: str, *, at: datetime) -> datetime | None:
    """The moment at which a key expires, aware, in UTC; None for `never`.

    Takes what `parse_moment` takes, `never`, and `<n>d`: the end (23:59:59Z) of the day n days after `at`
    (aware), n from 1 to 36500. Raises ValueError, with a text for users, for anything else and for a moment
    that is not after `at`.
    """
    if text == "never":
        return None
    days = _DAYS.fullmatch(text)
    moment = _end_of_day_after(int(days[1]), at) if days else parse_moment(text)
    if moment <= at:
        raise ValueError("The expiry date must be in the future.")
    return moment


def _end_of_day_after(days: int, at: datetime) -> datetime:
    if not 1 <= days <= MAX_DAYS:
        raise ValueError(f"The number of days must be from 1 to {MAX_DAYS}.")
    try:
        return (_in_utc(at) + timedelta(days=days)).replace(hour=23, minute=59, second=59, microsecond=0)
    except OverflowError:
        raise ValueError("That date is too far away: the last year is 9999.") from None


def _offset(text: str) -> timezone:
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:])
    if hours > 23 or minutes > 59:  # RFC 3339, 5.6: time-numoffset
        raise ValueError("There is no such offset from UTC.")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("That date is out of range: years go from 1 to 9999.") from None

"""Times and figures in the words that pages use."""

from datetime import date, datetime, timedelta

STEPS = (
    (timedelta(days=365), "year"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
)
ABBREVIATED = ("h", "min")
YEARS_FROM = timedelta(days=730)


def day(moment: date) -> str:
    """`12 Feb 2027`, in the zone of `moment`."""
    return f"{moment.day} {moment:%b %Y}"


def exact(moment: datetime) -> str:
    """`Fri 12 Feb 2027, 23:59:59 UTC`, in the zone of `moment`."""
    return f"{moment:%a} {day(moment)}, {moment:%H:%M:%S %Z}"


def to_the_minute(moment: datetime) -> str:
    """`Fri 12 Feb 2027, 23:59 UTC`, in the zone of `moment`."""
    return f"{moment:%a} {day(moment)}, {moment:%H:%M %Z}"


def relative(moment: datetime, now: datetime) -> str:
    """`just now`, `4 min ago`, `in 3 days`: the largest unit that fits, cut off, not rounded."""
    distance = moment - now
    span = abs(distance)
    for step, unit in STEPS:
        if span >= (YEARS_FROM if unit == "year" else step):
            count = span // step
            text = f"{count} {unit if count == 1 or unit in ABBREVIATED else unit + 's'}"
            return f"in {text}" if distance > timedelta() else f"{text} ago"
    return "just now" if distance <= timedelta() else "in less than a minute"


def counted(count: int, singular: str, plural: str = "") -> str:
    """`1 API key`, `1,204 API keys`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"

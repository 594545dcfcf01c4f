"""A rate limit in two columns of a table: both are empty, or both hold what can be written."""

from django.db.models import Q

from keyadmin.kernel.rates import MOST, UNITS, Rate, parse_rate


def rate_or_none(count: str, seconds: str) -> Q:
    """The condition of a check constraint over the two columns."""
    empty = Q(**{f"{count}__isnull": True, f"{seconds}__isnull": True})
    # Whole: a comparison with null is neither true nor false, which a database lets pass.
    whole = Q(**{f"{count}__isnull": False, f"{seconds}__isnull": False})
    return empty | whole & Q(**{f"{count}__range": (1, MOST), f"{seconds}__in": list(UNITS.values())})


def rate_of(count: int | None, seconds: int | None) -> Rate | None:
    """What the two columns say."""
    return None if count is None or seconds is None else Rate(count, seconds)


def columns_of(text: str | None) -> tuple[int | None, int | None]:
    """What the two columns hold for a text such as `600/minute`. Raises ValueError."""
    return (None, None) if text is None else parse_rate(text)

"""Rate limits as people write them, `600/minute`, and what callers are told of them."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
MOST: Final = 1_000_000
WRONG: Final = f"Write a number from 1 to {MOST:,} and a unit, such as 600/minute: second, minute, hour or day."
_NAMES = {seconds: name for name, seconds in UNITS.items()}
_RATE = re.compile(r"([1-9][0-9]{0,6})/(second|minute|hour|day)", re.ASCII)


class Rate(NamedTuple):
    """So many requests at most in any stretch of so many seconds, which are those of a unit."""

    number: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.number}/{_NAMES[self.seconds]}"

    def times(self, factor: int) -> "Rate":
        """So many times as many requests in the same stretch; may be more than can be written."""
        return Rate(self.number * factor, self.seconds)

    def exceeds(self, other: "Rate") -> bool:
        """Whether there is a stretch, long or short, in which this allows more than the other."""
        return self.number > other.number or self.number * other.seconds > other.number * self.seconds


class Count(NamedTuple):
    """What came of one request: whether it is within the limit, how many more are, and when there will be more.

    `after` is in whole seconds: until the next request is allowed, or, while some are left, until all are again.
    """

    rate: Rate
    allowed: bool
    left: int
    after: int

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 has them; with Retry-After (RFC 9110 §10.2.3) when refused."""
        found = {name.decode(): value.decode() for name, value in self.raw_headers}
        return found if self.allowed else {**found, "Retry-After": str(self.after)}

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """RateLimit-Policy and RateLimit as ASGI has headers."""
        return [_policy(self.rate), (b"ratelimit", b'"key";r=%d;t=%d' % (self.left, self.after))]


@lru_cache(maxsize=1024)
def _policy(rate: Rate) -> tuple[bytes, bytes]:
    return b"ratelimit-policy", b'"key";q=%d;w=%d' % rate


def parse_rate(text: str) -> Rate:
    """The limit that a text writes. Raises ValueError with what would be right."""
    found = _RATE.fullmatch(text.strip().lower())
    if found is None or int(found[1]) > MOST:
        raise ValueError(WRONG)
    return Rate(int(found[1]), UNITS[found[2]])


def strictest(rates: Iterable[Rate | None]) -> Rate | None:
    """The one of several that allows least in the long run; None: no limit."""
    return min((one for one in rates if one is not None), key=lambda one: (one.number / one.seconds, one), default=None)

"""Count requests of keys: together with all processes where REDIS_URL says so and it answers, else by oneself.

Nothing of it is kept or logged, so there is no unit of work and no actor.
"""

from functools import cache
from typing import Final

from django.conf import settings

from keyadmin.kernel.rates import Count, Rate
from keyadmin.limits.shared import SharedMeters
from keyadmin.limits.window import Meters

MOST: Final = 20_000  # keys with a limit that were used of late; each takes about a kilobyte
_here = Meters(MOST)


def take(meter: str, rate: Rate) -> Count:
    """Count one request of a key under a name of its own. May wait for REDIS_URL, some tenths of a second at most."""
    together = shared()
    counted = together.take(meter, rate) if together is not None else None
    return _here.take(meter, rate) if counted is None else counted


def take_at_once(meter: str, rate: Rate) -> Count | None:
    """The same where nothing has to be waited for; None: ask `take`, in a thread."""
    together = shared()
    if together is not None and together.works:
        return None
    return _here.take(meter, rate)


def forget() -> None:
    """Count anew in this process."""
    _here.clear()


@cache
def shared() -> SharedMeters | None:
    """What REDIS_URL names; None without it. No connection is made before the first request."""
    url: str = settings.ENV.redis_url
    return SharedMeters(url, f"keyadmin:{settings.RATE_PREFIX}") if url else None

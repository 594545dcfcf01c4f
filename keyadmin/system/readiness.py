"""Whether this process can do its work: what it needs of the database, the disk and the worker."""

import threading
import time
from typing import Final

from keyadmin.freshness.queries import confirmed
from keyadmin.system import heartbeat
from keyadmin.usage import condition

PATIENCE: Final = 0.5  # seconds until a database that says nothing counts as failing
KEPT_SECONDS: Final = 0.5  # anybody may ask: many at once get one answer
_asking = threading.Lock()
_last: tuple[float, dict[str, bool]] = (float("-inf"), {})


def parts() -> dict[str, bool]:
    """Which parts are well: `database`, `spool` (of this host), `worker` (of this data directory).

    At most half a second old; answers within a second, also while the database hangs.
    """
    global _last
    with _asking:
        if time.monotonic() - _last[0] > KEPT_SECONDS:
            found = look()
            _last = (time.monotonic(), found)
        return _last[1]


def look() -> dict[str, bool]:
    """The same, as it is now."""
    return {
        "database": confirmed(PATIENCE) is not None,
        "spool": condition.is_writable(),
        "worker": heartbeat.is_alive(),
    }

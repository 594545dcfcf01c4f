"""The worker's sign of life: the time of a file in the data directory.

A row would say that some worker lives, on whatever host. The spool is drained by the worker that shares its data
directory, and that is the one that each host must know of, also while the database hangs.
"""

import time
from typing import Final

from django.conf import settings

FILE: Final = settings.ENV.data_dir / "worker.alive"
EVERY_SECONDS: Final = 10
GOOD_SECONDS: Final = 60.0


def note() -> None:
    """Say that the worker lives. Raises OSError."""
    FILE.touch(mode=0o600)


def is_alive() -> bool:
    """Whether the worker of this data directory has said so within the last minute.

    A time that lies ahead, after the clock was set back, counts no longer than one that is past.
    """
    try:
        return abs(time.time() - FILE.stat().st_mtime) <= GOOD_SECONDS
    except OSError:
        return False

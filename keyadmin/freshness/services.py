"""The epoch is bumped by `activity.work` alone, as the last statement of a transaction."""

import secrets
import threading
import time

from keyadmin.freshness.models import Epoch
from keyadmin.freshness.watch import watch

_mine = threading.local()


def bump() -> None:
    """Give the epoch a fresh random 128-bit value."""
    value = secrets.token_hex(16)
    if not Epoch.objects.filter(pk=1).update(value=value):
        Epoch.objects.bulk_create([Epoch(pk=1, value=value)], ignore_conflicts=True)


def committed() -> None:
    """After a commit that may have taken something away: what this thread answers next waits until all know it."""
    _mine.until = time.monotonic() + watch().settles


def unsettled() -> float:
    """The seconds that the answer of this thread has to wait, which are then forgotten.

    Whoever waits gives connections back before: a pool of them must not be empty because answers wait.
    """
    until: float = _mine.__dict__.pop("until", 0.0)
    return max(0.0, until - time.monotonic())

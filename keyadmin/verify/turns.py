"""One's turn at what only a few may do at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from keyadmin.kernel.errors import UnavailableError


@contextmanager
def taken(lock: "threading.Lock | threading.BoundedSemaphore", seconds: float, otherwise: str) -> Iterator[None]:
    """Hold the lock. Raises UnavailableError, with what is said `otherwise`, if it is not free within so long."""
    if not lock.acquire(timeout=seconds):
        raise UnavailableError(otherwise)
    try:
        yield
    finally:
        lock.release()

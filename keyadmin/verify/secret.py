"""Whether a presented secret fits a stored verifier. A slow hash is paid once in a process, and never by a crowd."""

import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings

from keyadmin.instance import queries as instance
from keyadmin.kernel import hashing
from keyadmin.kernel.hashing import KeyHasher
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.verify import memory
from keyadmin.verify.turns import taken

PATIENCE: Final = 5.0  # seconds that a slow hash waits for its turn
TOO_MANY: Final = "Too many secrets are being checked."
MOST_AT_ONCE: Final = max(1, (os.cpu_count() or 1) - 1)
_in_all = threading.BoundedSemaphore(MOST_AT_ONCE)
_of_key = [threading.Lock() for _ in range(256)]
_starting = threading.Lock()


def fits(presented: str, verifier: str, key: APIKey) -> bool:
    """Whether the verifier of a key is one of what was presented.

    Raises UnavailableError if a slow hash does not get its turn.
    """
    sign, is_slow = memory.mark(presented), settings.KEY_HASHER.is_slow(verifier)
    fitting = memory.is_proved(sign, verifier)
    if fitting and not is_slow:
        return True  # nor can it be outdated: only the number of rounds changes while a process runs
    if not is_slow:
        fitting = settings.KEY_HASHER.verify(presented, verifier)
    elif not fitting:
        with _turn(key.pk):
            # Whoever waited for the same key may find that another has paid.
            fitting = memory.is_proved(sign, verifier) or settings.KEY_HASHER.verify(presented, verifier)
    if fitting:
        memory.prove(sign, verifier)
        scheme = hashing.SLOW_SCHEME if key.is_weak else None
        hasher = instance.hasher(scheme)
        if hasher.needs_update(verifier, scheme):
            _rehash(hasher, sign, presented, verifier, key.pk, scheme)
    return fitting


@contextmanager
def _turn(key_id: int) -> Iterator[None]:
    """One slow hash at a time for each key, and few in all."""
    with taken(_of_key[key_id % len(_of_key)], PATIENCE, TOO_MANY), taken(_in_all, PATIENCE, TOO_MANY):
        yield


# --- new verifiers: made and stored by a thread of its own, never on the way of an answer ------------------------

_waiting: "queue.Queue[tuple[KeyHasher, bytes, str, str, int, str | None]]" = queue.Queue(maxsize=1000)
_rehashed: set[tuple[int, str]] = set()


def _rehash(hasher: KeyHasher, sign: bytes, presented: str, verifier: str, key_id: int, scheme: str | None) -> None:
    if (key_id, verifier) in _rehashed:
        return
    try:
        _waiting.put_nowait((hasher, sign, presented, verifier, key_id, scheme))
    except queue.Full:
        return  # at its next first use, then
    _rehashed.add((key_id, verifier))
    with _starting:
        if not any(thread.name == "re-hash" for thread in threading.enumerate()):
            threading.Thread(target=_work, name="re-hash", daemon=True).start()


def _work() -> None:
    while True:
        hasher, sign, presented, old, key_id, scheme = _waiting.get()
        new = hasher.hash(presented, scheme)
        if services.replace_verifier(key_id, old, new):
            memory.prove(sign, new)
        _rehashed.discard((key_id, old))

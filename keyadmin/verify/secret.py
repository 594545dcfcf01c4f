"""Whether a presented secret fits a stored verifier. A slow hash is paid once in a process, and never by a crowd."""

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from keyadmin.instance import queries as instance
from keyadmin.kernel import hashing
from keyadmin.kernel.hashing import KeyHasher
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.sitekey import services as sitekey
from keyadmin.sitekey.queries import Accepted
from keyadmin.verify import memory
from keyadmin.verify.turns import taken

log = logging.getLogger("keyadmin")

PATIENCE: Final = 5.0  # seconds that a slow hash waits for its turn
PATIENCE_OF_SITE_KEY: Final = 0.5  # what is guessed there must not hold up those who look up keys
TOO_MANY: Final = "Too many secrets are being checked."
MOST_AT_ONCE: Final = max(1, (os.cpu_count() or 1) - 1)
_in_all = threading.BoundedSemaphore(MOST_AT_ONCE)
_of_key = [threading.Lock() for _ in range(256)]
_of_site_key = threading.Lock()
_starting = threading.Lock()
Store = Callable[[str, str], bool]  # takes the old verifier and a new one of the same secret


def fits(presented: str, verifier: str, key: APIKey) -> bool:
    """Whether the verifier of a key is one of what was presented.

    Raises UnavailableError if a slow hash does not get its turn.
    """
    scheme = hashing.SLOW_SCHEME if key.is_weak else None
    store = partial(services.replace_verifier, key.pk)
    return _fits(presented, verifier, scheme, store, _turn(_of_key[key.pk % len(_of_key)], PATIENCE))


def is_site_key(presented: str, one: Accepted) -> bool:
    """The same for a site key."""
    scheme = hashing.SLOW_SCHEME if one.is_weak else None
    store = partial(sitekey.replace_verifier, one.id)
    return _fits(presented, one.verifier, scheme, store, _turn(_of_site_key, PATIENCE_OF_SITE_KEY))


def _fits(presented: str, verifier: str, scheme: str | None, store: Store, turn: AbstractContextManager[None]) -> bool:
    sign, is_slow = memory.mark(presented), settings.KEY_HASHER.is_slow(verifier)
    fitting = memory.is_proved(sign, verifier)
    if fitting and not is_slow:
        return True  # nor can it be outdated: only the number of rounds changes while a process runs
    if not is_slow:
        fitting = settings.KEY_HASHER.verify(presented, verifier)
    elif not fitting:
        with turn:
            # Whoever waited for the same key may find that another has paid.
            fitting = memory.is_proved(sign, verifier) or settings.KEY_HASHER.verify(presented, verifier)
    if fitting:
        memory.prove(sign, verifier)
        hasher = instance.hasher(scheme)
        if hasher.needs_update(verifier, scheme):
            _rehash(hasher, sign, presented, verifier, scheme, store)
    return fitting


@contextmanager
def _turn(lock: threading.Lock, patience: float) -> Iterator[None]:
    """One slow hash at a time for each key, and few in all."""
    with taken(lock, patience, TOO_MANY), taken(_in_all, patience, TOO_MANY):
        yield


# --- new verifiers: made and stored by a thread of its own, never on the way of an answer ------------------------

_waiting: "queue.Queue[tuple[KeyHasher, bytes, str, str, str | None, Store]]" = queue.Queue(maxsize=1000)
_rehashed: set[str] = set()


def _rehash(hasher: KeyHasher, sign: bytes, presented: str, verifier: str, scheme: str | None, store: Store) -> None:
    if verifier in _rehashed:
        return
    try:
        _waiting.put_nowait((hasher, sign, presented, verifier, scheme, store))
    except queue.Full:
        return  # at its next first use, then
    _rehashed.add(verifier)
    with _starting:
        if not any(thread.name == "re-hash" for thread in threading.enumerate()):
            threading.Thread(target=_work, name="re-hash", daemon=True).start()


def _work() -> None:
    while True:
        hasher, sign, presented, old, scheme, store = _waiting.get()
        new = hasher.hash(presented, scheme)
        close_old_connections()
        try:
            if store(old, new):
                memory.prove(sign, new)
        except (DatabaseError, InterfaceError) as error:  # tried again at the next first use
            log.warning("A verifier could not be renewed: %s", type(error).__name__)
        finally:
            connection.close()
            _rehashed.discard(old)

"""Wrong keys, counted by the address that sends them: from the limit on they cost next to nothing.

A valid key is never locked out by what others send from its address, because the limit decides how a key is looked
up and never whether. One that is remembered as right is answered from memory, before anybody looks here. One that is
not is looked up like any other, in a line that it shares with the guesses; when its turn does not come in time the
answer is 503, which says nothing of the key, and the next try may come first. Only what was looked up under the
present epoch and found wrong is refused unseen: what could make it right bumps the epoch (a secret that is entered,
`keys.services.assign_key`), or is a fresh secret, which nobody can have sent before it was made.
"""

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, NamedTuple

from keyadmin.kernel.rates import Rate
from keyadmin.limits.window import Meters
from keyadmin.verify import memory
from keyadmin.verify.decide import KeyFacts
from keyadmin.verify.outcome import Outcome
from keyadmin.verify.turns import taken

LIMIT: Final = Rate(60, 60)
MOST_ADDRESSES: Final = 20_000
MOST_IN_LINE: Final = 8
AT_ONCE: Final = 2
PATIENCE: Final = 0.5  # seconds in line
TOO_MANY: Final = "Too many wrong keys come from this address."

_failures = Meters(MOST_ADDRESSES)
_line = threading.BoundedSemaphore(MOST_IN_LINE)
_turns = threading.BoundedSemaphore(AT_ONCE)


class Wrong(NamedTuple):
    """What was found of a key that is none. `facts` are there if its id is, for the access records."""

    epoch: str
    outcome: Outcome
    facts: KeyFacts | None


_wrong: dict[bytes, Wrong] = {}


def are_many(address: str) -> bool:
    """Whether so many wrong keys have come from the address of late that the next ones wait in line."""
    return _failures.is_full(place_of(address))


def failed(address: str, sign: bytes, epoch: str, outcome: Outcome, facts: KeyFacts | None) -> None:
    """Count a wrong key; of an address with many it is remembered by its mark (`memory.mark`)."""
    if not count(address):
        memory.make_room(_wrong)
        _wrong[sign] = Wrong(epoch, outcome, facts)


def count(address: str) -> bool:
    """Count something wrong that came from the address, a site key too; whether it is within the limit."""
    return _failures.take(place_of(address), LIMIT).allowed


def recall(sign: bytes, epoch: str) -> Wrong | None:
    """What was found wrong under this epoch."""
    found = _wrong.get(sign)
    return found if found is not None and found.epoch == epoch else None


@contextmanager
def in_line() -> Iterator[None]:
    """One's turn to be looked up. Raises UnavailableError if it does not come in time."""
    with taken(_line, 0, TOO_MANY), taken(_turns, PATIENCE, TOO_MANY):
        yield


def forget() -> None:
    """Know nothing any more."""
    _failures.clear()
    _wrong.clear()


@lru_cache(maxsize=4096)
def place_of(address: str) -> str:
    """An address as it is counted: of IPv6 the first 64 bits, as one host has all of the rest."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((int(found), 64), strict=False))

"""What every request is given at the edge, before Django or beside it: an id, and who it came from."""

import asyncio
import itertools
import re
import secrets
import time
from concurrent.futures import Executor
from functools import lru_cache
from typing import Final, NamedTuple

from django.conf import settings

from keyadmin.kernel import addresses

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
LONGEST_REMEMBERED: Final = 300  # characters of X-Forwarded-For
UNPROVED: Final = "invalid_key"  # the code of refusals that `wait_evenly` is for
STEP_SECONDS: Final = 0.05  # longer than a key is looked up, also where several are at the same time
LAST_SECONDS: Final = 0.005  # of a step, which only a thread can wait for exactly
_START = f"req_{secrets.token_hex(6)}"
_numbers = itertools.count(secrets.randbits(16))


class Peer(NamedTuple):
    """Who sent a request: the address of the client, and whether the peer is a proxy that is believed."""

    address: str
    is_trusted: bool


def peer(remote: str, forwarded_for: str) -> Peer:
    """`remote` is the other end of the connection, `forwarded_for` the header that counts if it is a trusted proxy."""
    trusted = settings.ENV.trusted_proxies
    alone = _alone(remote, trusted)
    if not forwarded_for or not alone.is_trusted:
        return alone
    client = _remembered_client if len(forwarded_for) <= LONGEST_REMEMBERED else addresses.client_address
    return Peer(client(remote, forwarded_for, trusted), True)


@lru_cache(maxsize=4096)
def _alone(remote: str, trusted: tuple[str, ...]) -> Peer:
    """The peer without any header."""
    believed = bool(trusted) and addresses.contains(trusted, addresses.parse_address(remote) or "")
    return Peer(addresses.client_address(remote, "", trusted), believed)


_remembered_client = lru_cache(maxsize=4096)(addresses.client_address)


def request_id(given: str = "") -> str:
    """A new id, or the one `given` by a trusted proxy if it is in order. No secret: it can be guessed."""
    if given and _REQUEST_ID.fullmatch(given):
        return given
    return f"{_START}{next(_numbers):08x}"


def wait_evenly(began: float) -> None:
    """Sleep until a whole number of steps after `began`, by the monotonic clock.

    What took a little longer is then answered no later: how long it takes to refuse a key does not tell whether its id
    is known.
    """
    _sleep_until(_end_of_step(began))


async def wait_evenly_in(threads: Executor, began: float) -> None:
    """The same on an event loop, which rounds to milliseconds from the moment at which it begins to wait.

    So it waits for the most of it, and a thread for the last milliseconds.
    """
    end = _end_of_step(began)
    await asyncio.sleep(end - LAST_SECONDS - time.monotonic())
    await asyncio.get_running_loop().run_in_executor(threads, _sleep_until, end)


def _end_of_step(began: float) -> float:
    now = time.monotonic()
    return now + (began - now) % STEP_SECONDS


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))

"""Requests counted in this process: never more than the limit in any stretch as long as its window.

Each request is let go a whole window after it came. Where the limit is large a window is cut into slots, and those of
one slot are kept together until the last of them may go: a few numbers for each key, at the price that a request is
let go up to one slot late. A window that begins anew at each full minute, say, would let twice the limit pass around
that moment.
"""

import threading
import time
from collections import deque
from itertools import islice
from math import ceil
from typing import Final

from keyadmin.kernel.rates import Count, Rate

SLOTS: Final = 20  # of a window: a caller that sends evenly reaches 93 % of its limit at least


class Meter:
    """What was counted of one key or address. Safe to share between threads."""

    __slots__ = ("_edge", "_entries", "_lock", "_total", "rate")

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._entries: deque[list[float]] = deque()  # when they are let go, and how many; the next to go first
        self._edge = 0.0  # before it, what comes is kept with the last entry
        self._total = 0
        self._lock = threading.Lock()

    def take(self, now: float) -> Count:
        """Count one request, unless it is one too many. `now` is in seconds of a clock that never goes back."""
        rate, entries = self.rate, self._entries
        with self._lock:
            if entries and entries[0][0] <= now:
                self._let_go(now)
            total = self._total + 1
            if total > rate.number:
                return Count(rate, False, 0, self._wait(now))
            self._total = total
            if now < self._edge:
                last = entries[-1]
                last[1] += 1
                until = last[0]
            else:
                until = self._kept_until(now)
                entries.append([until, 1])
            return Count(rate, True, rate.number - total, ceil(until - now))

    def is_full(self, now: float) -> bool:
        """Whether the next request would be one too many. Counts nothing."""
        with self._lock:
            self._let_go(now)
            return self._total >= self.rate.number

    def is_idle(self, now: float) -> bool:
        """Whether nothing is counted any more: a new meter would say the same."""
        with self._lock:
            self._let_go(now)
            return self._total == 0

    def _kept_until(self, now: float) -> float:
        """When a request that comes now is let go."""
        rate = self.rate
        if rate.number <= SLOTS:
            return now + rate.seconds
        span = rate.seconds / SLOTS
        slot = now // span
        self._edge = (slot + 1) * span
        return (slot + SLOTS + 1) * span

    def _let_go(self, now: float) -> None:
        entries = self._entries
        while entries and entries[0][0] <= now:
            self._total -= int(entries.popleft()[1])

    def _wait(self, now: float) -> int:
        over = self._total - self.rate.number
        for until, counted in self._entries:
            over -= int(counted)
            if over < 0:
                return max(1, ceil(until - now))
        return 1


class Meters:
    """The meters of this process by a name, so many at most: those that are idle make room, then the oldest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[object, Meter] = {}
        self._lock = threading.Lock()

    def take(self, name: object, rate: Rate) -> Count:
        """Count one request under a name. With another limit than before it is counted anew."""
        meter = self._found.get(name)
        if meter is None or (meter.rate is not rate and meter.rate != rate):
            meter = self._made(name, rate)
        return meter.take(time.monotonic())

    def is_full(self, name: object) -> bool:
        """Whether the next request under this name would be one too many."""
        meter = self._found.get(name)
        return meter is not None and meter.is_full(time.monotonic())

    def clear(self) -> None:
        """Count everything anew."""
        with self._lock:
            self._found.clear()

    def _made(self, name: object, rate: Rate) -> Meter:
        with self._lock:
            meter = self._found.get(name)
            if meter is None or meter.rate != rate:
                if len(self._found) >= self._most:
                    self._make_room()
                meter = self._found[name] = Meter(rate)
            return meter

    def _make_room(self) -> None:
        now, some = time.monotonic(), max(1, self._most // 8)
        oldest = list(islice(self._found.items(), some))
        for name, meter in oldest:
            if meter.is_idle(now):
                del self._found[name]
        if len(self._found) >= self._most:
            for name, _ in oldest[: max(1, some // 8)]:
                del self._found[name]

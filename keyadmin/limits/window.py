"""Requests counted in this process: never more than the limit in any stretch as long as its window.

A window is cut into slots, and what is counted is the slot that runs and as many before it as a whole window has:
so a stretch of a window's length, wherever it begins, lies within what was counted together. The price is that a slot
is let go up to one slot late. A window that begins anew at each full minute, say, would let twice the limit pass
around that moment.
"""

import math
import threading
import time
from itertools import islice
from typing import Final

from keyadmin.kernel.rates import Count, Rate

SLOTS: Final = 20  # of a window: a caller that sends evenly reaches 95 % of its limit


class Meter:
    """What was counted of one key or address. Safe to share between threads."""

    __slots__ = ("_counts", "_lock", "_slot", "_total", "rate", "span")

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.span = rate.seconds / SLOTS
        self._counts: dict[int, int] = {}  # by slot, oldest first
        self._slot = -1
        self._total = 0
        self._lock = threading.Lock()

    def take(self, now: float) -> Count:
        """Count one request, unless it is one too many. `now` is in seconds of a clock that never goes back."""
        with self._lock:
            self._let_go(now)
            left = self.rate.number - self._total
            if left <= 0:
                return Count(self.rate, False, 0, self._wait(now))
            self._counts[self._slot] = self._counts.get(self._slot, 0) + 1
            self._total += 1
            return Count(self.rate, True, left - 1, self._whole(now))

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

    def _let_go(self, now: float) -> None:
        slot = int(now / self.span)
        if slot <= self._slot:
            return
        self._slot = slot
        counts = self._counts
        while counts and (oldest := next(iter(counts))) < slot - SLOTS:
            self._total -= counts.pop(oldest)

    def _wait(self, now: float) -> int:
        over = self._total - self.rate.number
        for slot, counted in self._counts.items():
            over -= counted
            if over < 0:
                return math.ceil((slot + SLOTS + 1) * self.span - now) or 1
        return 1

    def _whole(self, now: float) -> int:
        return math.ceil((self._slot + SLOTS + 1) * self.span - now) or 1


class Meters:
    """The meters of this process by a name, so many at most: those that are idle make room, then the oldest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[object, Meter] = {}
        self._lock = threading.Lock()

    def take(self, name: object, rate: Rate) -> Count:
        """Count one request under a name. With another limit than before it is counted anew."""
        meter = self._found.get(name)
        if meter is None or meter.rate != rate:
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

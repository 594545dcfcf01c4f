"""What different numbers of rounds cost on this machine: enough of them for a curve, within a few seconds."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keyadmin.kernel.calibration import (
    FEWEST_RUNS,
    MOST_RUNS,
    PROBES,
    Calibration,
    Prepare,
    Timing,
    calibrate,
    check_a_secret,
    timed,
)

LONGEST_MS: Final = 500  # of a target; a longer one would not be found in time
PARTS: Final = (0.25, 0.5, 0.75)  # of the suggested number: these lie on the way to it
SECONDS_TO_FIND: Final = 5.0
SECONDS: Final = 8.0
SECONDS_OF_POINT: Final = 0.6


@dataclass(frozen=True, slots=True)
class Survey:
    """The suggested number, and what was measured, the fewest rounds first; nothing for a hash without rounds."""

    found: Calibration
    points: tuple[Timing, ...] = ()

    def at(self, rounds: int) -> Timing | None:
        """What was measured at this very number."""
        return next((point for point in self.points if point.rounds == rounds), None)


def survey(scheme: str, target_ms: int, *, also: Iterable[int] = (), prepare: Prepare | None = None) -> Survey:
    """The rounds that take `target_ms` milliseconds, with the way there, and `also` these numbers.

    It ends within ten seconds, unless the machine is very busy: what there was no time for is left out.
    Raises InvalidError for an unknown scheme and a target out of range.
    """
    began, prepare = time.monotonic(), prepare or check_a_secret
    found = calibrate(scheme, target_ms, prepare=prepare, seconds=SECONDS_TO_FIND, longest_ms=LONGEST_MS)
    if found.measured is None:
        return Survey(found)
    known = {timing.rounds: timing for timing in (*found.probes, found.measured)}
    wanted = [*also, *(max(1, round(part * found.measured.rounds)) for part in PARTS)]
    for rounds in wanted:
        # One hash prepares the measuring, and one is measured at least.
        needed = 2 * found.measured.elapsed * rounds / found.measured.rounds / 1000
        if rounds not in known and time.monotonic() - began + needed < SECONDS:
            runs = min(MOST_RUNS, max(FEWEST_RUNS, round(SECONDS_OF_POINT / needed)))
            known[rounds] = timed(prepare, rounds, runs, until=began + SECONDS - needed / 2)
    return Survey(found, tuple(sorted(known.values(), key=lambda timing: timing.rounds)))


def estimate(rounds: int, prepare: Prepare | None = None) -> float:
    """About how many milliseconds of the processor one hash with so many rounds takes here; known in a moment."""
    run = (prepare or check_a_secret)(PROBES[0])
    return min(run()[0] for _ in range(FEWEST_RUNS)) * rounds / PROBES[0]

"""What different numbers of rounds cost on this machine: enough of them for a curve, within a few seconds."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from keyadmin.kernel.calibration import (
    FEWEST_RUNS,
    MOST_RUNS,
    PROBES,
    TOLERANCE,
    Calibration,
    Prepare,
    Timing,
    calibrate,
    check_a_secret,
    nearest,
    timed,
    within_bounds,
)

LONGEST_MS: Final = 500  # of a target; a longer one would not be found in time
PARTS: Final = (0.25, 0.5, 0.75)  # of the suggested number: these lie on the way to it
SECONDS_TO_FIND: Final = 5.0
SECONDS: Final = 8.0
SECONDS_OF_POINT: Final = 0.6
MORE_ATTEMPTS: Final = 2  # when what lies on the way contradicts what was found
DOUBTFUL: Final = (
    "The machine was busy with other things: the times do not fit together. Measure again before you save a number."
)


@dataclass(frozen=True, slots=True)
class Survey:
    """The suggested number, and what was measured, the fewest rounds first; nothing for a hash without rounds."""

    found: Calibration
    points: tuple[Timing, ...] = ()

    def at(self, rounds: int) -> Timing | None:
        """What was measured at this very number."""
        return next((point for point in self.points if point.rounds == rounds), None)

    @property
    def doubt(self) -> str:
        """A sentence where no number can be suggested: the target was not reached, or other points contradict it."""
        return "" if self.found.measured is None or (self.found.reached and self._fits) else DOUBTFUL

    @property
    def _fits(self) -> bool:
        """Whether neither fewer rounds took clearly longer than those found, nor more of them clearly less."""
        best = self.found.measured
        return best is None or not any(
            (one.rounds < best.rounds and one.milliseconds > (1 + TOLERANCE) * best.milliseconds)
            or (one.rounds > best.rounds and one.milliseconds < (1 - TOLERANCE) * best.milliseconds)
            for one in self.points
        )


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
    until = began + SECONDS
    for rounds in [*also, *(max(1, round(part * found.measured.rounds)) for part in PARTS)]:
        _add(known, rounds, prepare, until)
    made = _told(found, known)
    for _ in range(MORE_ATTEMPTS):
        if not made.doubt or made.found.measured is None:
            break
        best = made.found.measured
        _add(known, within_bounds(best.rounds * target_ms / max(best.milliseconds, 0.001)), prepare, until)
        made = _told(found, known)
    return made


def _told(found: Calibration, known: dict[int, Timing]) -> Survey:
    """All that was measured, and of it the nearest as the suggestion."""
    points = tuple(sorted(known.values(), key=lambda timing: timing.rounds))
    return Survey(replace(found, measured=nearest(points, found.target_ms)), points)


def _add(known: dict[int, Timing], rounds: int, prepare: Prepare, until: float) -> None:
    """Measure this number too, unless it is known, or there is no time for it until time.monotonic() is `until`."""
    if rounds in known:
        return
    # As the quickest that is known foretells: one hash prepares the measuring, and one is measured at least.
    needed = 2 * min(one.elapsed / one.rounds for one in known.values()) * rounds / 1000
    if time.monotonic() + needed < until:
        runs = min(MOST_RUNS, max(FEWEST_RUNS, round(SECONDS_OF_POINT / max(needed, 0.000_001))))
        known[rounds] = timed(prepare, rounds, runs, until=until - needed / 2)


def estimate(rounds: int, prepare: Prepare | None = None) -> float:
    """About how many milliseconds of the processor one hash with so many rounds takes here; known in a moment."""
    run = (prepare or check_a_secret)(PROBES[0])
    return min(run()[0] for _ in range(FEWEST_RUNS)) * rounds / PROBES[0]

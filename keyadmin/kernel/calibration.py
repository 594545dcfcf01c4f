"""How many PBKDF2 rounds take a given time on this machine.

Times are of the processor, not of the clock on the wall: on a busy machine a hash waits for others, and a number
found by the wall clock would be too small as soon as they have ended. On an idle machine both are the same.
"""

import math
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Final

from keyadmin.kernel import hashing
from keyadmin.kernel.errors import InvalidError

SHORTEST_MS: Final = 1
LONGEST_MS: Final = 10_000
PROBES: Final = (10_000, 100_000)
PROBE_RUNS: Final = 7
FEWEST_RUNS, MOST_RUNS, MS_OF_RUNS = 3, 25, 1000
ATTEMPTS: Final = 5
TOLERANCE: Final = 0.10
AIM: Final = 0.05  # closer than what is promised, so that it still holds when somebody measures again
BUSY: Final = 1.25
WEAK_ROUNDS: Final = 10_000  # below it nobody could call it slow
OWASP_ROUNDS: Final = 600_000  # OWASP Password Storage Cheat Sheet, PBKDF2-HMAC-SHA256
USELESS: Final = (
    "Rounds slow down those who guess weak secrets. A generated secret has 190 bits, which nobody guesses: rounds add "
    "nothing to it but time."
)
WITHOUT_ROUNDS: Final = (
    f"{hashing.HMAC_SCHEME} has no rounds: a number of them means nothing for it, and its time can't be chosen."
)

Run = Callable[[], tuple[float, float]]  # one hash: milliseconds of the processor, and those that passed
Prepare = Callable[[int], Run]  # for a number of rounds
Progress = Callable[[int, int, int], None]  # rounds, runs done, runs in all


@dataclass(frozen=True, slots=True)
class Timing:
    """What one hash with so many rounds takes: medians, in milliseconds of the processor and on the wall."""

    rounds: int
    milliseconds: float
    elapsed: float

    def is_near(self, target_ms: int, tolerance: float) -> bool:
        """Whether the processor's time is the target, give or take this part of it."""
        return abs(self.milliseconds - target_ms) <= tolerance * target_ms


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was found. `measured` is the result at the suggested rounds; None, as are the probes, without rounds."""

    scheme: str
    target_ms: int
    probes: tuple[Timing, ...] = ()
    measured: Timing | None = None

    @property
    def rounds(self) -> int | None:
        """The suggested number; None for a scheme that has no rounds."""
        return self.measured.rounds if self.measured else None

    @property
    def reached(self) -> bool | None:
        """Whether the measured result is within 10 % of the target; None for a scheme that has no rounds."""
        return self.measured.is_near(self.target_ms, TOLERANCE) if self.measured else None

    @property
    def shortfall(self) -> str:
        """A sentence on a target that was not reached; empty if it was."""
        if self.measured is None or self.reached:
            return ""
        return (
            f"The target was not reached: {self.measured.rounds:,} rounds, the nearest that was found, take "
            f"{self.measured.milliseconds:.2f} ms instead of {self.target_ms} ms."
        )

    @property
    def warnings(self) -> list[str]:
        """Sentences on a weak number, and on a machine that was busy with other things."""
        found = warnings_about(self.rounds) if self.rounds else []
        if self.measured and self.measured.elapsed > BUSY * self.measured.milliseconds:
            found.append(
                f"The machine is busy: until a hash was there, {self.measured.elapsed:.1f} ms went by. "
                "The times are those of the processor alone."
            )
        return found

    @property
    def notes(self) -> list[str]:
        """What one must know to make sense of the number."""
        return [USELESS] if self.measured else [WITHOUT_ROUNDS, USELESS]


def warnings_about(rounds: int) -> list[str]:
    """Sentences on a number of rounds that is weak, the gravest first."""
    found = [f"Below {WEAK_ROUNDS:,} rounds is weak."] if rounds < WEAK_ROUNDS else []
    if rounds < OWASP_ROUNDS:
        said = f"{rounds:,} {'round is' if rounds == 1 else 'rounds are'} weak for secrets that can be guessed"
        found.append(f"{said}: OWASP asks for {OWASP_ROUNDS:,} or more.")
    return found


def silent(rounds: int, done: int, total: int) -> None:
    """Progress for nobody."""


def calibrate(
    scheme: str,
    target_ms: int,
    *,
    progress: Progress = silent,
    prepare: Prepare | None = None,
    seconds: float = math.inf,
    longest_ms: int = LONGEST_MS,
) -> Calibration:
    """Find how many rounds of `scheme` take `target_ms` milliseconds (1 to `longest_ms`) here.

    Two probes give the time of a round; the number that follows is measured and adjusted, five times at most. It takes
    a few seconds, and some thirty times the target where that is long. `progress` is called after each run;
    `prepare` makes what is measured (default: checking a secret, as for a request). After so many `seconds` it makes do
    with what it has, which is one run of each number at the least.
    Raises InvalidError for an unknown scheme and a target out of range.
    """
    if scheme not in hashing.SCHEMES:
        raise InvalidError.field("hash_name", f"This is no hash of ours: choose {' or '.join(hashing.SCHEMES)}.")
    if not SHORTEST_MS <= target_ms <= longest_ms:
        raise InvalidError.field("target_ms", f"Choose from {SHORTEST_MS} to {longest_ms} milliseconds.")
    if scheme != hashing.SLOW_SCHEME:
        return Calibration(scheme, target_ms)
    prepare, until = prepare or check_a_secret, time.monotonic() + seconds
    low, high = (timed(prepare, rounds, PROBE_RUNS, progress, until) for rounds in PROBES)
    runs = min(MOST_RUNS, max(FEWEST_RUNS, MS_OF_RUNS // target_ms))
    tried: list[Timing] = []
    rounds = _suggested(low, high, target_ms)
    while len(tried) < ATTEMPTS and rounds not in [timing.rounds for timing in tried]:
        tried.append(timed(prepare, rounds, runs, progress, until))
        if tried[-1].is_near(target_ms, AIM) or time.monotonic() > until:
            break
        rounds = within_bounds(rounds * target_ms / max(tried[-1].milliseconds, 0.001))
    return Calibration(scheme, target_ms, (low, high), nearest((*tried, low, high), target_ms))


def nearest(timings: Iterable[Timing], target_ms: int) -> Timing:
    """The one whose time is nearest to the target; the first of several."""
    return min(timings, key=lambda timing: abs(timing.milliseconds - target_ms))


def check_a_secret(rounds: int) -> Run:
    """Checking a secret against its verifier with so many rounds: what a request pays for."""
    hasher = hashing.build_context({1: secrets.token_bytes(hashing.MIN_PEPPER_BYTES)}, rounds=rounds)
    secret = secrets.token_urlsafe(24)
    verifier = hasher.hash(secret, hashing.SLOW_SCHEME)  # warms up, too

    def run() -> tuple[float, float]:
        began, used = time.perf_counter(), time.thread_time()
        hasher.verify(secret, verifier)
        return 1000 * (time.thread_time() - used), 1000 * (time.perf_counter() - began)

    return run


def timed(prepare: Prepare, rounds: int, runs: int, progress: Progress = silent, until: float = math.inf) -> Timing:
    """The medians of so many runs; of fewer where time.monotonic() has come to `until`."""
    progress(rounds, 0, runs)
    run, processor, wall = prepare(rounds), [], []
    for done in range(1, runs + 1):
        used, elapsed = run()
        processor.append(used)
        wall.append(elapsed)
        progress(rounds, done, runs)
        if time.monotonic() > until:
            break
    return Timing(rounds, median(processor), median(wall))


def _suggested(low: Timing, high: Timing, target_ms: int) -> int:
    """On the line through both probes: a part of the time is the same for any number of rounds."""
    of_a_round = (high.milliseconds - low.milliseconds) / (high.rounds - low.rounds)
    if of_a_round <= 0:
        return high.rounds
    return within_bounds(high.rounds + (target_ms - high.milliseconds) / of_a_round)


def within_bounds(rounds: float) -> int:
    """A whole number that can be set, of three digits and zeros: no measuring is finer than that."""
    return min(hashing.MOST_ROUNDS, max(1, round(float(f"{rounds:.3g}"))))

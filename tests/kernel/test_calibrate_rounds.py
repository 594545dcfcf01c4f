"""How many rounds meet a target time: on machines made up for the purpose, whose times are known, and on this one."""

from collections.abc import Callable

import pytest

from keyadmin.kernel import calibration, hashing
from keyadmin.kernel.calibration import Calibration, Prepare, Run
from keyadmin.kernel.errors import InvalidError

SLOW = "pbkdf2_sha256"


def machine(milliseconds: Callable[[int], float], waiting: float = 1.0) -> Prepare:
    """A machine where so many rounds take so long, and `waiting` times as long on the wall."""

    def prepare(rounds: int) -> Run:
        return lambda: (milliseconds(rounds), waiting * milliseconds(rounds))

    return prepare


def steady(rounds: int) -> float:
    return 0.05 + rounds / 3000


def found_on(milliseconds: Callable[[int], float], target_ms: int) -> Calibration:
    return calibration.calibrate(SLOW, target_ms, prepare=machine(milliseconds))


@pytest.mark.parametrize("target_ms", [1, 2, 7, 100, 999, 10_000])
@pytest.mark.parametrize("speed", [0.1, 1, 3])
def test_the_number_takes_the_time_that_was_asked_for(target_ms: int, speed: float) -> None:
    found = found_on(lambda rounds: steady(rounds) / speed, target_ms)
    assert found.rounds is not None
    assert steady(found.rounds) / speed == pytest.approx(target_ms, rel=0.05)
    assert (found.reached, found.shortfall) == (True, "")


def test_both_probes_are_told() -> None:
    found = found_on(steady, 100)
    assert [(probe.rounds, probe.milliseconds) for probe in found.probes] == [
        (rounds, steady(rounds)) for rounds in (10_000, 100_000)
    ]


def test_what_the_probes_misjudged_is_adjusted() -> None:
    """Longer work makes this machine slower, as when it gets hot."""
    found = found_on(lambda rounds: (rounds / 3000) ** 1.3, 1000)
    assert found.rounds is not None
    assert (found.rounds / 3000) ** 1.3 == pytest.approx(1000, rel=0.1)
    assert found.reached


def test_one_slow_run_of_many_does_not_count() -> None:
    def prepare(rounds: int) -> Run:
        times = iter([steady(rounds) * 50, steady(rounds) * 50, *[steady(rounds)] * 30])

        def run() -> tuple[float, float]:
            taken = next(times)
            return taken, taken

        return run

    found = calibration.calibrate(SLOW, 100, prepare=prepare)
    assert found.rounds == pytest.approx(300_000, rel=0.05)


@pytest.mark.parametrize(
    "milliseconds",
    [
        lambda rounds: 40.0,  # however few
        lambda rounds: 5.0 if rounds < 200_000 else 500.0,  # no number takes 100 ms
        lambda rounds: rounds / 1e9,  # the largest number that can be set takes a tenth of a millisecond
        lambda rounds: 0.0,
    ],
)
def test_a_target_that_is_not_reached_is_said(milliseconds: Callable[[int], float]) -> None:
    found = found_on(milliseconds, 100)
    assert found.reached is False
    assert found.rounds is not None
    assert 1 <= found.rounds <= hashing.MOST_ROUNDS
    assert found.shortfall.startswith(f"The target was not reached: {found.rounds:,} rounds")
    assert "instead of 100 ms" in found.shortfall


def test_of_all_that_was_tried_the_nearest_is_told() -> None:
    found = found_on(lambda rounds: 85.0 if rounds < 320_000 else 300.0, 100)
    assert found.measured is not None
    assert (found.reached, found.measured.milliseconds) == (False, 85.0)


@pytest.mark.parametrize(("target_ms", "weak"), [(190, True), (210, False)])
def test_fewer_rounds_than_owasp_asks_for_are_called_weak(target_ms: int, weak: bool) -> None:
    found = found_on(steady, target_ms)
    assert any("weak" in warning and "600,000" in warning for warning in found.warnings) is weak


def test_time_spent_waiting_for_others_does_not_count_and_is_said() -> None:
    found = calibration.calibrate(SLOW, 300, prepare=machine(steady, waiting=2.0))
    assert found.rounds == pytest.approx(900_000, rel=0.05)
    assert ["busy" in warning for warning in found.warnings] == [True]


def test_a_hash_without_rounds_is_not_measured() -> None:
    found = calibration.calibrate("hmac_sha256", 100)
    assert (found.rounds, found.probes, found.measured, found.reached) == (None, (), None, None)
    assert (found.warnings, found.shortfall) == ([], "")
    assert "no rounds" in found.notes[0]


@pytest.mark.parametrize("scheme", hashing.SCHEMES)
def test_that_rounds_add_nothing_to_a_generated_secret_is_always_said(scheme: str) -> None:
    found = calibration.calibrate(scheme, 100, prepare=machine(steady))
    assert any("190 bits" in note and "nothing" in note for note in found.notes)


@pytest.mark.parametrize(
    ("scheme", "target_ms", "field"),
    [("md5", 100, "hash_name"), ("", 100, "hash_name"), (SLOW, 0, "target_ms"), (SLOW, 10_001, "target_ms")],
)
def test_unknown_hashes_and_targets_out_of_range_are_refused(scheme: str, target_ms: int, field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        calibration.calibrate(scheme, target_ms, prepare=machine(steady))
    assert list(refused.value.errors) == [field]


def test_progress_is_told_after_each_run() -> None:
    told: list[tuple[int, int, int]] = []
    calibration.calibrate(SLOW, 100, prepare=machine(steady), progress=lambda *run: told.append(run))
    assert [run for run in told if run[0] == 10_000] == [(10_000, done, 7) for done in range(8)]
    assert told[-1][1] == told[-1][2]


def test_this_machine_is_really_measured() -> None:
    """No time is asserted: only that it hashes with the number it is asked for, and that nothing takes no time."""
    run = calibration.check_a_secret(2_000)
    used, elapsed = run()
    assert used > 0
    assert elapsed > 0
    found = calibration.calibrate(SLOW, 2)
    assert found.measured is not None
    assert found.reached == (abs(found.measured.milliseconds - 2) <= 0.2)
    assert found.probes[0].milliseconds < found.probes[1].milliseconds

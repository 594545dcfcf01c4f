"""Enough numbers of rounds for a curve, within a few seconds: on made-up machines whose times are known, and here."""

import pytest

from keyadmin.kernel import survey as surveys
from keyadmin.kernel.calibration import Prepare, Run
from keyadmin.kernel.errors import InvalidError
from keyadmin.kernel.survey import estimate, survey
from tests.kernel.test_calibrate_rounds import SLOW, machine, steady


def test_the_way_to_the_number_is_measured_in_order() -> None:
    found = survey(SLOW, 50, prepare=machine(steady))
    suggested = found.found.rounds
    assert suggested is not None
    assert suggested == pytest.approx(150_000, rel=0.05)
    asked = sorted([10_000, 100_000, suggested, *(round(part * suggested) for part in (0.25, 0.5, 0.75))])
    assert [(point.rounds, point.milliseconds) for point in found.points] == [(n, steady(n)) for n in asked]


def busy_while(numbers: range, factor: float) -> Prepare:
    """A machine of 2,000 rounds a millisecond, that is slower by this factor for some of the numbers it is asked."""
    asked = 0

    def prepare(rounds: int) -> Run:
        nonlocal asked
        asked += 1
        taken = rounds / 2000 * (factor if asked in numbers else 1)
        return lambda: (taken, taken)

    return prepare


def test_of_all_points_the_nearest_is_suggested() -> None:
    """Busy for the first number after the probes, which sends the search away from what was right."""
    found = survey(SLOW, 50, also=[96_000], prepare=busy_while(range(3, 4), 1.4))
    best = found.found.measured
    assert best is not None
    assert abs(best.milliseconds - 50) == min(abs(point.milliseconds - 50) for point in found.points)
    assert found.found.reached
    assert found.doubt == ""


def test_points_that_contradict_the_number_are_weighed_again() -> None:
    """A busy moment makes 66,700 rounds look like 60 ms, though 100,000 take but 50: no number may be believed."""
    found = survey(SLOW, 60, prepare=busy_while(range(3, 5), 1.8))
    assert found.found.rounds == 66_700
    assert found.at(100_000) is not None
    assert "Measure again" in found.doubt


def test_a_target_that_is_not_reached_is_in_doubt() -> None:
    found = survey(SLOW, 50, prepare=machine(lambda rounds: 30.0 if rounds < 90_000 else 80.0))
    assert not found.found.reached
    assert "busy" in found.doubt


def test_other_numbers_are_measured_too() -> None:
    found = survey(SLOW, 50, also=[30_000, 100_000], prepare=machine(steady))
    point = found.at(30_000)
    assert point is not None
    assert point.milliseconds == steady(30_000)
    assert found.at(31_000) is None
    assert len({point.rounds for point in found.points}) == len(found.points), "each once"


def test_what_there_is_no_time_for_is_left_out() -> None:
    """One hash with a hundred million rounds takes half a minute there."""
    found = survey(SLOW, 50, also=[100_000_000], prepare=machine(steady))
    assert found.at(100_000_000) is None
    assert found.found.reached
    assert found.doubt == ""
    assert len(found.points) == 6


def test_when_time_is_up_the_suggestion_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "SECONDS_TO_FIND", 0.0)
    monkeypatch.setattr(surveys, "SECONDS", 0.0)
    found = survey(SLOW, 50, also=[30_000], prepare=machine(steady))
    assert found.found.reached
    assert [point.rounds for point in found.points] == [10_000, 100_000, found.found.rounds]


def test_a_hash_without_rounds_has_no_points() -> None:
    found = survey("hmac_sha256", 50)
    assert (found.found.rounds, found.points) == (None, ())


@pytest.mark.parametrize(("scheme", "target_ms", "field"), [("md5", 50, "hash_name"), (SLOW, 501, "target_ms")])
def test_what_takes_too_long_or_is_unknown_is_refused(scheme: str, target_ms: int, field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        survey(scheme, target_ms, prepare=machine(steady))
    assert list(refused.value.errors) == [field]


def test_an_estimate_grows_with_the_number() -> None:
    assert estimate(3_000_000, machine(lambda rounds: rounds / 3000)) == pytest.approx(1000)
    assert estimate(1, machine(lambda rounds: rounds / 3000)) == pytest.approx(1 / 3000)


def test_this_machine_is_really_measured() -> None:
    found = survey(SLOW, 2, also=[1_000])
    assert found.at(1_000) is not None
    assert all(point.milliseconds > 0 for point in found.points)
    assert estimate(100_000) > 0

"""What is counted in this process: never more than the limit in any stretch of a window, and never for ever."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyadmin.kernel.rates import Rate
from keyadmin.limits.window import SLOTS, Meter, Meters

RATES = st.builds(Rate, st.integers(1, 60), st.sampled_from([1, 60, 3600, 86400]))
# When requests come, in parts of a window after the one before.
PAUSES = st.lists(st.floats(0, 1.5) | st.floats(0, 0.01), max_size=300)


@given(rate=RATES, start=st.floats(0, 1e9), pauses=PAUSES)
def test_no_stretch_of_a_window_holds_more_than_the_limit(rate: Rate, start: float, pauses: list[float]) -> None:
    meter, now, allowed = Meter(rate), start, list[float]()
    for pause in pauses:
        now += pause * rate.seconds
        if meter.take(now).allowed:
            allowed.append(now)
    for first, last in zip(allowed, allowed[rate.number :], strict=False):
        assert last - first >= rate.seconds * (1 - 1e-9)


@given(rate=RATES, start=st.floats(0, 1e6), part=st.floats(0, 0.999))
def test_after_a_whole_limit_at_once_nothing_passes_for_a_whole_window(rate: Rate, start: float, part: float) -> None:
    meter = Meter(rate)
    for _ in range(rate.number):
        assert meter.take(start).allowed
    for later in sorted((part, 0.95, 0.999)):
        assert not meter.take(start + later * rate.seconds).allowed


@given(rate=RATES, start=st.floats(0, 1e6), pauses=PAUSES)
def test_who_waits_as_long_as_the_answer_says_is_allowed_again(rate: Rate, start: float, pauses: list[float]) -> None:
    meter, now = Meter(rate), start
    for pause in pauses:
        now += pause * rate.seconds
        count = meter.take(now)
        if not count.allowed:
            assert 1 <= count.after <= rate.seconds * 1.05 + 1
            now += count.after
            assert meter.take(now).allowed


@given(rate=RATES, start=st.floats(0, 1e6))
def test_a_whole_limit_can_be_used_at_once_and_again_when_the_answer_says(rate: Rate, start: float) -> None:
    meter = Meter(rate)
    counts = [meter.take(start) for _ in range(rate.number)]
    assert [count.left for count in counts] == list(range(rate.number))[::-1]
    assert all(count.allowed for count in counts)
    assert not meter.take(start).allowed
    assert all(meter.take(start + counts[-1].after).allowed for _ in range(rate.number))


@given(rate=RATES)
def test_even_traffic_reaches_nearly_the_limit(rate: Rate) -> None:
    meter, step = Meter(rate), rate.seconds / rate.number * 1.000001
    allowed = sum(meter.take(number * step).allowed for number in range(rate.number * 100))  # a hundred windows
    assert allowed >= rate.number * 100 * (0.93 if rate.number > SLOTS else 1) - rate.number


def test_threads_share_one_limit() -> None:
    meters, allowed = Meters(10), list[bool]()

    def use() -> None:
        for _ in range(500):
            allowed.append(meters.take("key", Rate(1000, 86400)).allowed)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(allowed), sum(allowed)) == (4000, 1000)


def test_another_limit_is_counted_anew_and_names_are_apart() -> None:
    meters = Meters(10)
    assert meters.take("a", Rate(1, 3600)).allowed
    assert not meters.take("a", Rate(1, 3600)).allowed
    assert meters.take("b", Rate(1, 3600)).allowed
    assert meters.take("a", Rate(2, 3600)).allowed


def test_the_number_of_meters_is_bounded_and_those_in_use_stay() -> None:
    meters = Meters(100)
    for number in range(1000):
        assert meters.take(number, Rate(1, 3600)).allowed
    assert not meters.take(999, Rate(1, 3600)).allowed
    assert len(vars(meters)["_found"]) <= 100


@pytest.mark.parametrize(
    ("one", "other", "exceeds"),
    [
        (Rate(601, 60), Rate(600, 60), True),
        (Rate(600, 60), Rate(600, 60), False),
        (Rate(600, 60), Rate(10, 1), True),  # as many in the long run, but more at once
        (Rate(10, 1), Rate(600, 60), False),
        (Rate(11, 1), Rate(600, 60), True),  # fewer at once, but more in the long run
        (Rate(1, 86400), Rate(1, 3600), False),
    ],
)
def test_what_is_more(one: Rate, other: Rate, exceeds: bool) -> None:
    assert one.exceeds(other) is exceeds

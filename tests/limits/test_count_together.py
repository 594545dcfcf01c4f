"""Counting in a real Redis: processes share it, and each goes on by itself while it is gone or hangs."""

import multiprocessing
import time
from collections.abc import Callable, Iterator

import pytest
import redis

from keyadmin.kernel.rates import Rate
from keyadmin.limits.shared import REST, SharedMeters
from tests.limits.redis_server import Server, redis_server

HOURLY = Rate(100, 3600)


@pytest.fixture
def server() -> Iterator[Server]:
    with redis_server() as started:
        yield started


def _use(url: str, times: int, allowed: "multiprocessing.Queue[int]") -> None:
    meters = SharedMeters(url, "test")
    counts = [meters.take("key", HOURLY) for _ in range(times)]
    allowed.put(sum(count is not None and count.allowed for count in counts))


def test_processes_share_one_limit(server: Server) -> None:
    context = multiprocessing.get_context("spawn")
    allowed: multiprocessing.Queue[int] = context.Queue()
    processes = [context.Process(target=_use, args=(server.url, 90, allowed)) for _ in range(2)]
    for process in processes:
        process.start()
    shares = [allowed.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sum(shares) == 100


def test_it_says_what_is_left_and_when_there_is_more(server: Server) -> None:
    meters = SharedMeters(server.url, "test")
    first = meters.take("key", Rate(2, 60))
    assert first is not None
    assert (first.allowed, first.left) == (True, 1)
    assert 60 <= first.after <= 63
    meters.take("key", Rate(2, 60))
    refused = meters.take("key", Rate(2, 60))
    assert refused is not None
    assert (refused.allowed, refused.left) == (False, 0)
    assert 57 <= refused.after <= 63


def test_no_stretch_of_a_window_holds_more_than_the_limit(server: Server) -> None:
    meters, rate, allowed = SharedMeters(server.url, "test"), Rate(5, 1), list[tuple[float, float]]()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        before = time.monotonic()
        count = meters.take("key", rate)
        if count is not None and count.allowed:
            allowed.append((before, time.monotonic()))
        time.sleep(0.004)
    assert len(allowed) > rate.number
    for first, last in zip(allowed, allowed[rate.number :], strict=False):
        assert last[1] - first[0] >= rate.seconds


def test_what_is_counted_is_forgotten_in_time_and_installations_are_apart(server: Server) -> None:
    meters = SharedMeters(server.url, "test")
    meters.take("key", Rate(1, 1))
    assert SharedMeters(server.url, "other").take("key", Rate(1, 1)).allowed  # type: ignore[union-attr]
    _until(lambda: not redis.Redis.from_url(server.url).keys())


@pytest.mark.parametrize("how", ["hang", "kill"])
def test_a_server_that_fails_is_left_alone_until_it_answers_again(server: Server, how: str) -> None:
    meters = SharedMeters(server.url, "test")
    assert meters.take("key", HOURLY) is not None
    getattr(server, how)()
    assert meters.take("key", HOURLY) is None
    assert not meters.works
    began = time.monotonic()
    for _ in range(1000):
        assert meters.take("key", HOURLY) is None
    assert time.monotonic() - began < REST + 5, "none of them waits for the server"
    if how == "hang":
        server.wake()
    else:
        server.start()
    _until(lambda: meters.works)
    again = meters.take("key", HOURLY)
    assert again is not None
    assert again.allowed


def test_a_server_that_is_not_there_stops_nothing() -> None:
    meters = SharedMeters("unix:///tmp/keyadmin-no-such.sock", "test")
    assert meters.take("key", HOURLY) is None
    assert not meters.works


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)

"""Two web processes and one Redis: they count together, and go on by themselves while it is gone or hangs (R5)."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.limits.redis_server import Server, redis_server
from tests.running.conftest import office_of
from tests.running.installation import Installation, prepared
from tests.running.revoking import Host, Office

NO_REDIS = "REDIS_URL does not answer"
AGAIN = "REDIS_URL answers again"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with redis_server() as started:
        yield started


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Installation]:
    with prepared(tmp_path_factory.mktemp("shared"), KEYADMIN_WORKERS="2", REDIS_URL=server.url) as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def office(shared: Installation) -> Office:
    return office_of(shared)


def key(office: Office, limit: str) -> str:
    return str(office.key(permissions=["view_customer"], rate_limit=limit)["api_key"])


def test_processes_count_together(shared: Installation, office: Office) -> None:
    secret, host = key(office, "30/day"), Host(shared.address)
    statuses = [host.asks(secret, anew=True) for _ in range(60)]
    assert (statuses.count(200), statuses.count(429)) == (30, 30)


def test_rest_says_what_is_left(shared: Installation, office: Office) -> None:
    secret = key(office, "2/day")
    answers = [shared.get("/api/v1/whoami", key=secret) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit"][:9] for answer in answers] == ['"key";r=1', '"key";r=0', '"key";r=0']
    assert int(answers[2].headers["Retry-After"]) > 86000
    at_gate = shared.get("/verify", key=secret)
    assert (at_gate.status_code, at_gate.headers["RateLimit-Policy"]) == (429, '"key";q=2;w=86400')


@pytest.mark.parametrize("how", ["hang", "kill"])
def test_without_redis_verification_goes_on(shared: Installation, office: Office, server: Server, how: str) -> None:
    """No answer is 5xx, none is a wrong yes; from then on no request waits; and it counts together again."""
    limited, used_up = key(office, "1000000/day"), key(office, "1/day")
    wrong = limited[:-7] + ("A" if limited[-7] != "A" else "B") + limited[-6:]
    host = Host(shared.address)
    assert host.asks(used_up) == 200
    statuses: dict[str, set[int]] = {limited: set(), wrong: set()}
    stop = threading.Event()

    def knock(secret: str) -> None:
        while not stop.is_set():
            statuses[secret].add(host.asks(secret, anew=True))

    threads = [threading.Thread(target=knock, args=(secret,)) for secret in (limited, limited, wrong)]
    for thread in threads:
        thread.start()
    warned = shared.errors.count(NO_REDIS), shared.errors.count(AGAIN)
    try:
        time.sleep(0.3)
        getattr(server, how)()
        _until(lambda: shared.errors.count(NO_REDIS) >= warned[0] + 2)
        time.sleep(1)
    finally:
        server.wake() if how == "hang" else server.start()
        stop.set()
        for thread in threads:
            thread.join()
    assert statuses == {limited: {200}, wrong: {401}}
    _until(lambda: shared.errors.count(AGAIN) >= warned[1] + 2)
    fresh = key(office, "30/day")
    again = [host.asks(fresh, anew=True) for _ in range(60)]
    assert (again.count(200), again.count(429)) == (30, 30)
    if how == "hang":
        assert host.asks(used_up) == 429, "what was counted before is still there"


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)

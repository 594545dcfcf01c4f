"""What `/verify` says while the database is stopped, hung or cut off: 503 within a second, never yes, and it recovers.

R4. The server of the database is one of its own, so that it can be stopped.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.running.installation import ADMINISTRATOR, Installation
from tests.running.revoking import PATH
from tests.servers import PostgresServer, postgres

PATIENCE = 20.0  # seconds; the promise is one, but a busy machine is no fault of the code


@pytest.fixture(scope="module")
def hung_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, str, PostgresServer]]:
    """An installation on a server of its own, a key that works, and the server."""
    with postgres() as server:
        made = Installation(tmp_path_factory.mktemp("hung"), server.url, ADMINISTRATOR)
        try:
            made.start()
            secret = made.secret("create_key", "--name", "Watched", "--permission", "view_customer")
            assert made.get(PATH, key=secret).status_code == 200
            yield made, secret, server
        finally:
            made.close()


def signalled(processes: list[int], what: signal.Signals) -> None:
    """Send all of them a signal; one that served a connection may have ended by now."""
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, what)


def answered(made: Installation, secret: str, status: int) -> float:
    """Ask until there is such an answer; the seconds that it took."""
    began = time.monotonic()
    while made.get(PATH, key=secret).status_code != status:
        assert time.monotonic() < began + PATIENCE
        time.sleep(0.05)
    return time.monotonic() - began


def test_a_hung_database_is_503_and_recovers(hung_up: tuple[Installation, str, PostgresServer]) -> None:
    made, secret, server = hung_up
    processes = server.processes()
    signalled(processes, signal.SIGSTOP)
    try:
        time.sleep(0.3)  # longer than any lease
        for _ in range(5):
            answer = made.get(PATH, key=secret)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert answer.headers["Retry-After"]
        ready = made.get("/readyz")
        assert (ready.status_code, ready.json()["database"], ready.json()["spool"]) == (503, "failing", "ok")
    finally:
        signalled(processes, signal.SIGCONT)
    assert answered(made, secret, 200) < PATIENCE


# The last one: this server does not come back.
def test_a_database_that_is_gone_is_503(hung_up: tuple[Installation, str, PostgresServer]) -> None:
    made, secret, server = hung_up
    os.kill(server.processes()[0], signal.SIGQUIT)  # at once, without a word to its clients
    time.sleep(0.3)
    for _ in range(5):
        assert made.get(PATH, key=secret).status_code == 503

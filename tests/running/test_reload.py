"""Processes are replaced while requests go on: at SIGHUP all of them, one that died by itself alone."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from keyadmin.system import supervisor
from tests.running.installation import ADMINISTRATOR, CLIENT, Installation, installation

WEB = "keyadmin.server"
SOON = 30.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("reload"), KEYADMIN_WORKERS="2", **ADMINISTRATOR) as made:
        made.start()
        yield made


def web(made: Installation) -> set[int]:
    return {pid for pid, command in made.processes().items() if WEB in command}


def wait_for(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@contextmanager
def asked_without_end(made: Installation, secret: str) -> Iterator[list[int]]:
    """Three clients that keep their connections ask again and again; gives what they were answered."""
    answers: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=made.address, **CLIENT) as client:
            while not ended.is_set():
                answers.append(client.get("/verify", headers={"X-API-KEY": secret}).status_code)
                answers.append(client.get("/api/v1/whoami", headers={"X-API-KEY": secret}).status_code)
        answers.append(0)  # it came to its end without an error

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_reload_loses_no_request(made: Installation) -> None:
    assert made.process is not None
    secret = made.secret("create_key", "--name", "Asked")
    before = web(made)
    assert len(before) == 2
    with asked_without_end(made, secret) as answers:
        wait_for(lambda: len(answers) > 50, "no answers")
        made.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "reloaded" in made.errors, "not reloaded")
        wait_for(lambda: not before & web(made), "the old ones are still there")
        more = len(answers) + 50
        wait_for(lambda: len(answers) > more, "no answers after it")
    assert answers.count(0) == 3, "a request got no answer"
    assert set(answers) == {0, 200}
    assert len(web(made)) == 2
    assert made.process.poll() is None


def test_what_cannot_start_does_not_take_over(made: Installation) -> None:
    assert made.process is not None
    before = web(made)
    nonsense = made.data / "config.yml"
    nonsense.write_text("api_key_rounds_no: nonsense\n")
    made.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "can't start" in made.errors, "nothing was said")
    nonsense.unlink()
    assert web(made) == before
    assert made.get("/healthz").status_code == 200


def test_a_process_that_died_is_started_again(made: Installation) -> None:
    assert made.process is not None
    time.sleep(supervisor.STEADY_SECONDS)  # one that ends sooner than that would end again and again
    before = web(made)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(web(made)) == 2 and victim not in web(made), "it was not replaced")
    assert "ended with code -9; starting it again" in made.errors
    for _ in range(10):
        assert made.get("/healthz").status_code == 200
    assert made.process.poll() is None

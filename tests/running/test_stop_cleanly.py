"""However it ends, everything ends: no process stays behind, and the exit code says whether it was meant."""

import os
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running.installation import ADMINISTRATOR, Installation, installation

WEB = "keyadmin.server"
SOON = 20.0  # what is held up is held up for good; a busy machine is no fault of the code


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with two web processes and all that a first start makes, not running."""
    with installation(tmp_path_factory.mktemp("stop"), KEYADMIN_WORKERS="2", **ADMINISTRATOR) as made:
        made.start()
        made.stop()
        yield made


@pytest.fixture
def made(stopped: Installation) -> Iterator[Installation]:
    stopped.start()
    yield stopped
    stopped.close()


def the(made: Installation, part: str) -> list[int]:
    """The processes whose command line holds this, the oldest first."""
    return sorted(pid for pid, command in made.processes().items() if part in command)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_everything(made: Installation, number: signal.Signals) -> None:
    assert len(the(made, WEB)) == 2
    assert len(the(made, "manage.py worker")) == 1
    # A client that keeps its connection open does not hold up the end.
    with socket.create_connection(("127.0.0.1", made.port)) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(100)
        began = time.monotonic()

        assert made.stop(number) == 0

        assert time.monotonic() - began < SOON
    assert made.processes() == {}
    assert "Traceback" not in made.errors


def test_kill_of_the_supervisor_leaves_no_orphan(made: Installation) -> None:
    assert made.process is not None
    made.process.kill()
    made.process.wait()
    assert made.ended(within=SOON)


@pytest.fixture
def starting(stopped: Installation) -> Iterator[Installation]:
    """The same, not waited for: on a busy machine a part may be a grown one before everything serves."""
    stopped.launch()
    yield stopped
    stopped.close()


def kill_in_youth(made: Installation, part: str, at: int = 0) -> None:
    """Kill a part as soon as it is there, the one with this place among its like."""
    deadline = time.monotonic() + SOON
    while len(the(made, part)) <= at:
        assert time.monotonic() < deadline, made.errors
        time.sleep(0.01)
    os.kill(the(made, part)[at], signal.SIGKILL)


@pytest.mark.parametrize("part", [WEB, "manage.py worker"])
def test_early_death_of_a_part_ends_the_rest_and_says_so(starting: Installation, part: str) -> None:
    assert starting.process is not None
    before = len(starting.errors)
    kill_in_youth(starting, part)
    assert starting.process.wait(SOON) == 1
    assert starting.processes() == {}
    assert "ended with code -9; stopping the rest" in starting.errors[before:]


def test_early_death_of_one_web_process_is_not_served_around(starting: Installation) -> None:
    assert starting.process is not None
    kill_in_youth(starting, WEB, 1)
    assert starting.process.wait(SOON) == 1
    assert starting.processes() == {}


def test_port_in_use_is_said_in_one_line(made: Installation, tmp_path: Path) -> None:
    # Another installation, so that nothing but the port can be in the way.
    with installation(tmp_path / "other", **ADMINISTRATOR) as other:
        done = other.run("up", KEYADMIN_PORT=str(made.port))
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr == (
            f"keyadmin: can't listen on 127.0.0.1 port {made.port} (KEYADMIN_HOST, KEYADMIN_PORT): "
            "Address already in use.\n"
        )
        assert other.processes() == {}


def test_all_that_is_written_is_for_the_owner_alone(stopped: Installation) -> None:
    open_to_others = [path.name for path in [stopped.data, *stopped.data.iterdir()] if path.stat().st_mode & 0o077]
    assert open_to_others == []
    assert stat.S_IMODE((stopped.data / "master.key").stat().st_mode) == 0o600

"""`/readyz` names the part that fails, to any host name, and says when it is well again."""

import os
import shutil
import signal
import time

from tests.running.installation import Installation

PATIENCE = 30.0  # seconds; a busy machine is no fault of the code
WELL = {"status": "ok", "database": "ok", "spool": "ok", "worker": "ok"}


def comes_to_say(running: Installation, status: int, **parts: str) -> None:
    """Ask until there is such an answer."""
    deadline = time.monotonic() + PATIENCE
    expected = {**WELL, "status": "ok" if status == 200 else "failing", **parts}
    while True:
        answer = running.get("/readyz", Host="10.1.2.3:8080")
        if (answer.status_code, answer.json()) == (status, expected):
            return
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)


def test_all_is_well(running: Installation) -> None:
    comes_to_say(running, 200)
    answer = running.get("/readyz")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_spool_that_can_not_be_written(running: Installation) -> None:
    comes_to_say(running, 200)
    spool = running.data / "spool"
    shutil.move(spool, running.data / "aside")
    spool.write_text("in the way")
    try:
        comes_to_say(running, 503, spool="failing")
    finally:
        spool.unlink()
        shutil.move(running.data / "aside", spool)
    comes_to_say(running, 200)


def test_a_worker_that_hangs(running: Installation) -> None:
    comes_to_say(running, 200)
    (worker,) = [pid for pid, command in running.processes().items() if command.rstrip().endswith("worker")]
    os.kill(worker, signal.SIGSTOP)
    try:
        long_ago = time.time() - 61
        os.utime(running.data / "worker.alive", (long_ago, long_ago))
        comes_to_say(running, 503, worker="failing")
    finally:
        os.kill(worker, signal.SIGCONT)
    comes_to_say(running, 200)

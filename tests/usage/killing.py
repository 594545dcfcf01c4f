"""Run by a test in a process of its own: kill writers and drains with -9 again and again, then say what is there.

`python -m tests.usage.killing CYCLES` prints which records were acknowledged, which are kept, and what was counted.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
django.setup()

from django.db.models import Sum  # noqa: E402

from keyadmin.kernel.actor import Subject  # noqa: E402
from keyadmin.usage import spool as files  # noqa: E402
from keyadmin.usage.models import AccessRecord, KeyAddress, SpoolPosition, UsageDay, UsageHour  # noqa: E402
from keyadmin.usage.services import access, drain, draining, record, recording  # noqa: E402

WRITERS = 2


def write(pipe: int) -> None:
    """Record one request after the other, and acknowledge each as soon as it is kept."""
    number = 0
    while True:
        name = f"{os.getpid()}-{number}"
        record(
            access(
                outcome="allowed",
                subject=Subject(organization_id=1, key_id=1 + number % 3),
                method="GET",
                path="/verify",
                address="192.0.2.7",
                user_agent="x" * (number % 300),
                request_id=name,
            )
        )
        os.write(pipe, f"{name}\n".encode())
        number += 1


def drain_on() -> None:
    while True:
        drain()


def forked(act: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            act()
        finally:
            os._exit(1)
    return pid


def cycle(chance: random.Random) -> list[str]:
    """Writers and a drain for a moment, then all of them dead; returns what was acknowledged."""
    read, pipe = os.pipe()
    children = [forked(lambda: write(pipe)) for _ in range(WRITERS)]
    os.close(pipe)
    for _ in range(3):
        draining_now = forked(drain_on)
        wait(read, chance.uniform(0.02, 0.15))
        end(draining_now)
    for child in children:
        end(child)
    wait(read, 0)
    os.close(read)
    acknowledged = "".join(_heard).split("\n")[:-1]
    _heard.clear()
    return acknowledged


_heard: list[str] = []


def wait(pipe: int, seconds: float) -> None:
    """Listen, so that writers are not held up by a full pipe."""
    deadline = time.monotonic() + seconds
    os.set_blocking(pipe, False)
    while True:
        try:
            text = os.read(pipe, 1 << 16)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return
            time.sleep(0.002)
            continue
        if not text:
            return
        _heard.append(text.decode())


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def main(cycles: int) -> None:
    chance = random.Random()
    # Small files and pieces: so a kill falls into each step many times.
    draining.PIECE = 40_000  # type: ignore[misc]
    files.TURN = 150_000  # type: ignore[misc]
    acknowledged = [name for _ in range(cycles) for name in cycle(chance)]
    while files.waiting(recording.spool.directory):
        drain()
    drain()
    json.dump(
        {
            "acknowledged": acknowledged,
            "kept": list(AccessRecord.objects.values_list("request_id", flat=True)),
            "hours": UsageHour.objects.filter(key_id__gt=0).aggregate(n=Sum("number"))["n"],
            "days": UsageDay.objects.filter(key_id=0).aggregate(n=Sum("number"))["n"],
            "addresses": KeyAddress.objects.aggregate(n=Sum("number"))["n"],
            "positions": SpoolPosition.objects.count(),
            "left": sorted(path.suffix for path in recording.spool.directory.iterdir()),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""Run by a test in a process of its own: record while the spool can't be written to, or only now and then.

`python -m tests.usage.failing HOW TOGETHER` prints how many records were kept, how many were counted as lost, and which
were the last. So many are recorded TOGETHER.
"""

import json
import os
import resource
import shutil
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "keyadmin.settings")
django.setup()

from keyadmin.kernel.actor import NOBODY  # noqa: E402
from keyadmin.usage import spool as files  # noqa: E402
from keyadmin.usage.services import access, record, recording  # noqa: E402

directory = recording.spool.directory


def full() -> None:
    """No file may grow beyond 30,000 bytes; the last write that fits is cut short."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))


def roomy() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def gone() -> None:
    shutil.rmtree(directory)
    time.sleep(0.3)  # until it is noticed


def no_directory() -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.write_text("in the way")


def cleared() -> None:
    directory.unlink()


STORIES = {"full": (full, roomy), "gone": (gone, lambda: None), "no directory": (no_directory, cleared)}


def some(count: int, together: int) -> None:
    for first in range(0, count, together):
        record(*(one(number) for number in range(first, first + together)))


def one(number: int) -> files.Record:
    return access(
        outcome="missing_key",
        subject=NOBODY,
        method="GET",
        path="/",
        address="192.0.2.7",
        user_agent="x" * 200,
        request_id=str(number),
    )


def main(how: str, together: int) -> None:
    break_it, mend_it = STORIES[how]
    if how != "no directory":
        some(10, together)
    break_it()
    some(500, together)
    mend_it()
    time.sleep(files.AGAIN_SECONDS + 0.2)
    some(50, together)
    pieces = [path.read_bytes() for path in files.waiting(directory)]
    kept = [found for piece in pieces for found in files.read(piece, ended=True).records]
    last = [found.request_id for found in kept[-50:]]
    json.dump({"kept": len(kept), "lost": recording.spool.dropped, "last": last}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""Take records from the spools of all processes into the database, each exactly once.

How far a file is done stands in a row that is written in the same transaction as its records and counts: whatever dies
at whatever moment, the next turn goes on where the database says. The row changes only from the value that was read,
so that even two drains at once, on machines that share the directory, can't both count.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from django.db import DatabaseError, IntegrityError, InterfaceError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from keyadmin.usage import spool as files
from keyadmin.usage.models import SpoolPosition
from keyadmin.usage.services import counts, insertion, recording
from keyadmin.usage.services.partitions import usage_database

log = logging.getLogger("keyadmin")

PIECE: Final = 4 << 20  # bytes of a file for one transaction: some twenty thousand records
TURN_SECONDS: Final = 5.0  # after which the worker's other work on the same thread comes first
SAID_EVERY: Final = 30.0  # seconds
DONE: Final = ".done"
STALE_SECONDS: Final = 60.0  # a file without records for so long was begun by a process that died doing it
_done: dict[str, int] = {}  # what the database was last seen to say: spares asking it when nothing came
_said = float("-inf")


class Drained(NamedTuple):
    """How many records came into the database, and how many bytes were no record."""

    records: int = 0
    torn: int = 0


def drain() -> Drained:
    """Take what has come since the last turn; at most a few seconds' worth. Never raises for a database that is away.

    Files that nobody writes to any more are removed when all of them is in the database.
    """
    directory, found = recording.spool.directory, Drained()
    if not directory.is_dir():
        return found
    try:
        with _alone(directory) as alone:
            if alone:
                found = _all(directory)
    except (DatabaseError, InterfaceError, OSError) as error:
        _say(error)
    if found.torn:
        log.warning("%d bytes in the spool were no record: a write was cut short.", found.torn)
    return found


def _all(directory: Path) -> Drained:
    deadline, records, torn = time.monotonic() + TURN_SECONDS, 0, 0
    for path in files.waiting(directory):
        more = True
        while more and time.monotonic() < deadline:
            try:
                step, more = _step(path)
            except OSError as error:  # of this file: others can be in order
                _say(error)
                break
            records, torn = records + step.records, torn + step.torn
    _sweep(directory)
    return Drained(records, torn)


def _step(path: Path) -> tuple[Drained, bool]:
    """One piece of one file; and whether there is more of it."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        ended = files.is_abandoned(file)  # before its length is looked at: nothing comes after that
        length = os.fstat(file).st_size
        if not ended and _done.get(path.name) == length:
            return Drained(), False
        database = usage_database()
        done = _position(database, path.name)
        if done >= length:  # a power cut can have taken what the database has already
            _done[path.name] = length
            if ended:
                _remove(database, path)
            return Drained(), False
        piece = os.pread(file, PIECE, done)
        whole = done + len(piece) == length
        found = files.read(piece, ended=ended and whole)
        if not found.used and not whole:
            # Longer than any record, and none in it: only its end can be the beginning of one.
            found = files.Frames([], len(piece) - files.LONGEST_FRAME, len(piece) - files.LONGEST_FRAME)
        if found.used:
            _keep(database, path.name, done, found)
        reached = done + found.used
        _done[path.name] = reached
        if ended and reached == length:
            _remove(database, path)
            return Drained(len(found.records), found.torn), False
        if not found.used:
            _done[path.name] = length  # half a record at the end: nothing to do until there is more
        return Drained(len(found.records), found.torn), found.used > 0 and reached < length
    finally:
        os.close(file)


def _keep(database: BaseDatabaseWrapper, name: str, done: int, found: files.Frames) -> None:
    """Records, counts and position, all or nothing."""
    try:
        _write(database, name, done, found.records, found.used)
    except insertion.UNSTORABLE:
        # One of them, from whatever wrote it, would hold up all that follow.
        _write(database, name, done, [insertion.storable(record) for record in found.records], found.used)


def _write(database: BaseDatabaseWrapper, name: str, done: int, records: list[files.Record], used: int) -> None:
    with transaction.atomic(using=database.alias):
        _advance(database, name, done, done + used)
        if records:
            insertion.insert(database, records)
            counts.write(database, counts.count(records))


def _advance(database: BaseDatabaseWrapper, name: str, done: int, reached: int) -> None:
    rows = SpoolPosition.objects.using(database.alias)
    if done == 0 and not rows.filter(name=name).exists():
        rows.create(name=name, done=reached)
    elif not rows.filter(name=name, done=done).update(done=reached):
        raise IntegrityError("another drain was here")


def _position(database: BaseDatabaseWrapper, name: str) -> int:
    found = SpoolPosition.objects.using(database.alias).filter(name=name).values_list("done", flat=True).first()
    return found or 0


def _remove(database: BaseDatabaseWrapper, path: Path) -> None:
    """Out of the way, then its row, then the file: without its row it would be read again, if this died in between."""
    done = path.with_suffix(DONE)
    path.rename(done)
    _forget(database, done)


def _forget(database: BaseDatabaseWrapper, done: Path) -> None:
    name = done.with_suffix(files.ENDING).name
    SpoolPosition.objects.using(database.alias).filter(name=name).delete()
    _done.pop(name, None)
    done.unlink()


def _sweep(directory: Path) -> None:
    """Remove what processes have left that died while they began or removed a file."""
    for path in directory.glob(f"*{DONE}"):
        if not path.with_suffix(files.ENDING).exists():
            _forget(usage_database(), path)
    for path in directory.glob(files.UNNAMED):
        with suppress(FileNotFoundError):
            found = path.stat()
            if not found.st_size and time.time() - found.st_mtime > STALE_SECONDS:
                path.unlink()


@contextmanager
def _alone(directory: Path) -> Iterator[bool]:
    """Whether no other process drains this directory now."""
    lock = os.open(directory / "drain.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)


def _say(error: Exception) -> None:
    global _said
    if time.monotonic() - _said >= SAID_EVERY:
        _said = time.monotonic()
        log.error("Access records wait in the spool, as they can't be drained: %s", type(error).__name__)

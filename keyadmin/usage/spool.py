"""Access records on their way to the database: each process appends to a file of its own, the worker drains them.

One record is one frame, written by one write(2), alone or with others: it survives the death of the process by itself.
An fsync every 50 ms bounds what a power cut can take. A process holds a lock on the file that it writes; one without is
an orphan.

    frame    magic (2 bytes), length of the payload (2 bytes), CRC32 of the payload (4 bytes), payload
    payload  time (microseconds since 1970, UTC), organisation, key, user (each 8 bytes, -1: none), then texts
             (UTF-8, separated by line feeds, which none of them contains)

All numbers are little-endian.
"""

import fcntl
import logging
import os
import secrets
import struct
import threading
import time
import zlib
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple

log = logging.getLogger("keyadmin")

MAGIC: Final = b"\xc5K"
LONGEST: Final = 0xFFFF
TURN: Final = 8 << 20  # bytes after which a process begins its next file
SYNC_SECONDS: Final = 0.05
AGAIN_SECONDS: Final = 1.0  # after no file could be begun
SAID_EVERY: Final = 30.0  # seconds
ENDING: Final = ".spool"
UNNAMED: Final = "????????????????????-????????????????"  # what a file is called until its writer has locked it
_HEAD = struct.Struct("<2sHI")
_NUMBERS = struct.Struct("<qqqq")
LONGEST_FRAME: Final = _HEAD.size + LONGEST


class Record(NamedTuple):
    """One request as it is kept. `time` in microseconds since 1970, UTC; ids are -1 where there is none.

    Texts are lines: without control characters, and without anything secret.
    """

    time: int
    organization_id: int
    key_id: int
    user_id: int
    method: str
    path: str
    outcome: str
    reason: str
    missing_permission: str
    who: str
    token_id: str
    address: str
    user_agent: str
    request_id: str


TEXTS: Final = len(Record._fields) - 4


def frame(record: Record) -> bytes:
    """One record as it stands in a file."""
    payload = _NUMBERS.pack(*record[:4]) + "\n".join(record[4:]).encode("utf-8", "replace")
    payload = payload[:LONGEST]
    return _HEAD.pack(MAGIC, len(payload), zlib.crc32(payload)) + payload


class Frames(NamedTuple):
    """What was found in a piece of a file: the records, how many bytes are done with, how many bytes were no record."""

    records: list[Record]
    used: int
    torn: int


def read(piece: bytes, *, ended: bool) -> Frames:
    """The records in the bytes that follow the last ones that were read.

    A frame that is not whole waits for its rest, unless the file has `ended`. What is no frame is skipped, up to the
    next one: a full disk can have cut one short.
    """
    records: list[Record] = []
    at = torn = 0
    while at < len(piece):
        found = _frame_at(piece, at)
        if found is not None:
            record, length = found
            records.append(record)
            at += length
            continue
        following = _next_frame(piece, at + 1)
        if following is None:
            if ended:
                torn += len(piece) - at
                at = len(piece)
            break
        torn += following - at
        at = following
    return Frames(records, at, torn)


def _next_frame(piece: bytes, start: int) -> int | None:
    at = piece.find(MAGIC, start)
    while at >= 0:
        if _frame_at(piece, at) is not None:
            return at
        at = piece.find(MAGIC, at + 1)
    return None


def _frame_at(piece: bytes, at: int) -> tuple[Record, int] | None:
    start = at + _HEAD.size
    if start > len(piece):
        return None
    magic, length, checksum = _HEAD.unpack_from(piece, at)
    payload = piece[start : start + length]
    if magic != MAGIC or len(payload) < length or length < _NUMBERS.size or zlib.crc32(payload) != checksum:
        return None
    texts = payload[_NUMBERS.size :].decode("utf-8", "replace").split("\n")
    texts = (texts + [""] * TEXTS)[:TEXTS]
    return Record(*_NUMBERS.unpack_from(payload), *texts), _HEAD.size + length


class Spool:
    """The file that this process appends to. Safe to share between threads; never raises."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = -1
        self._written = 0
        self._synced = 0
        self._left: list[int] = []  # files that were begun before this one, until they are on the disk
        self.dropped = 0  # records, in all
        self._unsaid = 0  # of them
        self._reason = ""
        self._said = float("-inf")
        self._failed = float("-inf")
        self._turning = threading.Lock()
        self._watched = False
        self._closed = threading.Event()

    def append(self, *records: Record) -> None:
        """Keep records, in one write. What can't be written is counted and said, and holds nobody up."""
        frames = [frame(one) for one in records]
        data = b"".join(frames)
        try:
            if self._written >= TURN or self._file < 0:
                self._turn()
            written = self._write(data)
        except OSError as error:
            self._drop(error, len(records))
            return
        self._written += written
        if written < len(data):
            self._drop(OSError("cut short"), sum(end > written for end in accumulate(map(len, frames))))

    def close(self) -> None:
        """Write no more to the file; the next record begins another."""
        with self._turning:
            self._closed.set()
            if self._file >= 0:
                os.close(self._file)
            self._file, self._written, self._synced = -1, 0, 0

    def _write(self, data: bytes) -> int:
        """How many bytes have been written: on a full disk not all."""
        written = -1
        try:
            written = os.write(self._file, data)
        finally:
            if written < len(data):
                self._written = TURN  # perhaps another file can be written to
                self._failed = time.monotonic()
        return written

    def _turn(self) -> None:
        with self._turning:
            if not self._watched or self._closed.is_set():
                self._watched, self._closed = True, threading.Event()
                threading.Thread(target=self._watch, args=(self._closed,), name="spool", daemon=True).start()
            if self._file >= 0 and self._written < TURN:
                return  # another thread has done it
            if time.monotonic() - self._failed < AGAIN_SECONDS:
                raise OSError(0, self._reason)
            try:
                fresh = _begin(self.directory)
            except OSError:
                self._failed = time.monotonic()
                raise
            self._written = self._synced = 0
            if self._file < 0:
                self._file = fresh
            else:
                self._left.append(os.dup(self._file))
                # The number stays: another thread may be about to write to it.
                os.dup2(fresh, self._file, inheritable=False)
                os.close(fresh)

    def _watch(self, closed: threading.Event) -> None:
        while not closed.wait(SYNC_SECONDS):
            try:
                self._sync()
            except OSError as error:
                self._drop(error, 0)
            self._say()

    def _sync(self) -> None:
        while self._left:
            left = self._left.pop()
            try:
                os.fsync(left)
            finally:
                os.close(left)
        written = self._written
        if written != self._synced:
            os.fsync(self._file)
            self._synced = written
        if self._file >= 0 and os.fstat(self._file).st_nlink == 0:
            self._written = TURN  # somebody removed it: what is written there, nobody reads

    def _drop(self, error: OSError, number: int) -> None:
        self.dropped += number
        self._unsaid += number
        self._reason = error.strerror or str(error)
        self._say()

    def _say(self) -> None:
        now = time.monotonic()
        if self._unsaid and now - self._said >= SAID_EVERY:
            unsaid, self._unsaid, self._said = self._unsaid, 0, now
            log.error("%d access records could not be kept: %s", unsaid, self._reason)


def _begin(directory: Path) -> int:
    """A new file that is ours: locked before it has the name by which it could be taken for abandoned."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = directory / f"{time.time_ns():020}-{secrets.token_hex(8)}"
    fresh = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fresh, fcntl.LOCK_EX)
        name.rename(name.with_suffix(ENDING))
    except BaseException:
        os.close(fresh)
        raise
    return fresh


def waiting(directory: Path) -> list[Path]:
    """The files that may hold records, the oldest first."""
    return sorted(directory.glob(f"*{ENDING}"))


def is_abandoned(file: int) -> bool:
    """Whether nobody writes to an open file any more."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

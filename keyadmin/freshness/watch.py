"""Which epoch is current: asked before anything is served that was remembered under one.

On SQLite every question is put to its files, which takes a fraction of a microsecond. On PostgreSQL one thread of the
process asks the primary about twenty times a second; each answer is a lease of 0.1 s, counted from the start of the
question, and whoever takes something away waits until every lease that may be about has run out.
"""

import logging
import mmap
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Final, Protocol

import psycopg
from django.conf import settings
from django.db import connections

log = logging.getLogger("keyadmin")

LEASE: Final = 0.1  # seconds that an answer of the primary is good for
RENEWAL: Final = 0.05
IDLE: Final = 10.0  # seconds without a question after which the primary is asked no more
SETTLED: Final = LEASE * 1.1  # what a change waits: clocks of two hosts need not run at quite the same speed
HEAD: Final = 96  # bytes
_EPOCH = "SELECT value FROM freshness_epoch WHERE id = 1"


class Watch(Protocol):
    """What knows the current epoch; safe to share between threads."""

    settles: float  # seconds after which a change that was committed is known everywhere

    def now(self) -> str | None:
        """The epoch that is current, without waiting; None if that can't be known at this moment."""

    def within(self, seconds: float) -> str | None:
        """The same, waiting for it at most so long."""

    def stop(self) -> None:
        """Let go of what it holds; it can be asked again."""


class SqliteWatch:
    """The epoch is read again whenever the head of the WAL index has changed, as it does at each commit.

    By this head, two copies of 48 bytes at the beginning of the file `-shm`, SQLite itself learns of other processes'
    commits (sqlite.org/walformat.html, 2.1; `PRAGMA data_version` says the same at thirty times the price). A head that
    is being written looks like none before it. SQLite removes or shortens the file only when nobody has the database
    open any more: the connection is kept for as long as the file is looked at. The descriptors are never closed, as
    that would take away the locks that all connections of this process have on the file (POSIX, fcntl).
    """

    settles = 0.0

    def __init__(self, file: str) -> None:
        self._file = file
        self._reading = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._index: bytes | mmap.mmap = b""
        self._known = (b"", "")  # the head, as it was before this epoch was read

    def now(self) -> str | None:
        head, epoch = self._known
        if head and self._head() == head:
            return epoch
        with self._reading:
            return self._read()

    def within(self, seconds: float) -> str | None:
        return self.now()

    def stop(self) -> None:
        self._known = (b"", "")

    def _read(self) -> str | None:
        try:
            connection = self._connection or self._open()
            # The head first: a commit between the two is seen by the next question.
            head = self._head()
            row = connection.execute(_EPOCH).fetchone()
        except sqlite3.Error:
            self._known = (b"", "")
            return None
        epoch = str(row[0]) if row else ""
        self._known = (head, epoch)
        return epoch

    def _head(self) -> bytes:
        """Empty where there is none: then each question reads the epoch."""
        return self._index[:HEAD]

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=0.5, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA query_only=ON")
            connection.execute(_EPOCH).fetchone()  # from now on it holds the WAL index, if there is one
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        if mode == "wal":
            with suppress(OSError, ValueError):
                index = os.open(f"{self._file}-shm", os.O_RDONLY | os.O_CLOEXEC)
                self._index = mmap.mmap(index, HEAD, access=mmap.ACCESS_READ)
        self._connection = connection
        return connection


class LeaseWatch:
    """One thread asks the primary; everybody else reads what it heard last and until when that is good."""

    settles = SETTLED

    def __init__(self, connect: Callable[[], "psycopg.Connection[Any]"]) -> None:
        self._connect = connect
        self._lease = ("", 0.0)
        self._renewed = threading.Condition()
        self._running = False
        self._asked = 0.0

    def now(self) -> str | None:
        now = self._asked = _boot_time()
        epoch, until = self._lease
        if now < until:
            return epoch
        if not self._running:
            self._start()
        return None

    def within(self, seconds: float) -> str | None:
        found = self.now()
        deadline = time.monotonic() + seconds
        while found is None and (left := deadline - time.monotonic()) > 0:
            with self._renewed:
                self._renewed.wait(left)
            found = self.now()
        return found

    def _start(self) -> None:
        with self._renewed:
            if not self._running:
                self._running = True
                threading.Thread(target=self._renew, name="epoch", daemon=True).start()

    def _renew(self) -> None:
        failed = False
        while not self._is_idle():
            try:
                with self._connect() as connection:
                    while not self._is_idle():
                        self._ask(connection)
                        if failed:
                            log.warning("The database answers again.")
                            failed = False
                        time.sleep(RENEWAL)
            except (psycopg.Error, OSError) as error:
                if not failed:
                    log.warning("The current epoch can't be read (%s): keys are not verified.", type(error).__name__)
                failed = True
                time.sleep(RENEWAL)

    def _is_idle(self) -> bool:
        """Whether the thread may end; the next question begins another."""
        with self._renewed:
            self._running = _boot_time() - self._asked < IDLE
            return not self._running

    def stop(self) -> None:
        """Ask no more, unless there is another question."""
        self._asked = -IDLE

    def _ask(self, connection: "psycopg.Connection[Any]") -> None:
        began = _boot_time()
        row = connection.execute(f"SELECT ({_EPOCH}), pg_is_in_recovery()").fetchone()
        if row is None or row[1]:
            raise psycopg.OperationalError("This server is no primary.")
        with self._renewed:
            self._lease = (row[0] or "", began + LEASE)
            self._renewed.notify_all()


@cache
def watch() -> Watch:
    """The one of this process, for the database that it uses."""
    database = settings.DATABASES["default"]
    if connections["default"].vendor == "sqlite":
        return SqliteWatch(str(connections["default"].settings_dict["NAME"]))
    options = {name: value for name, value in database["OPTIONS"].items() if name != "pool"}
    # A primary that is gone without a word must not hold the thread for longer than a restart takes.
    patience = {"connect_timeout": 2, "tcp_user_timeout": 2000, "keepalives_idle": 1, "keepalives_interval": 1}

    def connect() -> "psycopg.Connection[Any]":
        facts = connections["default"].settings_dict
        where = {"host": facts["HOST"] or None, "port": facts["PORT"] or None, "dbname": facts["NAME"]}
        who = {"user": facts["USER"] or None, "password": facts["PASSWORD"] or None}
        return psycopg.connect(**{**where, **who, **options, **patience}, autocommit=True)

    return LeaseWatch(connect)


def _boot_time() -> float:
    """Seconds since the machine was started, also those that it slept: a lease must not last through them."""
    return time.clock_gettime(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

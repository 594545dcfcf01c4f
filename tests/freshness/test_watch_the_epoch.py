"""The epoch is known a moment after each change, in every thread, and never from inside a transaction."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import connections, transaction

from keyadmin.freshness import queries, services
from keyadmin.freshness.watch import LEASE, LeaseWatch, SqliteWatch, Watch, watch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def watching(transactional_db: None) -> Iterator[Watch]:
    watch.cache_clear()
    yield watch()
    watch().stop()
    watch.cache_clear()


def bumped() -> str:
    """A change, and the wait that each answer has."""
    with transaction.atomic():
        services.bump()
        transaction.on_commit(services.committed)
    time.sleep(services.unsettled())
    return queries.current()


def in_thread(ask: Watch) -> str | None:
    found: list[str | None] = []

    def run() -> None:
        found.append(ask.within(5))
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_each_change_is_seen_by_every_thread(watching: Watch) -> None:
    for _ in range(20):
        epoch = bumped()
        assert watching.within(5) == epoch
        assert in_thread(watching) == epoch


def test_what_is_not_committed_is_not_seen(watching: Watch) -> None:
    before = bumped()
    with transaction.atomic():
        services.bump()
        assert watching.within(5) == before


def test_a_thread_that_waits_has_nothing_to_wait_for_twice(watching: Watch) -> None:
    with transaction.atomic():
        transaction.on_commit(services.committed)
    assert services.unsettled() <= watching.settles
    assert services.unsettled() == 0


WRITER = """
import sqlite3, sys
for line in sys.stdin:
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("UPDATE freshness_epoch SET value = ?", [line.strip()])
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    print(flush=True)
"""


def test_each_change_by_another_process_is_seen_at_once(tmp_path: Path) -> None:
    file = tmp_path / "watched.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE freshness_epoch (id INTEGER PRIMARY KEY, value TEXT)")
        made.execute("INSERT INTO freshness_epoch VALUES (1, 'first')")
    watching = SqliteWatch(str(file))
    assert watching.now() == "first"
    command = [sys.executable, "-c", WRITER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin
        assert writer.stdout
        for number in range(200):
            writer.stdin.write(f"epoch {number}\n")
            writer.stdin.flush()
            writer.stdout.readline()  # it is committed; its log was emptied, and all its connections are closed
            assert watching.now() == f"epoch {number}"
            assert watching.now() == f"epoch {number}"
        writer.stdin.close()


def test_without_a_log_ahead_the_epoch_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "plain.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as made:
        made.execute("CREATE TABLE freshness_epoch (id INTEGER PRIMARY KEY, value TEXT)")
        made.execute("INSERT INTO freshness_epoch VALUES (1, 'first')")
        watching = SqliteWatch(str(file))
        assert watching.now() == "first"
        made.execute("UPDATE freshness_epoch SET value = 'second'")
        assert watching.now() == "second"


def test_without_its_file_nothing_is_known(tmp_path: Path) -> None:
    nowhere = SqliteWatch(str(tmp_path / "nowhere" / "keyadmin.sqlite3"))
    assert nowhere.now() is None
    assert nowhere.within(0.01) is None


def test_without_a_primary_nothing_is_known() -> None:
    def refuse() -> "psycopg.Connection[object]":
        raise psycopg.OperationalError("no server")

    nowhere = LeaseWatch(refuse)
    assert nowhere.within(3 * LEASE) is None
    nowhere.stop()

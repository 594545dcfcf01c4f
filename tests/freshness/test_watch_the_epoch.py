"""The epoch is known a moment after each change, in every thread, and never from inside a transaction."""

import threading
import time
from collections.abc import Iterator
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

"""The worker: stamps what has expired, forgets old answers and sessions, and survives a job that fails."""

import logging
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import OperationalError

from keyadmin.instance.models import IdempotencyRecord
from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from keyadmin.system import worker
from tests.world import World


@pytest.fixture
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's transaction lives on this thread's connection, which the worker would give back."""
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)


@pytest.mark.usefixtures("one_connection")
def test_expired_keys_are_stamped_once(world: World) -> None:
    now = clock.now()
    expired, later, never = world.key(name="a"), world.key(name="b", expires_at=now + timedelta(days=1)), world.key()
    APIKey.objects.filter(pk=expired.key.pk).update(
        created_at=now - timedelta(days=2), expires_at=now - timedelta(seconds=1)
    )
    worker.run_once()
    stamps = dict(APIKey.objects.values_list("pk", "expired_seen_at"))
    first = stamps[expired.key.pk]
    assert first is not None
    assert first >= now
    assert (stamps[later.key.pk], stamps[never.key.pk]) == (None, None)
    worker.run_once()
    assert APIKey.objects.get(pk=expired.key.pk).expired_seen_at == first


@pytest.mark.usefixtures("one_connection")
def test_a_clock_set_back_revives_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    issued = world.key(expires_at=now + timedelta(days=1))
    with monkeypatch.context() as later:
        later.setattr(clock, "now", lambda: now + timedelta(days=2))
        worker.run_once()
    answer = world.client(key=issued.secret).get("/api/v1/whoami")
    assert (answer.status_code, answer.json()["code"]) == (401, "key_expired")


@pytest.mark.usefixtures("one_connection")
def test_old_answers_and_sessions_are_forgotten(world: World) -> None:
    now = clock.now()
    for name, age in (("old", 25), ("young", 23)):
        made = now - timedelta(hours=age)
        IdempotencyRecord.objects.create(fingerprint=name, body_hash="x", created_at=made)
        store = SessionStore()
        store.create()
        Session.objects.filter(pk=store.session_key).update(expire_date=made + timedelta(hours=24))
    worker.run_once()
    assert list(IdempotencyRecord.objects.values_list("fingerprint", flat=True)) == ["young"]
    assert [row.expire_date > now for row in Session.objects.all()] == [True]


def test_a_job_that_fails_is_logged_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = []

    def broken() -> None:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(worker, "JOBS", ((broken, 1), (lambda: done.append("after"), 1)))
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)
    with caplog.at_level(logging.ERROR):
        worker.run_once()
    assert done == ["after"]
    assert "broken failed; it is tried again at its next turn" in caplog.text

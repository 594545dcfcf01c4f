"""Access records are kept for thirty days and no more than so many; the database that they stand in is their own."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connections, router

from keyadmin.kernel import clock
from keyadmin.kernel.actor import NOBODY, Subject
from keyadmin.system.worker import JOBS
from keyadmin.usage import services
from keyadmin.usage.models import AccessRecord, KeyAddress, UsageDay, UsageHour
from keyadmin.usage.services import partitions, pruning

pytestmark = pytest.mark.django_db


def make(request_id: str, *, days_ago: float = 0, subject: Subject = NOBODY, outcome: str = "missing_key") -> None:
    make_one(request_id, days_ago=days_ago, subject=subject, outcome=outcome)
    services.drain()


def make_one(request_id: str, *, days_ago: float = 0, subject: Subject = NOBODY, outcome: str = "missing_key") -> None:
    with clock.at(clock.now() - timedelta(days=days_ago)):
        services.record(
            services.access(
                outcome=outcome,
                subject=subject,
                method="GET",
                path="/",
                address="192.0.2.7",
                user_agent="",
                request_id=request_id,
            )
        )


def kept() -> list[str]:
    return list(AccessRecord.objects.order_by("pk").values_list("request_id", flat=True))


def test_records_older_than_thirty_days_are_removed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 2)
    for number in range(5):
        make(f"old {number}", days_ago=30.01)
    make("young", days_ago=29.99)

    assert services.prune() == 5
    assert kept() == ["young"]
    assert services.prune() == 0


def test_of_too_many_the_oldest_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "KEPT_RECORDS", 3)
    for number in range(5):
        make(str(number))

    assert services.prune() == 2
    assert kept() == ["2", "3", "4"]


def test_records_that_take_too_much_room_go_the_oldest_first(
    monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    for number in range(400):
        make_one(str(number), days_ago=(400 - number) / 40)
    services.drain()
    monkeypatch.setattr(pruning, "KEPT_BYTES", 80_000)

    assert services.prune() > 0
    left = kept()
    assert 0 < len(left) < 400
    assert left == [str(number) for number in range(400 - len(left), 400)]


def test_hours_are_counted_for_ninety_days_and_days_for_four_hundred() -> None:
    for days in (401, 399, 91, 89):
        make("old", days_ago=days, subject=Subject(key_id=7), outcome="allowed")
    services.prune()

    assert UsageHour.objects.filter(key_id=7).count() == 1
    assert UsageDay.objects.filter(key_id=7).count() == 3
    assert KeyAddress.objects.get().last_seen > clock.now() - timedelta(days=90)
    KeyAddress.objects.update(last_seen=clock.now() - timedelta(days=401))
    services.prune()
    assert not KeyAddress.objects.exists()


def test_on_postgresql_days_are_parts_that_are_made_ahead_and_dropped_whole(database_kind: str) -> None:
    if database_kind != "postgres":
        pytest.skip("SQLite has no partitions")
    database, today = partitions.usage_database(), clock.now().date()
    services.prepare()
    services.prepare()
    ahead = {today + timedelta(days=number) for number in range(partitions.AHEAD + 1)}
    assert ahead <= {day for day, _ in partitions.existing(database)}

    make("old", days_ago=40)
    old = today - timedelta(days=40)
    assert old in {day for day, _ in partitions.existing(database)}
    make("young")
    assert services.prune() == 1
    assert old not in {day for day, _ in partitions.existing(database)}
    assert kept() == ["young"]


def test_the_worker_prunes() -> None:
    assert {services.prune, services.drain, services.prepare} <= {job for job, _ in JOBS}


def test_the_table_stands_where_the_router_leads(database_kind: str) -> None:
    table = AccessRecord._meta.db_table
    if database_kind == "postgres":
        assert router.db_for_write(AccessRecord) == "default"
        assert list(settings.DATABASES) == ["default"]
    else:
        assert router.db_for_write(AccessRecord) == router.db_for_read(AccessRecord) == "usage"
        assert table not in connections["default"].introspection.table_names()
        own = set(connections["usage"].introspection.table_names())
        assert own - {"django_migrations"} == {row._meta.db_table for row in apps.get_app_config("usage").get_models()}

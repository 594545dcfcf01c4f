"""Access records are kept for thirty days and no more than so many; the database that they stand in is their own."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections, router

from keyadmin.kernel import clock
from keyadmin.kernel.actor import NOBODY
from keyadmin.system.worker import JOBS
from keyadmin.usage import services
from keyadmin.usage.models import AccessRecord

pytestmark = pytest.mark.django_db


def make(request_id: str, *, days_ago: float = 0) -> None:
    with clock.at(clock.now() - timedelta(days=days_ago)):
        services.record(
            outcome="missing_key",
            subject=NOBODY,
            method="GET",
            path="/",
            address="192.0.2.7",
            user_agent="",
            request_id=request_id,
        )


def kept() -> list[str]:
    return list(AccessRecord.objects.order_by("pk").values_list("request_id", flat=True))


def test_records_older_than_thirty_days_are_removed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 2)
    for number in range(5):
        make(f"old {number}", days_ago=30.01)
    make("young", days_ago=29.99)

    assert services.prune() == 5
    assert kept() == ["young"]
    assert services.prune() == 0


def test_of_too_many_the_oldest_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "KEPT_RECORDS", 3)
    for number in range(5):
        make(str(number))

    assert services.prune() == 2
    assert kept() == ["2", "3", "4"]


def test_the_worker_prunes() -> None:
    assert services.prune in [job for job, _ in JOBS]


def test_the_table_stands_where_the_router_leads(database_kind: str) -> None:
    table = AccessRecord._meta.db_table
    if database_kind == "postgres":
        assert router.db_for_write(AccessRecord) == "default"
        assert list(settings.DATABASES) == ["default"]
    else:
        assert router.db_for_write(AccessRecord) == router.db_for_read(AccessRecord) == "usage"
        assert table not in connections["default"].introspection.table_names()
        own = set(connections["usage"].introspection.table_names())
        assert own - {"django_migrations"} == {table}

"""Migrations of access records keep every one, forwards and back."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import router
from django.db.migrations.executor import MigrationExecutor

from keyadmin.kernel import clock
from keyadmin.usage.models import AccessRecord
from keyadmin.usage.services.partitions import usage_database

BEFORE, AFTER = [("usage", "0001_initial")], [("usage", "0003_counts")]


def migrate(target: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(usage_database())
    executor.migrate(target)
    return MigrationExecutor(usage_database()).loader.project_state(target).apps.get_model("usage", "AccessRecord")


@pytest.mark.usefixtures("transactional_db")
def test_records_of_many_days_survive_both_ways() -> None:
    using = router.db_for_write(AccessRecord) or "default"
    old = migrate(BEFORE)
    try:
        texts = dict.fromkeys("method path outcome reason missing_permission who user_agent request_id".split(), "x")
        for number in range(6):
            moment = clock.now() - timedelta(days=number * 5)
            old.objects.using(using).create(time=moment, address=str(number), **texts)
        expected = list(old.objects.using(using).order_by("pk").values_list("pk", "address"))
    finally:
        migrate(AFTER)
    assert list(AccessRecord.objects.order_by("pk").values_list("pk", "address")) == expected
    fresh = AccessRecord.objects.create(time=clock.now(), address="new", **texts)
    assert fresh.pk > max(pk for pk, _ in expected)
    try:
        back = migrate(BEFORE)
        assert list(back.objects.using(using).order_by("pk").values_list("address", flat=True)) == [
            *(str(number) for number in range(6)),
            "new",
        ]
    finally:
        migrate(AFTER)

"""Questions that overviews ask: totals of an organisation and its busiest keys, from counts by the day."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from keyadmin.kernel import clock
from keyadmin.kernel.actor import Subject
from keyadmin.usage import queries
from keyadmin.usage.models import UsageDay
from keyadmin.usage.services.partitions import usage_database
from tests.usage.test_read_usage import used
from tests.world import World


def test_an_organisations_requests_are_counted_with_and_without_a_key(world: World) -> None:
    key, other = world.key().key, world.key(organization=world.globex).key
    used(key, 3)
    used(key, 2, outcome="key_paused", hours_ago=26)
    used(key, subject=Subject(world.acme.pk), outcome="second_factor_required")
    used(other, 9)
    since, until = queries.span("day", None, None)
    points = queries.of_organization(world.acme.pk, "day", since, until)
    assert queries.totals(points) == {"allowed": 3, "key_paused": 2, "second_factor_required": 1}
    assert len({point.start for point in points}) == 2


def test_the_busiest_keys_come_first(world: World) -> None:
    keys = [world.key(name=str(number)).key for number in range(4)]
    for number, key in enumerate(keys):
        used(key, number + 1)
    used(world.key(organization=world.globex).key, 20)
    used(keys[0], 50, hours_ago=24 * 40)
    since, until = queries.span("day", None, None)
    assert queries.busiest(world.acme.pk, since, until, 3) == [(keys[3].pk, 4), (keys[2].pk, 3), (keys[1].pk, 2)]


@pytest.mark.django_db
def test_a_chart_walks_along_an_index_however_much_is_counted() -> None:
    since, until = queries.span("day", None, None)
    days = [clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=day) for day in range(30)]
    UsageDay.objects.bulk_create(
        UsageDay(key_id=key, organization_id=1, start=day, outcome="allowed", number=1)
        for key in range(300)
        for day in days
    )
    database = usage_database()
    with database.cursor() as cursor:
        cursor.execute("ANALYZE usage_usageday")
    with CaptureQueriesContext(connections[database.alias]) as asked:
        assert len(queries.of_key(7, "day", since, until, queries.Scope(None))) == 30
        assert len(queries.of_organization(1, "day", since, until)) == 30
    for query in asked.captured_queries:
        with database.cursor() as cursor:
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if database.vendor == 'sqlite' else ''}{query['sql']}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert "usageday_once" in plan or "sqlite_autoindex_usage_usageday_1 (key_id=?" in plan, plan
        assert "SCAN" not in plan.upper().replace("INDEX SCAN", "").replace("INDEX ONLY SCAN", "").replace(
            "BITMAP HEAP SCAN", ""
        )

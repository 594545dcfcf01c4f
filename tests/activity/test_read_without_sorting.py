"""However long a log is, its pages are read along an index: no plan scans or sorts the whole table."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from keyadmin.activity import queries
from keyadmin.activity.filters import ActivityFilter
from keyadmin.activity.models import Event
from keyadmin.kernel import clock

pytestmark = pytest.mark.django_db
ENTRIES = 30_000
CHAIN = 7
# One entry each minute; a quarter are sign-ins, the others are about a hundred keys.
FILL = """
INSERT INTO activity_event (chain, sequence, previous_hash, leaf_hash, hash, text, time, name, actor_kind, actor_id,
  actor_label, target_kind, target_id, target_label, address, request_id)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {entries})
SELECT {chain}, i, CAST(i AS {text}), '', '', '', {time}, CASE WHEN i % 4 = 0 THEN 'person.signed_in'
  WHEN i % 4 = 1 THEN 'api_key.updated' ELSE 'api_key.paused' END, 'person', i % 9, 'Kim', 'api_key', i % 100, 'Key',
  '', '' FROM n
"""


@pytest.fixture
def long_log(db: None) -> None:
    sqlite = connection.vendor == "sqlite"
    now = clock.now()
    first = now - timedelta(minutes=ENTRIES)
    time = "datetime(%s, '+' || i || ' minutes')" if sqlite else "%s::timestamptz + i * interval '1 minute'"
    fill = FILL.format(entries=ENTRIES, chain=CHAIN, time=time, text="text")
    with connection.cursor() as cursor:
        cursor.execute(fill.replace("% 4", "%% 4").replace("% 9", "%% 9").replace("% 100", "%% 100"), [first])
        if not sqlite:  # where autovacuum does it; SQLite plans without statistics
            cursor.execute("ANALYZE activity_event")


SORTS = ("USE TEMP B-TREE FOR ORDER BY", "Sort Key")
SCANS = ("SCAN activity_event", "Seq Scan")
FILTERS: list[dict[str, str]] = [
    {},
    {"action": "api_key.paused"},
    {"action": "api_keys"},
    {"show": "sign_ins"},
    {"show": "changes"},
    {"period": "7"},
    {"period": "7", "action": "api_key.updated"},
    {"since": "2001-01-01", "until": "2101-01-01"},
    {"actor_kind": "person"},
]


def plans(look: Callable[[], object]) -> list[str]:
    """How the database answers each of the queries."""
    with CaptureQueriesContext(connection) as captured:
        look()
    assert captured
    found = []
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{query['sql']}")
            found.append(" / ".join(str(row[-1]) for row in cursor.fetchall()))
    return found


def refuse(words: tuple[str, ...], look: Callable[[], object]) -> None:
    """Fail if a plan holds one of the words."""
    for plan in plans(look):
        # An incremental sort puts entries of one and the same moment in order, nothing else.
        assert "Incremental Sort" in plan or not [word for word in words if word in plan], plan


def look(asked: dict[str, str], before: int | None) -> None:
    filters = ActivityFilter(asked, CHAIN)
    assert filters.form.is_valid()
    found, older = queries.page_before(filters.qs, before, 50, filters.names())
    assert older == (len(found) == 50)
    assert found or {"period", "action"} & asked.keys()


def test_no_filter_sorts_or_scans_the_log(long_log: None) -> None:
    for asked in FILTERS:
        for before in (None, ENTRIES // 2):
            refuse(SORTS + SCANS, partial(look, asked, before))


def test_a_rare_action_is_found_along_its_index(long_log: None) -> None:
    """Walking down the log until fifty are found would read all of it."""
    for plan in plans(lambda: look({"action": "instance"}, None)):
        assert "event_by_name (chain=? AND name=?)" in plan or ("event_by_name" in plan and "name)::text =" in plan)


def test_free_text_reads_no_more_than_its_time(long_log: None) -> None:
    """What it finds there may be sorted."""
    refuse(SCANS, lambda: look({"actor": "kim", "target": "key", "period": "7"}, None))


def test_a_look_at_one_thing_sorts_and_scans_nothing(long_log: None) -> None:
    event = queries.entry(CHAIN, ENTRIES // 2)
    refuse(SORTS + SCANS, lambda: queries.entry(CHAIN, 5))
    refuse(SORTS + SCANS, lambda: queries.neighbours(event))
    refuse(SORTS + SCANS, lambda: queries.about("api_key", 5, CHAIN, 50))
    refuse(SORTS + SCANS, lambda: queries.latest(CHAIN, 10))
    refuse(SORTS + SCANS, lambda: queries.about_user(5, CHAIN, 50))
    refuse(SCANS, lambda: queries.joined(5, CHAIN))
    refuse(SCANS, lambda: queries.edits("policy", range(1, 9), CHAIN, 50))
    refuse(SCANS, lambda: queries.deleted([event], CHAIN))


def test_the_check_itself_can_fail(long_log: None) -> None:
    rows = Event.objects.filter(chain=CHAIN).order_by("target_label", "leaf_hash")[:50]
    with pytest.raises(AssertionError):
        refuse(SORTS, lambda: list(rows))

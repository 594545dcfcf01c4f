"""Usage and the access log over REST: who sees what, by hour and by day, page by page, without counting records."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from keyadmin.kernel import clock
from keyadmin.kernel.actor import Subject
from keyadmin.keys import services as services_of_keys
from keyadmin.keys.models import APIKey
from keyadmin.usage import services
from keyadmin.usage.models import AccessRecord
from keyadmin.usage.services.partitions import usage_database
from tests.api.calls import KEYS, call, comparable, json_of, problem
from tests.world import World

LOG = "/api/v1/access-log"


def used(key: APIKey, times: int = 1, *, hours_ago: float = 0, drained: bool = True, **fields: Any) -> None:
    """Requests with a key, as the servers keep them."""
    subject = Subject(key.organization_id, key.pk, key.owner_id, key.name, key.token_id or "")
    given = {
        "outcome": "allowed",
        "subject": subject,
        "method": "GET",
        "path": "/verify",
        "address": "192.0.2.7",
        "user_agent": "curl",
        "request_id": "req_1",
        **fields,
    }
    with clock.at(clock.now() - timedelta(hours=hours_ago)):
        for _ in range(times):
            services.record(services.access(**given))
    if drained:
        services.drain()


def usage(client: Client, key: APIKey, **query: object) -> Any:
    answer = call(client, "GET", f"{KEYS}/{key.pk}/usage?{urlencode(query)}")
    assert answer.status_code == 200, answer.content
    return json_of(answer)


def log(client: Client, path: str = LOG, **query: object) -> Any:
    answer = call(client, "GET", f"{path}?{urlencode(query)}")
    assert answer.status_code == 200, answer.content
    return json_of(answer)


def test_requests_are_counted_by_day_and_hour_and_outcome(world: World) -> None:
    key = world.key(name="Billing").key
    used(key, 3, hours_ago=49)
    used(key, 2, outcome="insufficient_scope", missing_permission="view_customer", hours_ago=49)
    used(key, 4, address="192.0.2.8")
    auditor = world.client(world.auditor)

    days = usage(auditor, key)
    assert (days["unit"], days["total"]) == ("day", 9)
    assert days["requests"] == {"allowed": 7, "insufficient_scope": 2}
    assert [one["requests"] for one in days["items"]] == [{"allowed": 3, "insufficient_scope": 2}, {"allowed": 4}]
    assert [one["total"] for one in days["items"]] == [5, 4]
    assert days["items"][0]["start"].endswith("T00:00:00Z")
    assert [(one["address"], one["requests"]) for one in days["addresses"]] == [("192.0.2.8", 4), ("192.0.2.7", 5)]
    assert days["last_used_from"] == "192.0.2.8"
    hours = usage(auditor, key, unit="hour")
    assert hours["total"] == 4
    assert hours["items"][0]["start"][14:] == "00:00Z"
    earlier = usage(auditor, key, **{"from": clock.rfc3339(clock.now() - timedelta(days=4)), "unit": "hour"})
    assert [one["total"] for one in earlier["items"]] == [5, 4]
    until = clock.now() - timedelta(days=1)
    assert usage(auditor, key, to=until.date())["total"] == 5


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-01-02", "to": "2026-01-01"},
        {"from": "2020-01-01", "to": "2026-01-01"},
        {"unit": "hour", "from": "2026-01-01", "to": "2026-03-01"},
        {"unit": "minute"},
        {"from": "yesterday"},
        {"to": "9999-12-31T23:59:59Z"},
    ],
)
def test_spans_that_make_no_sense_are_refused(world: World, query: dict[str, str]) -> None:
    answer = call(world.client(world.auditor), "GET", f"{KEYS}/{world.key().key.pk}/usage?{urlencode(query)}")
    problem(answer, 422, "validation_error")


def test_the_log_is_read_page_by_page_and_misses_none(world: World) -> None:
    key = world.key().key
    for number in range(7):
        used(key, request_id=f"req_{number}", hours_ago=7 - number, drained=False)
    used(key, 2, request_id="req_7", drained=False)
    services.drain()
    auditor, found = world.client(world.auditor), []
    page = log(auditor, page_size=2)
    assert (page["total"], page["previous"]) == (9, None)
    while True:
        found += [item["request_id"] for item in page["items"]]
        if page["next"] is None:
            break
        page = json_of(call(auditor, "GET", page["next"].replace("http://testserver", "")))
    assert found == ["req_7", "req_7", *(f"req_{number}" for number in reversed(range(7)))]
    first = log(auditor)["items"][0]
    assert (first["api_key_id"], first["token_id"], first["who"]) == (key.pk, key.token_id, key.name)


def test_the_log_is_filtered_by_time_outcome_and_key(world: World) -> None:
    one, other = world.key(name="one").key, world.key(name="other").key
    used(one, request_id="old", hours_ago=50)
    used(one, request_id="late", outcome="key_expired", reason="expired")
    used(other, request_id="other")
    auditor = world.client(world.auditor)

    def ids(**query: object) -> set[str]:
        return {item["request_id"] for item in log(auditor, LOG, **query)["items"]}

    assert ids() == {"old", "late", "other"}
    assert ids(key=one.pk) == {"old", "late"}
    assert ids(outcome="key_expired") == {"late"}
    yesterday = clock.rfc3339(clock.now() - timedelta(days=1))
    assert ids(**{"from": yesterday}) == {"late", "other"}
    assert ids(to=yesterday, key=one.pk) == {"old"}
    assert {item["request_id"] for item in log(auditor, f"{KEYS}/{one.pk}/access")["items"]} == {"old", "late"}
    for cursor in ("x", "1-", "-1", "1-1-1", "٣-1", "9" * 17 + "-1"):
        answer = call(auditor, "GET", f"{LOG}?{urlencode({'cursor': cursor})}")
        assert answer.status_code in (200, 422), cursor


@pytest.mark.parametrize(
    "query",
    [
        {"foo": "1"},
        {"outcome": "foo"},
        {"from": "2026-01-02", "to": "2026-01-01"},
        {"request_id": "req_1", "from": "2020-01-01"},
    ],
)
@pytest.mark.parametrize("of_key", [False, True])
def test_filters_that_mean_nothing_are_refused(world: World, query: dict[str, str], of_key: bool) -> None:
    path = f"{KEYS}/{world.key().key.pk}/access" if of_key else LOG
    problem(call(world.client(world.auditor), "GET", f"{path}?{urlencode(query)}"), 422, "validation_error")


def test_a_request_is_found_by_its_id(world: World) -> None:
    key = world.key().key
    used(key, request_id="old", hours_ago=50)
    used(key, request_id="new")
    auditor = world.client(world.auditor)
    assert [item["request_id"] for item in log(auditor, request_id="new")["items"]] == ["new"]
    assert log(auditor, request_id="old")["items"] == []
    earlier = clock.rfc3339(clock.now() - timedelta(days=4))
    assert [item["request_id"] for item in log(auditor, request_id="old", **{"from": earlier})["items"]] == ["old"]
    assert log(auditor, organization="acme", request_id="none")["total"] == 0


def test_nobody_sees_requests_of_another_organisation(world: World) -> None:
    ours, theirs = world.key(name="ours").key, world.key(name="theirs", organization=world.globex).key
    used(ours, request_id="acme")
    used(theirs, request_id="globex")
    used(ours, request_id="nobody", subject=Subject())
    stranger = world.client(world.stranger)
    assert [item["request_id"] for item in log(stranger)["items"]] == ["globex"]
    assert log(stranger, key=ours.pk)["items"] == []
    assert log(stranger, key=ours.pk)["total"] == 0
    for path in ("usage", "access"):
        hidden = call(stranger, "GET", f"{KEYS}/{ours.pk}/{path}")
        assert comparable(hidden) == comparable(call(stranger, "GET", f"{KEYS}/999999/{path}"))
    assert {item["request_id"] for item in log(world.client(world.admin))["items"]} == {"acme", "globex", "nobody"}


def test_of_a_persons_key_each_organisation_sees_what_was_done_there(world: World) -> None:
    key = world.user_key(world.developer).key
    for organization, address in ((world.acme, "192.0.2.1"), (world.globex, "192.0.2.2"), (None, "192.0.2.3")):
        pk = organization.pk if organization else None
        used(key, subject=Subject(pk, key.pk, key.owner_id, "", ""), address=address, request_id=address)
    auditor, owner = world.client(world.auditor), world.client(world.developer)

    assert usage(auditor, key)["total"] == 1
    assert [one["address"] for one in usage(auditor, key)["addresses"]] == ["192.0.2.1"]
    assert {item["request_id"] for item in log(auditor, f"{KEYS}/{key.pk}/access")["items"]} == {"192.0.2.1"}
    assert usage(auditor, key)["last_used_from"] == "192.0.2.1", "though it was used elsewhere later"
    assert usage(owner, key)["last_used_from"] == "192.0.2.3"
    assert usage(owner, key)["total"] == 3
    assert len(log(owner, f"{KEYS}/{key.pk}/access")["items"]) == 3
    assert len(log(owner)["items"]) == 3, "one's own, without usage.view"


def test_without_the_right_it_is_refused_by_name(world: World) -> None:
    key = world.key().key
    looker = world.client(key=world.key("apikey.view").secret)
    for path in (f"{KEYS}/{key.pk}/usage", f"{KEYS}/{key.pk}/access", LOG):
        assert problem(call(looker, "GET", path), 403, "insufficient_scope")["missing_permission"] == "usage.view"


@pytest.fixture
def asked(world: World) -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connections[usage_database().alias]) as queries:
        yield queries


def test_counts_are_read_from_rollups_alone_in_queries_whose_number_stays(
    world: World, asked: CaptureQueriesContext
) -> None:
    key, auditor = world.key().key, world.client(world.auditor)
    numbers = []
    for _ in range(2):
        used(key, 30, address="192.0.2.9")
        used(key, 30, outcome="key_paused", hours_ago=30)
        before = len(asked)
        usage(auditor, key)
        now = [query["sql"] for query in asked.captured_queries[before:]]
        numbers.append(len(now))
        assert not [sql for sql in now if AccessRecord._meta.db_table in sql and sql.startswith("SELECT")]
    assert numbers[0] == numbers[1] < 40


def test_keys_are_listed_sorted_and_filtered_by_their_last_use(world: World) -> None:
    often, once, never = (world.key(name=name).key for name in ("often", "once", "never"))
    used(once, hours_ago=24 * 40)
    used(often, hours_ago=2)
    used(never, outcome="invalid_key", reason="wrong_secret")
    from_services = services_of_keys.note_uses()
    assert from_services == 2
    assert services_of_keys.note_uses() == 0
    auditor = world.client(world.auditor)

    def names(**query: object) -> list[str]:
        return [item["name"] for item in log(auditor, KEYS, **query)["items"]]

    assert names(sort="-last_used") == ["often", "once", "never"]
    assert names(sort="last_used") == ["once", "often", "never"]
    assert names(used="never") == ["never"]
    assert names(used="7d") == ["often"]
    assert names(used="not_30d", sort="name") == ["never", "once"]
    listed = {item["name"]: item["last_used"] for item in log(auditor, KEYS)["items"]}
    assert listed["never"] is None
    assert listed["often"] > listed["once"]
    used(once, hours_ago=24 * 50, address="10.0.0.1")
    services_of_keys.note_uses()
    assert APIKey.objects.get(pk=once.pk).last_used_from == "192.0.2.7", "an earlier one does not count"
    APIKey.objects.get(pk=once.pk).delete()
    used(once)
    assert services_of_keys.note_uses() == 1, "that the key has gone holds up nothing"

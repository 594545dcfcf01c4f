from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from keyadmin.web import rest
from tests.api.calls import CRM_KEYS, KEYS, call, created, json_of, problem
from tests.api.test_change_keys import expire
from tests.world import World


def names(client: Client, path: str = KEYS, **query: object) -> list[str]:
    """The names that a list shows, in its order."""
    response = call(client, "GET", f"{path}?{urlencode(query)}")
    assert response.status_code == 200, response.content
    body = json_of(response)
    assert body["total"] == len(body["items"])
    return [item["name"] for item in body["items"]]


@pytest.fixture
def reader(world: World) -> Client:
    """Sees acme's keys; it is a person's session, so that no key of its own stands in the lists."""
    return world.client(world.auditor)


def test_a_list_shows_each_key_as_its_own_address_does(world: World, reader: Client, keys_path: str) -> None:
    keys = [world.key(name=f"key {number}").key.pk for number in range(3)]
    body = json_of(call(reader, "GET", keys_path))
    assert {name: body[name] for name in body if name != "items"} == {"total": 3, "next": None, "previous": None}
    assert body["items"] == [json_of(call(reader, "GET", f"{keys_path}/{pk}")) for pk in reversed(keys)]


@pytest.mark.parametrize(
    "term",
    ["Billing", "billing", "LLING", "quarterly", "{start}", "{middle}", "{id}", "{tail}", "{former}",
     "ka_live_{start}", "{masked}", "  billing  ", "100%", "_sync"],
)  # fmt: skip
def test_search_finds_by_name_description_and_part_of_the_key(world: World, reader: Client, term: str) -> None:
    world.key(name="Something else")
    client = world.client(key=world.key("apikey.*", name="Maker").secret)
    made = created(client, name="Billing_sync", description="done quarterly, 100% of it")
    new = json_of(call(client, "POST", f"{KEYS}/{made['api_key_id']}/regenerate"))
    token_id, masked = new["token_id"], new["masked_key"]
    text = term.format(
        id=token_id,
        start=token_id[:4],
        middle=token_id[3:9],
        tail=masked[-4:],
        former=made["token_id"][2:8],
        masked=masked,
    )
    for path in (KEYS, CRM_KEYS):
        assert names(reader, path, search=text) == ["Billing_sync"]


def test_search_finds_the_last_four_of_a_former_secret(world: World, reader: Client) -> None:
    client = world.client(key=world.key("apikey.*", name="Maker").secret)
    made = created(client, name="Regenerated")
    call(client, "POST", f"{KEYS}/{made['api_key_id']}/regenerate")
    assert names(reader, search=made["api_key"][-4:]) == ["Regenerated"]


def test_search_knows_neither_short_parts_nor_the_secret_nor_patterns(world: World, reader: Client) -> None:
    issued = world.key(name="----")
    secret_part = issued.secret.split("_")[2][12:20]
    for term in (str(issued.key.token_id)[:3], secret_part, "%", "-_--", ".*", "-\\", "'", '"'):
        assert names(reader, search=term) == []
    assert names(reader, search="") == ["----"]


def test_a_search_for_a_whole_key_is_refused_and_not_repeated(world: World, reader: Client, keys_path: str) -> None:
    secret = world.key().secret
    for key in (secret, secret[:-6] + "000000"):
        for text in (key, f"  {key}", f"x{key}x", f"my key {key} please", f"%61{key}"):
            refused = call(reader, "GET", f"{keys_path}?{urlencode({'search': text})}")
            problem(refused, 422, "validation_error")
            assert secret[20:40] not in refused.content.decode()


@pytest.fixture
def one_of_each(world: World) -> None:
    """A key of each status."""
    client = world.client(key=world.key("*", name="active").secret)
    made = {name: created(client, name=name)["api_key_id"] for name in ("paused", "expired", "revoked", "expiring")}
    call(client, "POST", f"{KEYS}/{made['paused']}/pause")
    call(client, "POST", f"{KEYS}/{made['revoked']}/revoke")
    call(client, "PATCH", f"{KEYS}/{made['expired']}", {"expiry_date": "2099-01-01"})
    expire(made["expired"])
    soon = f"{json_of(call(client, 'GET', KEYS + '/' + str(made['expiring'])))['created'][:10]}"
    call(client, "PATCH", f"{KEYS}/{made['expiring']}", {"expiry_date": soon})


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (None, {"active", "paused", "expired", "expiring"}),
        ("not_revoked", {"active", "paused", "expired", "expiring"}),
        ("all", {"active", "paused", "expired", "expiring", "revoked"}),
        ("active", {"active", "expiring"}),
        ("expiring_soon", {"expiring"}),
        ("expired", {"expired"}),
        ("paused", {"paused"}),
        ("revoked", {"revoked"}),
    ],
)
@pytest.mark.usefixtures("one_of_each")
def test_each_status_filter_shows_its_keys(reader: Client, keys_path: str, status: str | None, shown: set[str]) -> None:
    query = {} if status is None else {"status": status}
    assert set(names(reader, keys_path, **query)) == shown


def test_filters_by_kind_environment_and_owner(world: World, reader: Client) -> None:
    world.key(name="organisation")
    world.key(name="testing", environment="test")
    world.user_key(world.robot, name="robot's")
    assert set(names(reader, kind="organization")) == {"organisation", "testing"}
    assert names(reader, kind="user") == ["robot's"]
    assert names(reader, environment="test") == ["testing"]
    assert names(reader, owner=world.robot.pk) == ["robot's"]
    assert names(reader, owner=world.auditor.pk) == []


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", "abc"),
        ("-name", "cba"),
        ("created", "bac"),
        ("-created", "cab"),
        ("expiry_date", "cab"),
        ("-expiry_date", "acb"),
        ("created_by", None),
        ("status", None),
    ],
)
def test_sorts_and_never_expiring_comes_last_either_way(
    world: World, reader: Client, sort: str, order: str | None
) -> None:
    client = world.client(key=world.key("*", name="z").secret)
    for name, expiry in (("b", None), ("a", "2099-06-01"), ("c", "2098-06-01")):
        created(client, name=name, expiry_date=expiry)
    shown = "".join(name for name in names(reader, sort=sort) if name != "z")
    assert shown == order if order else sorted(shown) == ["a", "b", "c"]


def test_pages_follow_each_other_and_keep_the_filters(world: World, reader: Client, keys_path: str) -> None:
    for number in range(5):
        world.key(name=f"page {number}")
    world.key(name="other")
    url, seen = f"{keys_path}?page_size=2&search=page&sort=name&status=all&junk=1", []
    while url:
        body = json_of(call(reader, "GET", url))
        assert body["total"] == 5
        seen.append([item["name"][-1] for item in body["items"]])
        if body["previous"]:
            before = json_of(call(reader, "GET", _path(body["previous"])))
            assert [item["name"][-1] for item in before["items"]] == seen[-2]
        if body["next"]:
            query = {name: values[0] for name, values in parse_qs(urlsplit(body["next"]).query).items()}
            expected = {"page": str(len(seen) + 1), "page_size": "2", "search": "page", "sort": "name", "status": "all"}
            assert query == expected
        url = _path(body["next"]) if body["next"] else ""
    assert seen == [["0", "1"], ["2", "3"], ["4"]]


def _path(url: str) -> str:
    assert url.startswith("http://testserver/")
    return url.removeprefix("http://testserver")


def test_a_page_past_the_end_is_empty(world: World, reader: Client) -> None:
    world.key()
    body = json_of(call(reader, "GET", f"{KEYS}?page=1000000&page_size=200"))
    assert (body["items"], body["total"], body["next"]) == ([], 1, None)


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=1000001", "page=99999999999999999999", "page=x", "page=", "page_size=0",
     "page_size=201", "page_size=1e3", "sort=secret", "sort=verifier", "status=nope", "kind=admin", "owner=0",
     "owner=9223372036854775808", "owner=x", "search=%00", "search=" + "x" * 201],
)  # fmt: skip
def test_what_no_list_knows_is_422(reader: Client, keys_path: str, query: str) -> None:
    refused = problem(call(reader, "GET", f"{keys_path}?{query}"), 422, "validation_error")
    assert list(refused["errors"]) == [query.split("=")[0]]


def test_total_is_exact_up_to_a_bound_and_then_says_so(
    world: World, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "COUNTED", 3)
    for _ in range(3):
        world.key()
    exact = json_of(call(reader, "GET", KEYS))
    assert exact["total"] == 3
    assert "total_capped" not in exact
    world.key()
    capped = json_of(call(reader, "GET", KEYS))
    assert (capped["total"], capped["total_capped"], len(capped["items"])) == (3, True, 4)


def test_the_number_of_queries_does_not_grow_with_the_rows(world: World, keys_path: str) -> None:
    reader = world.client(key=world.key("apikey.view").secret)
    counts = []
    for rows in (4, 45):
        for _ in range(rows):
            world.user_key(world.robot)
        with CaptureQueriesContext(connection) as queries:
            body = json_of(call(reader, "GET", keys_path))
        counts.append((len(body["items"]), len(queries)))
    (few, few_queries), (many, many_queries) = counts
    assert (few, many) == (5, 50)
    assert few_queries == many_queries <= 6


def test_a_developer_sees_their_own_keys_only(world: World) -> None:
    world.key(name="not theirs")
    world.user_key(world.robot, name="neither")
    developer = world.client(world.developer)
    created(developer, name="made")
    created(developer, name="own", kind="user")
    assert set(names(developer)) == {"made", "own"}
    assert names(developer, search="theirs") == []

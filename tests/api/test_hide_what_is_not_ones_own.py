"""What a caller may not see answers exactly like what does not exist: alone, in lists, in counts, in searches."""

from urllib.parse import quote

import pytest
from django.test import Client

from tests.api.calls import KEYS, call, comparable, created, json_of, problem, some_or_all
from tests.world import World

OPERATIONS = [
    ("GET", "", None),
    ("PATCH", "", {"name": "Mine now"}),
    ("PATCH", "", {}),
    ("DELETE", "", None),
    ("POST", "/regenerate", {"expiry_date": None}),
    ("POST", "/pause", None),
    ("POST", "/resume", None),
    ("POST", "/revoke", None),
]


@pytest.fixture(params=["stranger", "foreign key", "developer", "developer's key"])
def outsider(request: pytest.FixtureRequest, world: World) -> Client:
    """Somebody with rights of their own, but not to acme's keys."""
    clients = {
        "stranger": lambda: world.client(world.stranger),
        "foreign key": lambda: world.client(key=world.key("*", organization=world.globex).secret),
        "developer": lambda: world.client(world.developer),
        "developer's key": lambda: world.client(key=world.user_key(world.developer).secret),
    }
    return clients[request.param]()


def test_a_hidden_key_answers_like_none(world: World, outsider: Client, keys_path: str, soak: bool) -> None:
    hidden = [world.key("view_customer").key, world.user_key(world.robot).key, world.user_key(world.manager).key]
    for method, act, body in OPERATIONS:
        if act and keys_path != KEYS:
            continue
        for number, headers in enumerate(({}, {"If-Match": '"1"'}, {"If-Match": '"9"'}, {"Idempotency-Key": "x"})):
            none = call(outsider, method, f"{keys_path}/999999{act}", body, headers=headers)
            problem(none, 404, "not_found")
            for key in some_or_all(hidden, number, soak=soak):
                seen = call(outsider, method, f"{keys_path}/{key.pk}{act}", body, headers=headers)
                assert comparable(seen) == comparable(none), (method, act, headers)
    for key in hidden:
        before = key.version, key.name, key.verifier
        key.refresh_from_db()
        assert (key.version, key.name, key.verifier) == before


def test_hidden_keys_are_in_no_list_count_or_search(world: World, outsider: Client, keys_path: str) -> None:
    before = json_of(call(outsider, "GET", f"{keys_path}?status=all"))
    key = world.key(name="Project Nightfall", description="acquisition").key
    call(world.client(world.admin), "POST", f"{KEYS}/{key.pk}/regenerate?organization=acme")
    assert json_of(call(outsider, "GET", f"{keys_path}?status=all")) == before
    for term in (
        "Nightfall",
        "acquisition",
        str(key.token_id),
        str(key.token_id)[:4],
        key.tail,
        key.masked,
    ):
        answer = json_of(call(outsider, "GET", f"{keys_path}?status=all&search={quote(term)}"))
        assert (answer["items"], answer["total"], answer["next"]) == ([], 0, None)
    owned = json_of(call(outsider, "GET", f"{keys_path}?owner={world.robot.pk}"))
    assert owned == json_of(call(outsider, "GET", f"{keys_path}?owner=999999"))


def test_users_and_organizations_out_of_reach_are_refused_like_none(world: World) -> None:
    for client in (
        world.client(world.stranger),
        world.client(key=world.key("*", organization=world.globex).secret),
        world.client(key=world.user_key(world.stranger).secret),
    ):
        for fields, none in (
            ({"kind": "user", "owner": world.robot.pk}, {"kind": "user", "owner": 999_999}),
            ({"kind": "user", "owner": world.manager.pk}, {"kind": "user", "owner": 999_999}),
            ({"organization": "acme"}, {"organization": "none"}),
            ({"organization": str(world.acme.oid)}, {"organization": "none"}),
        ):
            refused = call(client, "POST", KEYS, {"name": "x", **fields})
            problem(refused, 422, "validation_error")
            assert comparable(refused) == comparable(call(client, "POST", KEYS, {"name": "x", **none}))


def test_a_developer_still_sees_what_they_made(world: World) -> None:
    developer = world.client(world.developer)
    for kind in ("organization", "user"):
        one = f"{KEYS}/{created(developer, kind=kind)['api_key_id']}"
        assert call(developer, "GET", one).status_code == 200
        assert call(developer, "PATCH", one, {"name": "Renamed"}).status_code == 200
        assert call(developer, "DELETE", one).status_code == 204

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import KeyPolicy
from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from tests.api.calls import KEYS, call, created, event_names, events, json_of, problem
from tests.world import World


def whoami(world: World, secret: str) -> int:
    return call(world.client(key=secret), "GET", "/api/v1/whoami").status_code


def expire(key_id: int) -> None:
    """Let a key's time run out."""
    past = clock.now() - timedelta(minutes=1)
    APIKey.objects.filter(pk=key_id).update(created_at=past - timedelta(days=1), expires_at=past)


def test_patch_changes_what_it_names_and_leaves_the_rest(world: World, client: Client, keys_path: str) -> None:
    made = created(client, keys_path, description="kept", permissions=["view_customer"])
    one = f"{keys_path}/{made['api_key_id']}"
    changed = call(client, "PATCH", one, {"name": "Updated Name", "expiry_date": "2099-12-31"})
    assert changed.status_code == 200
    assert changed["ETag"] == '"2"'
    secret = made.pop("api_key")
    expected = {**made, "name": "Updated Name", "expiry_date": "2099-12-31T23:59:59Z", "version": 2}
    assert json_of(changed) == expected
    assert json_of(call(client, "GET", one)) == expected
    assert whoami(world, secret) == 200
    event = events(world, api_key=made["api_key_id"])[-1]
    assert event["name"] == "api_key.updated"
    assert event["before"] == {"name": "Made by REST", "expiry_date": None}
    assert event["after"] == {"name": "Updated Name", "expiry_date": "2099-12-31T23:59:59Z"}


def test_null_expiry_means_never_and_a_narrowed_key_loses_its_rights_at_once(world: World, client: Client) -> None:
    made = created(client, permissions=["view_customer"], expiry_date="2099-12-31")
    bearer = world.client(key=made["api_key"])
    assert call(bearer, "GET", "/crm/customers").status_code == 200
    changed = json_of(call(client, "PATCH", f"{KEYS}/{made['api_key_id']}", {"expiry_date": None, "permissions": []}))
    assert (changed["expiry_date"], changed["permissions"]) == (None, [])
    problem(call(bearer, "GET", "/crm/customers"), 403, "insufficient_scope")


def test_patch_without_a_change_makes_no_version_and_no_event(world: World, client: Client, keys_path: str) -> None:
    made = created(client, keys_path)
    for body in ({}, {"name": made["name"], "description": "", "expiry_date": None, "allowed_networks": []}):
        same = call(client, "PATCH", f"{keys_path}/{made['api_key_id']}", body)
        assert (same.status_code, json_of(same)["version"]) == (200, 1)
    assert event_names(world, api_key=made["api_key_id"]) == ["api_key.created"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", None), ("name", ""), ("description", None), ("permissions", None), ("allowed_networks", None),
     ("expiry_date", "2020-01-01"), ("expiry_date", False), ("permissions", ["nope"])],
)  # fmt: skip
def test_patch_with_a_wrong_value_is_422_and_changes_nothing(client: Client, field: str, value: object) -> None:
    made = created(client)
    one = f"{KEYS}/{made['api_key_id']}"
    refused = problem(call(client, "PATCH", one, {"description": "new", field: value}), 422, "validation_error")
    assert [name.split(".")[0] for name in refused["errors"]] == [field]
    assert json_of(call(client, "GET", one))["version"] == 1


def test_pause_resume_and_revoke_act_at_once(world: World, client: Client) -> None:
    made = created(client)
    one, secret = f"{KEYS}/{made['api_key_id']}", made["api_key"]
    assert whoami(world, secret) == 200
    assert json_of(call(client, "POST", f"{one}/pause"))["status"] == "paused"
    problem(call(world.client(key=secret), "GET", "/api/v1/whoami"), 401, "key_paused")
    assert json_of(call(client, "POST", f"{one}/resume"))["status"] == "active"
    assert whoami(world, secret) == 200
    assert json_of(call(client, "POST", f"{one}/revoke"))["status"] == "revoked"
    problem(call(world.client(key=secret), "GET", "/api/v1/whoami"), 401, "invalid_key")
    assert APIKey.objects.get(pk=made["api_key_id"]).verifier == ""
    names = ["api_key.created", "api_key.paused", "api_key.resumed", "api_key.revoked"]
    assert event_names(world, api_key=made["api_key_id"]) == names


@pytest.mark.parametrize("act", ["pause", "revoke"])
def test_doing_it_twice_is_200_with_one_event(world: World, client: Client, act: str) -> None:
    made = created(client)
    path = f"{KEYS}/{made['api_key_id']}/{act}"
    first, second = call(client, "POST", path), call(client, "POST", path)
    assert (first.status_code, second.status_code) == (200, 200)
    assert json_of(first) == json_of(second)
    assert event_names(world, api_key=made["api_key_id"]) == ["api_key.created", f"api_key.{act}d"]


def test_states_that_forbid_the_act_are_409(client: Client) -> None:
    one = f"{KEYS}/{created(client)['api_key_id']}"
    problem(call(client, "POST", f"{one}/resume"), 409, "key_not_paused")
    call(client, "POST", f"{one}/revoke")
    for act in ("pause", "resume", "regenerate"):
        problem(call(client, "POST", f"{one}/{act}"), 409, "key_revoked")
    problem(call(client, "PATCH", one, {"name": "Back to life"}), 409, "key_revoked")


def test_delete_is_204_and_the_key_is_gone_but_not_its_story(world: World, client: Client, keys_path: str) -> None:
    made = created(client, keys_path)
    one = f"{keys_path}/{made['api_key_id']}"
    deleted = call(client, "DELETE", one)
    assert (deleted.status_code, deleted.content) == (204, b"")
    problem(call(client, "GET", one), 404, "not_found")
    problem(call(client, "DELETE", one), 404, "not_found")
    problem(call(world.client(key=made["api_key"]), "GET", "/api/v1/whoami"), 401, "invalid_key")
    assert event_names(world, api_key=made["api_key_id"]) == ["api_key.created", "api_key.deleted"]


def test_an_expired_key_says_so_and_a_later_expiry_revives_it(world: World, client: Client) -> None:
    made = created(client, expiry_date="2099-01-01")
    one = f"{KEYS}/{made['api_key_id']}"
    expire(made["api_key_id"])
    problem(call(world.client(key=made["api_key"]), "GET", "/api/v1/whoami"), 401, "key_expired")
    assert json_of(call(client, "PATCH", one, {"description": "still expired"}))["status"] == "expired"
    assert json_of(call(client, "PATCH", one, {"expiry_date": "2099-01-01"}))["status"] == "active"
    assert whoami(world, made["api_key"]) == 200


def test_reasons_stand_in_the_event_of_each_act(world: World, client: Client) -> None:
    made = created(client)
    one, headers = f"{KEYS}/{made['api_key_id']}", {"X-Reason": "Quarterly review"}
    for method, path, body in (
        ("PATCH", one, {"name": "Renamed"}),
        ("POST", f"{one}/pause", None),
        ("POST", f"{one}/resume", None),
        ("POST", f"{one}/regenerate", None),
        ("POST", f"{one}/revoke", None),
        ("DELETE", one, None),
    ):
        assert call(client, method, path, body, headers=headers).status_code in (200, 204)
    assert [event["reason"] for event in events(world, api_key=made["api_key_id"])] == ["", *["Quarterly review"] * 6]


ACTS = [
    ("PATCH", "", {"name": "Stale"}),
    ("DELETE", "", None),
    ("POST", "/pause", None),
    ("POST", "/resume", None),
    ("POST", "/revoke", None),
    ("POST", "/regenerate", None),
]


@pytest.mark.parametrize(("method", "act", "body"), ACTS)
def test_a_stale_or_foreign_if_match_is_412_and_changes_nothing(
    world: World, client: Client, method: str, act: str, body: object
) -> None:
    key_id = created(client)["api_key_id"]
    one = f"{KEYS}/{key_id}"
    assert call(client, "PATCH", one, {"description": "second version"})["ETag"] == '"2"'
    for tag in ('"1"', '"99"', '"x"', 'W/"2"', "2", '"9999999999999999999999"'):
        problem(call(client, method, one + act, body, headers={"If-Match": tag}), 412, "stale")
        assert json_of(call(client, "GET", one))["version"] == 2
    assert event_names(world, api_key=key_id) == ["api_key.created", "api_key.updated"]


@pytest.mark.parametrize("tag", ['"1"', "*"])
def test_a_current_if_match_is_obeyed(client: Client, tag: str) -> None:
    one = f"{KEYS}/{created(client)['api_key_id']}"
    changed = call(client, "PATCH", one, {"name": "Fresh"}, headers={"If-Match": tag})
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    assert call(client, "GET", one)["ETag"] == '"2"'


def test_several_entity_tags_are_refused_rather_than_guessed_at(client: Client) -> None:
    one = f"{KEYS}/{created(client)['api_key_id']}"
    problem(call(client, "PATCH", one, {"name": "x"}, headers={"If-Match": '"7", "1"'}), 400, "bad_request")


def test_if_match_on_a_revoked_key_tells_the_stale_first(client: Client) -> None:
    one = f"{KEYS}/{created(client)['api_key_id']}"
    call(client, "POST", f"{one}/revoke")
    problem(call(client, "PATCH", one, {"name": "x"}, headers={"If-Match": '"1"'}), 412, "stale")


def test_a_reason_that_is_demanded_says_where_it_goes(world: World, client: Client) -> None:
    one = f"{KEYS}/{created(client)['api_key_id']}"
    KeyPolicy.objects.filter(pk=world.acme.pk).update(reason_required=True)

    refused = call(client, "PATCH", one, {"name": "Other"})
    assert "X-Reason" in problem(refused, 422, "validation_error")["errors"]["reason"][0]
    assert call(client, "PATCH", one, {"name": "Other"}, headers={"X-Reason": "asked for"}).status_code == 200

"""PUT /users/{id}/api-key: enters, generates or revokes the key that is assigned to a user."""

import pytest
from django.test import Client

from keyadmin.keys.models import APIKey
from tests.api.calls import call, event_names, json_of, problem
from tests.world import World, person

STRONG, WEAK = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "correct-horse-battery-staple-2024"


@pytest.fixture
def path(world: World) -> str:
    return f"/api/v1/users/{world.robot.pk}/api-key"


@pytest.fixture
def client(world: World) -> Client:
    return world.client(world.manager)


def test_a_given_secret_is_entered_and_never_repeated(world: World, client: Client, path: str) -> None:
    response = call(client, "PUT", path, {"api_key": STRONG})
    body = json_of(response)
    assert response.status_code == 200
    assert STRONG not in response.content.decode()
    assert response["ETag"] == '"1"'
    assert (body["token_id"], body["masked_key"], body["status"]) == (None, "...f1Jg", "active")
    assert "warning" not in body
    assert "api_key" not in body
    assert call(world.client(key=STRONG), "GET", f"/api/v1/api-keys/{body['api_key_id']}").status_code == 200
    assert json_of(call(world.client(key=STRONG), "GET", "/api/v1/whoami"))["masked_key"] == "...f1Jg"

    assert json_of(call(client, "PUT", path, {"api_key": STRONG})) == body
    assert event_names(world, api_key=body["api_key_id"]) == ["api_key.assigned"]


def test_a_weak_one_is_taken_with_a_warning_and_shows_nothing_of_itself(client: Client, path: str) -> None:
    body = json_of(call(client, "PUT", path, {"api_key": WEAK}))
    assert "weak" in body["warning"]
    assert body["masked_key"] == "..."
    assert "warning" in json_of(call(client, "PUT", path, {"api_key": WEAK}))


@pytest.mark.parametrize("body", [None, {}, {"api_key": None}])
def test_without_one_it_is_generated_and_shown_once(world: World, client: Client, path: str, body: object) -> None:
    made = json_of(call(client, "PUT", path, body))
    assert call(world.client(key=made["api_key"]), "GET", "/api/v1/whoami").status_code == 200
    again = json_of(call(client, "PUT", path, body))
    assert again["api_key_id"] == made["api_key_id"]
    assert call(world.client(key=made["api_key"]), "GET", "/api/v1/whoami").status_code == 401


def test_an_empty_one_revokes_it(world: World, client: Client, path: str) -> None:
    assert call(client, "PUT", path, {"api_key": ""}).status_code == 204
    key = json_of(call(client, "PUT", path, {"api_key": STRONG}))
    for _ in range(2):
        revoked = json_of(call(client, "PUT", path, {"api_key": ""}))
        assert (revoked["api_key_id"], revoked["status"]) == (key["api_key_id"], "revoked")
    assert call(world.client(key=STRONG), "GET", "/api/v1/whoami").status_code == 401
    assert event_names(world, api_key=key["api_key_id"]) == ["api_key.assigned", "api_key.revoked"]


def test_an_expiry_date_may_come_with_it(client: Client, path: str) -> None:
    body = json_of(call(client, "PUT", path, {"api_key": STRONG, "expiry_date": "2099-12-31"}))
    assert body["expiry_date"] == "2099-12-31T23:59:59Z"
    assert json_of(call(client, "PUT", path, {"api_key": WEAK}))["expiry_date"] == "2099-12-31T23:59:59Z"


@pytest.mark.parametrize(
    "secret", ["x" * 15, "x" * 257, f"{STRONG} ", "a/b" * 9, f"{STRONG}\x00", 12345678901234567890]
)
def test_what_is_none_is_refused_without_being_repeated(client: Client, path: str, secret: object) -> None:
    response = call(client, "PUT", path, {"api_key": secret})
    assert list(problem(response, 422, "validation_error")["errors"]) == ["api_key"]
    assert str(secret) not in response.content.decode()
    assert not APIKey.objects.exists()


def test_a_secret_in_use_is_409(world: World, client: Client, path: str) -> None:
    call(client, "PUT", path, {"api_key": STRONG})
    other = f"/api/v1/users/{world.developer.pk}/api-key"
    body = problem(call(client, "PUT", other, {"api_key": STRONG}), 409, "secret_in_use")
    assert "Robot" not in str(body)


def test_who_may_not_is_told_what_is_missing_and_a_stranger_nothing(world: World, path: str) -> None:
    for user, permission in ((world.auditor, "apikey.ctrl"), (person("Nob", world.acme), "apikey.ctrl")):
        assert problem(call(world.client(user), "PUT", path), 403, "insufficient_scope")["missing_permission"] == (
            permission
        )
    owner = person("Olga", world.acme, "Administrators")
    denied = call(world.client(world.manager), "PUT", f"/api/v1/users/{owner.pk}/api-key")
    assert problem(denied, 403, "insufficient_scope")["missing_permission"] == "*"
    missing = problem(call(world.client(world.stranger), "PUT", path), 404, "not_found")
    nobody = problem(call(world.client(world.stranger), "PUT", "/api/v1/users/999999/api-key"), 404, "not_found")
    assert missing["detail"] == nobody["detail"]


def test_a_person_may_assign_a_key_to_themselves(world: World) -> None:
    body = json_of(call(world.client(world.developer), "PUT", f"/api/v1/users/{world.developer.pk}/api-key"))
    assert body["owner"]["id"] == world.developer.pk
    assert body["organization"] is None


def test_it_is_found_by_its_last_four_and_listed_with_the_others(world: World, client: Client, path: str) -> None:
    key = json_of(call(client, "PUT", path, {"api_key": STRONG}))
    for term in ("f1Jg", "...f1Jg"):
        found = json_of(call(client, "GET", f"/api/v1/api-keys?search={term}"))
        assert [one["api_key_id"] for one in found["items"]] == [key["api_key_id"]]

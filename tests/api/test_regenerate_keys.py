from django.test import Client

from keyadmin.kernel import tokens
from tests.api.calls import KEYS, call, created, event_names, json_of, problem
from tests.api.test_change_keys import expire, whoami
from tests.world import World


def test_the_old_secret_dies_at_once_and_the_record_stays(world: World, client: Client) -> None:
    made = created(client, permissions=["view_customer"], expiry_date="2099-01-01", description="stays")
    path = f"{KEYS}/{made['api_key_id']}/regenerate"
    response = call(client, "POST", path)
    assert response.status_code == 200
    assert (response["ETag"], response["Cache-Control"]) == ('"2"', "no-store")
    new = json_of(response)
    token = tokens.parse(new["api_key"])
    assert token is not None
    changed = {"api_key": token.text, "token_id": token.token_id, "masked_key": token.masked, "version": 2}
    assert new == {**made, **changed}
    assert token.token_id != made["token_id"]
    assert whoami(world, new["api_key"]) == 200
    problem(call(world.client(key=made["api_key"]), "GET", "/api/v1/whoami"), 401, "invalid_key")
    assert event_names(world, api_key=made["api_key_id"]) == ["api_key.created", "api_key.regenerated"]


def test_a_key_may_regenerate_itself(world: World) -> None:
    issued = world.key("*")
    new = json_of(call(world.client(key=issued.secret), "POST", f"{KEYS}/{issued.key.pk}/regenerate", {}))
    assert whoami(world, new["api_key"]) == 200
    assert whoami(world, issued.secret) == 401


def test_an_expired_key_needs_a_new_expiry(world: World, client: Client) -> None:
    made = created(client, expiry_date="2099-01-01")
    path = f"{KEYS}/{made['api_key_id']}/regenerate"
    expire(made["api_key_id"])
    problem(call(client, "POST", path), 409, "expiry_required")
    problem(call(client, "POST", path, {"expiry_date": "2020-01-01"}), 422, "validation_error")
    new = json_of(call(client, "POST", path, {"expiry_date": "2099-06-30"}))
    assert (new["status"], new["expiry_date"]) == ("active", "2099-06-30T23:59:59Z")
    assert whoami(world, new["api_key"]) == 200


def test_null_is_never_and_absent_keeps(client: Client) -> None:
    made = created(client, expiry_date="2099-01-01")
    path = f"{KEYS}/{made['api_key_id']}/regenerate"
    bodies: tuple[object, ...] = (None, {})
    for body in bodies:
        assert json_of(call(client, "POST", path, body))["expiry_date"] == made["expiry_date"]
    assert json_of(call(client, "POST", path, {"expiry_date": None}))["expiry_date"] is None


def test_a_paused_key_stays_paused(world: World, client: Client) -> None:
    made = created(client)
    one = f"{KEYS}/{made['api_key_id']}"
    call(client, "POST", f"{one}/pause")
    new = json_of(call(client, "POST", f"{one}/regenerate"))
    assert new["status"] == "paused"
    problem(call(world.client(key=new["api_key"]), "GET", "/api/v1/whoami"), 401, "key_paused")


def test_regenerating_needs_all_rights_of_the_key(world: World) -> None:
    strong = world.key("view_customer", "view_invoice")
    narrow = world.client(key=world.key("apikey.*", "view_customer").secret)
    refused = call(narrow, "POST", f"{KEYS}/{strong.key.pk}/regenerate")
    assert problem(refused, 403, "insufficient_scope")["missing_permission"] == "view_invoice"
    assert whoami(world, strong.secret) == 200

"""Idempotency-Key: a POST that is sent again is carried out once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from keyadmin.instance.models import IdempotencyRecord
from keyadmin.instance.services import IDEMPOTENCY_LIFE
from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from tests.api.calls import CRM_KEYS, KEYS, call, created, event_names, json_of, problem
from tests.world import World

ONCE = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def made(name: str) -> int:
    return APIKey.objects.filter(name=name).count()


def test_a_repeat_gets_the_first_answer_without_the_secret(world: World, client: Client, keys_path: str) -> None:
    first = call(client, "POST", keys_path, {"name": "Once"}, headers=ONCE)
    again = call(client, "POST", keys_path, {"name": "Once"}, headers=ONCE)
    assert (first.status_code, again.status_code) == (201, 201)
    body = json_of(first)
    secret = body.pop("api_key")
    assert json_of(again) == body
    assert secret.encode() not in again.content
    assert again["ETag"] == first["ETag"]
    assert made("Once") == 1
    assert event_names(world, api_key=body["api_key_id"]) == ["api_key.created"]
    assert secret not in str(list(IdempotencyRecord.objects.values()))


def test_acts_on_a_key_are_repeated_as_well(world: World, client: Client) -> None:
    one = f"{KEYS}/{created(client)['api_key_id']}"
    first = call(client, "POST", f"{one}/regenerate", headers=ONCE)
    again = call(client, "POST", f"{one}/regenerate", headers=ONCE)
    body = json_of(first)
    secret = body.pop("api_key")
    assert (again.status_code, json_of(again)) == (200, body)
    assert call(world.client(key=secret), "GET", "/api/v1/whoami").status_code == 200
    assert call(client, "POST", f"{one}/pause", headers=ONCE).status_code == 200
    call(client, "POST", f"{one}/resume")
    assert json_of(call(client, "POST", f"{one}/pause", headers=ONCE))["status"] == "paused"
    assert json_of(call(client, "GET", one))["status"] == "active"


def test_another_body_under_the_same_key_is_422(client: Client) -> None:
    call(client, "POST", KEYS, {"name": "Once"}, headers=ONCE)
    for body in ({"name": "Other"}, {"name": "Once", "description": ""}, b'{"name" : "Once"}'):
        problem(call(client, "POST", KEYS, body, headers=ONCE), 422, "idempotency_key_reused")
    assert (made("Once"), made("Other")) == (1, 0)


def test_a_failed_attempt_may_be_tried_again(world: World, client: Client) -> None:
    problem(call(client, "POST", KEYS, {"name": ""}, headers=ONCE), 422, "validation_error")
    problem(call(client, "POST", KEYS, {"name": "x", "permissions": ["nope"]}, headers=ONCE), 422, "validation_error")
    assert call(client, "POST", KEYS, {"name": "Then right"}, headers=ONCE).status_code == 201
    one, retry = f"{KEYS}/{created(client)['api_key_id']}", {"Idempotency-Key": "resume"}
    problem(call(client, "POST", f"{one}/resume", headers=retry), 409, "key_not_paused")
    call(client, "POST", f"{one}/pause")
    assert json_of(call(client, "POST", f"{one}/resume", headers=retry))["status"] == "active"


def test_keys_are_apart_for_each_credential_path_and_organization(world: World, client: Client) -> None:
    other = world.client(key=world.key("*").secret)
    person = world.client(world.manager)
    for who, path in ((client, KEYS), (client, CRM_KEYS), (other, KEYS), (person, KEYS)):
        assert "api_key" in json_of(call(who, "POST", path, {"name": "Apart"}, headers=ONCE))
    admin = world.client(world.admin)
    for name in ("acme", "globex"):
        answer = call(admin, "POST", f"{KEYS}?organization={name}", {"name": "Apart"}, headers=ONCE)
        assert json_of(answer)["organization"]["slug"] == name
    assert made("Apart") == 6


def test_a_day_later_the_same_key_is_a_new_one(client: Client) -> None:
    call(client, "POST", KEYS, {"name": "Once"}, headers=ONCE)
    IdempotencyRecord.objects.update(created_at=clock.now() - IDEMPOTENCY_LIFE - timedelta(seconds=1))
    assert "api_key" in json_of(call(client, "POST", KEYS, {"name": "Once"}, headers=ONCE))
    assert made("Once") == 2


def test_a_repeat_after_the_credential_has_died_shows_nothing(world: World, client: Client) -> None:
    dying = world.key("*")
    bearer = world.client(key=dying.secret)
    call(bearer, "POST", KEYS, {"name": "Once"}, headers=ONCE)
    call(client, "POST", f"{KEYS}/{dying.key.pk}/revoke")
    problem(call(bearer, "POST", KEYS, {"name": "Once"}, headers=ONCE), 401, "invalid_key")


def test_malformed_keys_are_400_and_make_nothing(client: Client) -> None:
    for text in ("", " ", "two words", "x" * 256, "\x7f", "ä", "a\tb"):
        problem(
            call(client, "POST", KEYS, {"name": "Malformed"}, headers={"Idempotency-Key": text}), 400, "bad_request"
        )
    assert made("Malformed") == 0
    assert call(client, "POST", KEYS, {"name": "Longest"}, headers={"Idempotency-Key": "~" * 255}).status_code == 201


@pytest.mark.parametrize("act", ["create", "regenerate"])
def test_parallel_twins_are_carried_out_once(lasting_world: World, act: str, soak: bool) -> None:
    """R8: one key and one event, however many arrive at once."""
    world, twins = lasting_world, 100 if soak else 12
    secret, target = world.key("*").secret, world.key(name="Target").key
    path, body = (KEYS, {"name": "Twin"}) if act == "create" else (f"{KEYS}/{target.pk}/regenerate", {})
    start = Barrier(twins)

    def send(_: int) -> tuple[int, bool, int]:
        try:
            client = world.client(key=secret)
            start.wait(timeout=60)
            answer = call(client, "POST", path, body, headers=ONCE)
            assert answer.status_code in (200, 201), answer.content
            shown = json_of(answer)
            return answer.status_code, "api_key" in shown, shown["api_key_id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(twins) as pool:
        answers = list(pool.map(send, range(twins)))
    assert len({(status, key_id) for status, _, key_id in answers}) == 1
    assert sum(with_secret for _, with_secret, _ in answers) == 1
    names = event_names(world, api_key=answers[0][2])
    assert names == (["api_key.created"] if act == "create" else ["api_key.created", "api_key.regenerated"])
    assert made("Twin") == (1 if act == "create" else 0)

"""The site key of the installation, over REST."""

from typing import Any

import pytest
from django.test import Client

from keyadmin.activity.models import Event
from keyadmin.sitekey.models import SiteKey
from tests.api.calls import call, json_of, problem
from tests.world import World, confirm

PATH = "/api/v1/site-key"
STRONG, WEAK = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "correct-horse-battery-staple-2024"
NONE = {"demanded": False, "demanded_by": None, "current": None, "retiring": None, "keys_used_in_7_days": 0}


@pytest.fixture
def root(world: World) -> Client:
    return world.client(key=world.user_key(world.admin, name="Root").secret)


def state(client: Client, **headers: str) -> dict[str, Any]:
    answer = call(client, "GET", PATH, headers=headers)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = json_of(answer)
    return found


def made(client: Client, body: object = None, **headers: str) -> dict[str, Any]:
    answer = call(client, "POST", PATH, body, headers=headers)
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"].startswith("no-store")
    found: dict[str, Any] = json_of(answer)
    return found


def test_it_lives_from_made_to_revoked(root: Client) -> None:
    assert state(root) == NONE
    first = made(root)
    site_key = first.pop("site_key")
    assert first == state(root)
    assert first["current"]["masked_key"] == f"{site_key[:24]}...{site_key[-4:]}"
    assert (first["current"]["created_by"], first["current"]["secret_confirmed"]) == ("Root", True)
    second = made(root, {"overlap_seconds": 3600})
    assert second["retiring"]["masked_key"] == first["current"]["masked_key"]
    assert second["retiring"]["ends"]
    ended = call(root, "POST", f"{PATH}/end-overlap")
    assert (ended.status_code, json_of(ended)["retiring"]) == (200, None)
    assert made(root, {"overlap_seconds": 0})["retiring"] is None
    assert call(root, "DELETE", PATH).status_code == 204
    assert state(root) == NONE
    assert call(root, "DELETE", PATH).status_code == 204


def test_it_is_demanded_of_the_caller_too(root: Client) -> None:
    problem(call(root, "PATCH", PATH, {"demanded": True}), 409, "no_site_key")
    sent = {"X-SITE-KEY": made(root)["site_key"]}
    answer = call(root, "PATCH", PATH, {"demanded": True})
    assert (answer.status_code, json_of(answer)["demanded_by"]) == (200, "setting")
    problem(call(root, "GET", PATH), 401, "site_key_required")
    assert state(root, **sent)["demanded"]
    problem(call(root, "DELETE", PATH, headers=sent), 409, "in_use")
    answer = call(root, "PATCH", PATH, {"demanded": False}, headers=sent)
    assert (answer.status_code, json_of(answer)["demanded"]) == (200, False)
    assert state(root) == json_of(answer)


def test_an_empty_change_changes_nothing(root: Client) -> None:
    sent = {"X-SITE-KEY": made(root)["site_key"]}
    call(root, "PATCH", PATH, {"demanded": True})
    assert json_of(call(root, "PATCH", PATH, {}, headers=sent))["demanded"] is True


def test_one_made_elsewhere_is_entered_and_never_repeated(root: Client) -> None:
    found = made(root, {"site_key": STRONG})
    assert "site_key" not in found
    assert "warning" not in found
    assert (found["current"]["token_id"], found["current"]["masked_key"]) == (None, "...f1Jg")
    weak = made(root, {"site_key": WEAK})
    assert "weak" in weak["warning"]
    assert weak["current"]["weak"] is True
    for wrong in ("short", f"{STRONG} ", ""):
        refused = call(root, "POST", PATH, {"site_key": wrong})
        assert list(problem(refused, 422, "validation_error")["errors"]) == ["site_key"]


@pytest.mark.parametrize(
    "body", [{"overlap_seconds": -1}, {"overlap_seconds": 2592001}, {"overlap_seconds": "1"}, {"x": 1}]
)
def test_what_can_not_be_sent_is_named(root: Client, body: dict[str, Any]) -> None:
    found = problem(call(root, "POST", PATH, body), 422, "validation_error")
    assert list(found["errors"]) == list(body)
    assert not SiteKey.objects.exists()


def test_a_repeated_post_makes_one_and_shows_it_once(root: Client) -> None:
    first = made(root, None, **{"Idempotency-Key": "one"})
    assert first.pop("site_key")
    assert made(root, None, **{"Idempotency-Key": "one"}) == first
    assert SiteKey.objects.count() == 1
    assert Event.objects.filter(name="site_key.created").count() == 1


def test_a_session_needs_to_have_confirmed_who_it_is(world: World) -> None:
    admin = world.client(world.admin)
    confirm(admin, world.admin, seconds_ago=3600)
    assert state(admin) == NONE
    for method, path, body in (
        ("POST", PATH, None),
        ("PATCH", PATH, {"demanded": False}),
        ("DELETE", PATH, None),
        ("POST", f"{PATH}/end-overlap", None),
    ):
        problem(call(admin, method, path, body), 403, "reauthentication_required")
    confirm(admin, world.admin)
    assert made(admin)["site_key"]


def test_through_a_key_that_sees_only_its_own_there_is_none(world: World) -> None:
    segment = world.client(key=world.user_key(world.admin, name="Part [segment]").secret)
    problem(call(segment, "GET", PATH), 404, "not_found")
    problem(call(segment, "POST", PATH), 404, "not_found")


def test_a_reason_is_kept(root: Client) -> None:
    made(root, None, **{"X-Reason": "leaked"})
    assert "leaked" in Event.objects.get(name="site_key.created").text

"""The settings of the instance over REST."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.api.calls import call, json_of, problem
from tests.instance.saving import events, give_by_environment
from tests.world import World, confirm

SETTINGS = "/api/v1/settings"


@pytest.fixture
def admin(world: World) -> Client:
    return world.client(key=world.user_key(world.admin).secret)


def test_the_number_in_force_is_told_with_its_source(world: World, admin: Client) -> None:
    answer = call(admin, "GET", SETTINGS)
    assert json_of(answer) == {
        "api_key_rounds_no": 30_000,
        "source": "default",
        "saved": None,
        "warnings": ["30,000 rounds are weak for secrets that can be guessed: OWASP asks for 600,000 or more."],
        "version": 1,
    }
    assert answer["ETag"] == '"1"'


def test_a_number_is_saved(world: World, admin: Client) -> None:
    answer = call(admin, "PATCH", SETTINGS, {"api_key_rounds_no": 600_000}, headers={"X-Reason": "New machine"})
    body = {"api_key_rounds_no": 600_000, "source": "saved", "saved": 600_000, "warnings": [], "version": 2}
    assert (answer.status_code, json_of(answer), answer["ETag"]) == (200, body, '"2"')
    assert json_of(call(admin, "GET", SETTINGS)) == body
    assert "New machine" in str(events()[-1])
    assert json_of(call(admin, "PATCH", SETTINGS, {})) == body, "absent fields stay"


@pytest.mark.parametrize("number", [0, -1, 100_000_001, "30000", 3.5, None, True, 100_000_000])
def test_nonsense_is_refused(world: World, admin: Client, number: object) -> None:
    body = problem(call(admin, "PATCH", SETTINGS, {"api_key_rounds_no": number}), 422, "validation_error")
    assert list(body["errors"]) == ["api_key_rounds_no"]
    assert events() == []


def test_unknown_fields_are_refused(world: World, admin: Client) -> None:
    for field in ("version", "saved", "source", "master_fingerprint", "rounds"):
        body = problem(call(admin, "PATCH", SETTINGS, {field: 1}), 422, "validation_error")
        assert list(body["errors"]) == [field]


def test_an_old_version_is_refused(world: World, admin: Client) -> None:
    call(admin, "PATCH", SETTINGS, {"api_key_rounds_no": 45_000}, headers={"If-Match": '"1"'})
    stale = call(admin, "PATCH", SETTINGS, {"api_key_rounds_no": 60_000}, headers={"If-Match": '"1"'})
    problem(stale, 412, "stale")


def test_while_the_environment_decides_it_can_not_be_saved(world: World, admin: Client, settings: Settings) -> None:
    give_by_environment(settings, 70_000)
    problem(call(admin, "PATCH", SETTINGS, {"api_key_rounds_no": 45_000}), 409, "set_elsewhere")
    body = json_of(call(admin, "GET", SETTINGS))
    assert (body["api_key_rounds_no"], body["source"], body["saved"]) == (70_000, "environment", None)


def test_auditors_read_it_and_others_are_told_what_is_missing(world: World) -> None:
    auditor = world.client(key=world.key("audit.view").secret)
    assert call(auditor, "GET", SETTINGS).status_code == 200
    body = problem(call(auditor, "PATCH", SETTINGS, {"api_key_rounds_no": 45_000}), 403, "insufficient_scope")
    assert body["missing_permission"] == "setting.ctrl"
    other = world.client(key=world.key("apikey.ctrl").secret)
    body = problem(call(other, "GET", SETTINGS), 403, "insufficient_scope")
    assert body["missing_permission"] == "audit.view"


def test_a_key_that_sees_only_what_it_made_finds_nothing(world: World) -> None:
    client = world.client(key=world.key("*", name="Orchestrator[segment]").secret)
    problem(call(client, "GET", SETTINGS), 404, "not_found")


def test_a_session_must_be_fresh(world: World) -> None:
    client = world.client(world.admin)
    confirm(client, world.admin, seconds_ago=660)
    body = {"api_key_rounds_no": 45_000}
    problem(call(client, "PATCH", SETTINGS, body), 403, "reauthentication_required")
    confirm(client, world.admin)
    assert call(client, "PATCH", SETTINGS, body).status_code == 200

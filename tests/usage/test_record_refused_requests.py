"""Each refused request leaves one access record, whatever refused it, and each that a key was accepted for."""

import logging
import shutil
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from accounts.models import Organization, User
from keyadmin.instance.models import IdempotencyRecord
from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from keyadmin.usage.models import AccessRecord
from keyadmin.usage.spool import Spool
from tests.api.calls import KEYS, call, comparable, problem
from tests.api.test_change_keys import expire
from tests.api.test_refuse_credentials import dead_secret
from tests.pages.managing import NEW, fields, nonce_of
from tests.usage.reading import only, outcomes
from tests.world import World

WHOAMI = "/api/v1/whoami"


def test_a_record_says_what_was_asked_from_where_and_what_came_of_it(world: World) -> None:
    issued, before = world.key(name="Billing"), clock.now()
    client = Client(headers={"user-agent": "curl/8", "x-api-key": issued.secret}, REMOTE_ADDR="192.0.2.7")
    refused = call(client, "POST", f"{KEYS}?page=2", {"name": "x"})

    body, found = problem(refused, 403, "insufficient_scope"), only()
    assert before <= found.time <= clock.now()
    assert (found.method, found.path) == ("POST", KEYS)
    assert (found.outcome, found.reason, found.missing_permission) == (
        "insufficient_scope",
        "",
        body["missing_permission"],
    )
    assert (found.organization_id, found.key_id, found.user_id) == (world.acme.pk, issued.key.pk, None)
    assert (found.who, found.address, found.user_agent) == ("Billing", "192.0.2.7", "curl/8")
    assert found.request_id == body["request_id"]


@pytest.mark.parametrize(
    ("how", "reason", "known"),
    [
        ("malformed", "malformed", False),
        ("unknown", "unknown", False),
        ("wrong secret", "wrong_secret", True),
        ("revoked", "revoked", True),
        ("replaced", "replaced", True),
        ("deleted", "unknown", False),
    ],
)
def test_of_a_dead_key_the_exact_reason_is_kept_and_whose_it_is(
    world: World, how: str, reason: str, known: bool
) -> None:
    secret = dead_secret(world, how)
    problem(call(Client(), "GET", WHOAMI, headers={"X-API-KEY": secret}), 401, "invalid_key")

    found, keys = only(), APIKey.objects.order_by("-pk").values_list("pk", flat=True)
    assert (found.outcome, found.reason) == ("invalid_key", reason)
    assert (found.key_id, found.organization_id) == ((keys[0], world.acme.pk) if known else (None, None))
    assert found.who == ("Test key" if known else "")


@pytest.mark.parametrize("state", ["expired", "paused", "suspended", "owner disabled", "elsewhere"])
def test_of_a_key_that_may_not_work_now_its_record_says_so(world: World, state: str) -> None:
    issued = world.user_key(world.robot) if state == "owner disabled" else world.key()
    key, headers = issued.key, {"X-API-KEY": issued.secret}
    if state == "expired":
        expire(key.pk)
    elif state == "paused":
        APIKey.objects.filter(pk=key.pk).update(paused_at=clock.now())
    elif state == "suspended":
        Organization.objects.filter(pk=world.acme.pk).update(suspended_at=clock.now())
    elif state == "owner disabled":
        User.objects.filter(pk=world.robot.pk).update(is_active=False)
    else:
        headers["X-Organization"] = "globex"
    call(Client(), "GET", WHOAMI, headers=headers)

    codes = {
        "expired": ("key_expired", "expired"),
        "paused": ("key_paused", "paused"),
        "suspended": ("organization_suspended", "organization_suspended"),
        "owner disabled": ("owner_disabled", "owner_disabled"),
        "elsewhere": ("invalid_key", "organization_not_reached"),
    }
    found = only()
    assert (found.outcome, found.reason) == codes[state]
    assert (found.key_id, found.user_id, found.organization_id) == (key.pk, key.owner_id, world.acme.pk)


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ({}, ("missing_key", "")),
        ({"Authorization": "Bearer a.b.c"}, ("invalid_key", "misplaced")),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_without_a_credential_too(db: None, method: str, headers: Mapping[str, str], kept: tuple[str, str]) -> None:
    call(Client(), method, KEYS, headers=headers)

    assert outcomes() == [kept]
    assert (only().method, only().who) == (method, "")


def test_a_key_from_elsewhere_and_a_session_without_csrf_token(world: World) -> None:
    issued = world.key(allowed_networks=["10.0.0.0/8"])
    call(world.client(key=issued.secret), "GET", WHOAMI)
    call(world.client(world.developer, enforce_csrf_checks=True), "POST", KEYS, {"name": "x"})
    world.client(world.developer, enforce_csrf_checks=True).post("/sign-out/")

    assert outcomes() == [("address_not_allowed", "address_not_allowed"), ("csrf_failed", ""), ("csrf_failed", "")]
    assert {row.user_id for row in AccessRecord.objects.filter(outcome="csrf_failed")} == {world.developer.pk}


def test_who_lacks_the_second_factor_that_an_organisation_demands_is_named(world: World) -> None:
    Organization.objects.filter(pk=world.acme.pk).update(two_factor_required=True)
    problem(call(world.client(world.developer), "GET", KEYS), 403, "second_factor_required")

    found = only()
    assert (found.outcome, found.user_id, found.organization_id) == (
        "second_factor_required",
        world.developer.pk,
        world.acme.pk,
    )


def test_a_page_that_one_may_not_open_is_a_refused_request(world: World) -> None:
    assert world.client(world.developer).get("/o/acme/groups/new/").status_code == 403

    found = only()
    assert (found.outcome, found.missing_permission) == ("insufficient_scope", "group.ctrl")
    assert (found.organization_id, found.user_id, found.who) == (world.acme.pk, world.developer.pk, "Dev")


def test_a_form_that_asks_for_more_than_one_may_is_one_too(world: World) -> None:
    client = world.client(world.manager)
    sent = fields(name="Greedy [bulk]", mode="custom", permissions=["org.ctrl"], nonce=nonce_of(client))
    assert client.post(NEW, sent).status_code == 422

    assert (only().outcome, only().missing_permission) == ("insufficient_scope", "org.ctrl")


def test_the_record_stays_while_the_refused_act_is_undone(world: World) -> None:
    client = world.client(key=world.key("apikey.ctrl").secret)
    body = {"name": "Greedy", "permissions": ["org.ctrl"]}
    refused = call(client, "POST", KEYS, body, headers={"Idempotency-Key": "once"})

    problem(refused, 403, "insufficient_scope")
    assert not IdempotencyRecord.objects.exists(), "it was written before the refusal, and has been undone"
    assert only().missing_permission == "org.ctrl"


def test_what_a_key_was_accepted_for_is_recorded_whatever_came_of_it(world: World) -> None:
    issued = world.key("*", name="Good")
    good = world.client(key=issued.secret)
    assert call(good, "GET", f"{WHOAMI}?search=secret").status_code == 200
    assert call(good, "GET", f"{KEYS}/99").status_code == 404
    assert call(good, "POST", KEYS, {}).status_code == 422
    assert call(good, "PUT", KEYS).status_code == 405
    assert call(good, "GET", "/crm/customers").status_code == 200

    assert outcomes() == [("allowed", "")] * 5
    first = AccessRecord.objects.order_by("pk")[0]
    assert (first.method, first.path, first.who) == ("GET", WHOAMI, "Good")
    assert (first.key_id, first.token_id) == (issued.key.pk, issued.key.token_id)
    assert first.organization_id == world.acme.pk


def test_what_people_do_and_nobody_refuses_leaves_no_record(world: World) -> None:
    assert call(world.client(world.manager), "GET", KEYS).status_code == 200
    assert Client().get("/o/acme/").status_code == 302, "sent to sign in"
    assert Client().get("/sign-in/").status_code == 200
    assert Client(headers={"X-API-KEY": "nonsense"}).get("/docs/").status_code == 200
    assert world.client(world.developer).get("/o/globex/").status_code == 404
    preview = world.client(world.manager).post(f"{NEW}preview/", fields(mode="custom", permissions=["org.ctrl"]))
    assert preview.status_code == 200, "nobody asked for it yet"

    assert outcomes() == []


def test_when_no_record_can_be_written_the_answer_is_the_same_and_the_log_has_one_line(
    world: World, spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(headers={"X-API-KEY": "canary", "User-Agent": "canary"})
    before = comparable(call(client, "GET", f"{KEYS}/77"))
    spool.close()
    shutil.rmtree(spool.directory)
    spool.directory.write_text("no directory")
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            assert comparable(call(client, "GET", f"{KEYS}/77")) == before

    (line,) = [row for row in caplog.records if row.name == "keyadmin"]
    assert line.getMessage() == "1 access records could not be kept: File exists"
    assert "canary" not in caplog.text
    assert "77" not in line.getMessage()


@pytest.mark.parametrize("path", ["/setup/{}/", "/invitation/{}/", "/sign-in/reset/{}/"])
def test_a_record_holds_no_token_of_a_link(world: World, path: str) -> None:
    """The address alone is what the link is worth."""
    response = Client(enforce_csrf_checks=True).post(path.format("Zm9yZ2V0dGluZyBpcyBhIGtpbmQgb2YgbWVyY3kgdG9v"))

    assert response.status_code == 403
    assert only().path == path.format("***")


def test_a_record_holds_no_key_wherever_one_was_sent(world: World) -> None:
    secret = world.key("*").secret
    headers = {"user-agent": f"x{secret * 9}", "x-request-id": secret, "referer": secret, "authorization": secret}
    for path in (f"{KEYS}/{secret}", f"{KEYS}/1?api_key={secret}", f"{KEYS}/1?{secret}", f"{KEYS}/%6b{secret[1:]}"):
        call(Client(), "DELETE", path, {"name": secret}, headers=headers)

    for row in AccessRecord.objects.values():
        assert secret[20:40] not in str(row)
        assert "?" not in row["path"]


def test_long_and_odd_texts_are_cut_and_cleaned(world: World) -> None:
    agent = "Odd\x07\u0085 " + "x" * 1000
    path = f"/api/v1/permissions/%00%ff%e2%80%ae{'x' * 1000}"
    problem(call(Client(), "PATCH", path, {}, headers={"user-agent": agent}), 401, "missing_key")

    found = only()
    assert (len(found.user_agent), found.user_agent[:10]) == (300, "Odd\\x07 xx")
    assert (len(found.path), found.path[20:40]) == (500, "\\x00%FF\\u202exxxxxxx")


def test_limits_that_allauth_answers_itself(world: World, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "1/m/ip"}
    client = Client()
    for status in (302, 429):
        assert client.post("/sign-in/reset/", {"email": "dev@example.org"}).status_code == status

    assert outcomes() == [("rate_limited", "")]

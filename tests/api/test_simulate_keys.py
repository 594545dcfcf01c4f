"""POST /api/v1/simulate: would this key be allowed to ...? Check by check, by the verifier's own code."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.verify import decide
from keyadmin.verify.simulate import WORDS
from tests.api.calls import call, json_of, problem
from tests.world import OPERATOR, World

PATH = "/api/v1/simulate"
ORDER = ["replaced", "revoked", "secret", "organization", "expired", "paused", "owner", "suspended", "site_key"]
ORDER += ["environment", "blocked", "address", "permission"]


@pytest.fixture
def asking(world: World) -> Client:
    return world.client(key=world.key("apikey.view", name="Reader").secret)


def simulated(client: Client, key: APIKey, **question: Any) -> dict[str, Any]:
    answer = call(client, "POST", PATH, {"api_key_id": key.pk, **question})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = json_of(answer)
    failed = failed_in(body)
    assert body["valid"] == (body["code"] == "allowed") == (failed == [])
    return body


def failed_in(body: dict[str, Any]) -> list[str]:
    return [check["name"] for check in body["checks"] if not check["passed"]]


def test_every_check_of_the_verifier_is_there_in_its_order_with_words(world: World, asking: Client) -> None:
    body = simulated(asking, world.key("view_customer").key, permissions=["view_customer"])
    assert [check["name"] for check in body["checks"]] == ORDER
    assert all(check["words"].endswith(".") for check in body["checks"])
    assert list(WORDS) == [check.__name__.removeprefix("_") for check in decide.CHECKS]


def test_that_a_limit_is_not_counted_is_said(world: World, asking: Client) -> None:
    body = simulated(asking, world.key("view_customer", rate_limit="5/minute").key)
    assert body["code"] == "allowed"
    assert body["checks"][-1] == {
        "name": "rate_limit",
        "passed": True,
        "words": "Its limit of 5/minute is not counted here.",
    }


@pytest.mark.parametrize(
    ("question", "code", "failed"),
    [
        ({}, "allowed", []),
        ({"permissions": ["view_customer"]}, "allowed", []),
        ({"permissions": ["view_invoice"]}, "insufficient_scope", ["permission"]),
        ({"permissions": ["view_invoice", "view_customer"], "any": True}, "allowed", []),
        ({"permissions": ["view_invoice", "view_service"], "any": True}, "insufficient_scope", ["permission"]),
        ({"environment": "test"}, "wrong_environment", ["environment"]),
        ({"organization": "globex"}, "invalid_key", ["organization"]),
        ({"organization": "nowhere"}, "invalid_key", ["organization"]),
        ({"address": "203.0.113.9"}, "allowed", []),
    ],
)
def test_what_is_asked_decides(
    world: World, asking: Client, question: dict[str, Any], code: str, failed: list[str]
) -> None:
    body = simulated(asking, world.key("view_customer").key, **question)
    assert (body["code"], failed_in(body)) == (code, failed)


def test_all_that_stands_in_the_way_is_shown_and_the_first_decides(world: World, asking: Client) -> None:
    key = world.key("view_customer", allowed_networks=["10.0.0.0/8"], expires_at=clock.now() + timedelta(days=1)).key
    services.pause_key(actor=OPERATOR, key_id=key.pk)
    APIKey.objects.filter(pk=key.pk).update(created_at=clock.now() - timedelta(days=2), expires_at=clock.now())
    body = simulated(asking, key, permissions=["view_invoice"])
    assert (body["code"], failed_in(body)) == ("key_expired", ["expired", "address", "permission"])
    assert "no address is given" in body["checks"][11]["words"]
    assert "view_invoice" in body["checks"][12]["words"]


def test_states_of_key_and_owner_decide(world: World, asking: Client) -> None:
    paused, revoked, robots = world.key().key, world.key().key, world.user_key(world.robot).key
    services.pause_key(actor=OPERATOR, key_id=paused.pk)
    services.revoke_key(actor=OPERATOR, key_id=revoked.pk)
    User.objects.filter(pk=world.robot.pk).update(is_active=False)
    assert simulated(asking, paused)["code"] == "key_paused"
    assert simulated(asking, revoked)["code"] == "invalid_key"
    assert simulated(asking, robots)["code"] == "owner_disabled"


def test_the_real_verifier_agrees(world: World, asking: Client) -> None:
    """The same question with the secret has the same answer."""
    checking = world.client(key=world.key("key.verify").secret)
    for fields in ({}, {"environment": "test"}, {"allowed_networks": ["10.0.0.0/8"]}, {"name": "x [segment]"}):
        issued = world.key("view_customer", **fields)
        for question in ({}, {"permissions": ["view_invoice"]}, {"address": "10.1.1.1"}, {"environment": "live"}):
            real = json_of(call(checking, "POST", "/api/v1/verify", {"key": issued.secret, **question}))
            body = simulated(asking, issued.key, **question)
            assert {name: body[name] for name in ("valid", "code", "detail", "missing_permission")} == {
                name: real[name] for name in ("valid", "code", "detail", "missing_permission")
            }


def test_keys_that_may_not_be_seen_are_not_there(world: World, asking: Client) -> None:
    foreign = world.key("*", organization=world.globex).key
    for key_id in (foreign.pk, 10**9):
        problem(call(asking, "POST", PATH, {"api_key_id": key_id}), 404, "not_found")
    blind = world.client(key=world.key("key.verify").secret)
    problem(call(blind, "POST", PATH, {"api_key_id": world.key().key.pk}), 403, "insufficient_scope")

"""POST /api/v1/verify: an application asks about a key that a client presented."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.api.calls import call, json_of, problem
from tests.usage.reading import spooled
from tests.world import OPERATOR, World

PATH = "/api/v1/verify"
SECRETIVE = {"name", "masked_key", "key_id", "kind", "environment", "owner", "organization", "permissions", "segment"}


@pytest.fixture
def asking(world: World) -> Client:
    """An application with a key of acme that may verify keys and nothing else."""
    return world.client(key=world.key("key.verify", name="Shop").secret)


def verified(client: Client, key: str, **question: Any) -> dict[str, Any]:
    answer = call(client, "POST", PATH, {"key": key, **question})
    assert answer.status_code == 200, answer.content
    assert not key or key not in answer.content.decode()
    body: dict[str, Any] = json_of(answer)
    assert body["valid"] == (body["code"] == "allowed")
    return body


def test_a_key_that_may_do_it_is_valid_and_described(world: World, asking: Client) -> None:
    issued = world.key("view_customer", "apikey.*", name="Billing [segment]")
    body = verified(asking, issued.secret, permissions=["view_customer"])
    assert body == {
        "valid": True,
        "code": "allowed",
        "detail": "The key may do this.",
        "missing_permission": None,
        "key_id": issued.key.pk,
        "masked_key": issued.key.masked,
        "name": "Billing [segment]",
        "kind": "organization",
        "environment": "live",
        "owner": None,
        "organization": {"oid": str(world.acme.oid), "slug": "acme", "name": "Acme"},
        "permissions": ["apikey.*", "view_customer"],
        "segment": True,
        "expiry_date": None,
    }


def test_the_key_of_a_user_names_its_owner_and_what_it_may_do_here_alone(world: World, asking: Client) -> None:
    issued = world.user_key(world.robot)
    body = verified(asking, issued.secret)
    assert (body["kind"], body["owner"]["id"], body["organization"]["slug"]) == ("user", world.robot.pk, "acme")
    assert body["permissions"]


def test_a_missing_permission_is_named(world: World, asking: Client) -> None:
    key = world.key("view_customer").secret
    body = verified(asking, key, permissions=["view_customer", "view_invoice"])
    assert (body["code"], body["missing_permission"]) == ("insufficient_scope", "view_invoice")
    assert "view_invoice" in body["detail"]
    assert verified(asking, key, permissions=["view_customer", "view_invoice"], any=True)["valid"]


def test_environment_and_address_count(world: World, asking: Client) -> None:
    key = world.key("view_customer", environment="test", allowed_networks=["203.0.113.0/24"]).secret
    assert verified(asking, key, address="203.0.113.9")["valid"]
    assert verified(asking, key, address="::ffff:203.0.113.9")["valid"]
    assert verified(asking, key, address="198.51.100.9")["code"] == "address_not_allowed"
    assert verified(asking, key)["code"] == "address_not_allowed"  # where it comes from is not known
    assert verified(asking, key, address="203.0.113.9", environment="live")["code"] == "wrong_environment"


def test_what_is_wrong_with_a_proved_key_is_said(world: World, asking: Client) -> None:
    paused, expired = world.key(), world.key(expires_at=clock.now() + timedelta(days=1))
    services.pause_key(actor=OPERATOR, key_id=paused.key.pk)
    APIKey.objects.filter(pk=expired.key.pk).update(created_at=clock.now() - timedelta(days=2), expires_at=clock.now())
    for issued, code in ((paused, "key_paused"), (expired, "key_expired")):
        body = verified(asking, issued.secret)
        assert (body["code"], body["key_id"]) == (code, issued.key.pk)


def unproved(world: World) -> dict[str, str]:
    revoked, renewed = world.key(), world.key()
    services.revoke_key(actor=OPERATOR, key_id=revoked.key.pk)
    services.regenerate_key(actor=OPERATOR, key_id=renewed.key.pk)
    return {
        "malformed": "nonsense",
        "odd": "ka_live_\u2603 ,;",
        "unknown": "ka_live_" + "0" * 50,
        "revoked": revoked.secret,
        "replaced": renewed.secret,
        "foreign": world.key("*", organization=world.globex).secret,
        "of a foreign user": world.user_key(world.stranger).secret,
    }


def test_until_a_key_is_proved_every_answer_is_the_same(world: World, asking: Client) -> None:
    answers = {name: verified(asking, key, permissions=["view_customer"]) for name, key in unproved(world).items()}
    one = answers["malformed"]
    assert one["code"] == "invalid_key"
    assert {one[name] for name in SECRETIVE} == {None}
    assert all(answer == one for answer in answers.values()), answers


def test_no_key_at_all_is_missing(asking: Client) -> None:
    assert verified(asking, "")["code"] == "missing_key"


def test_organizations_out_of_reach_are_as_if_they_were_not_there(world: World, asking: Client) -> None:
    ours, theirs = world.key("*").secret, world.key("*", organization=world.globex).secret
    for key in (ours, theirs):
        answers = [verified(asking, key, organization=named) for named in ("globex", "nowhere", str(world.globex.oid))]
        assert {answer["code"] for answer in answers} == {"invalid_key"}
    assert verified(asking, ours, organization="ACME")["valid"]


def test_who_reaches_several_organizations_names_one(world: World) -> None:
    client = world.client(key=world.user_key(world.admin).secret)
    key = world.key("*", organization=world.globex).secret
    assert "organization" in problem(call(client, "POST", PATH, {"key": key}), 422, "validation_error")["errors"]
    assert verified(client, key, organization="globex")["valid"]
    assert verified(client, key, organization="acme")["code"] == "invalid_key"
    answer = call(client, "POST", PATH, {"key": key}, headers={"X-Organization": "globex"})
    assert json_of(answer)["valid"]


def test_who_may_not_verify_keys_learns_nothing(world: World) -> None:
    poor = world.client(key=world.key("apikey.*").secret)
    answer = call(poor, "POST", PATH, {"key": world.key().secret})
    assert problem(answer, 403, "insufficient_scope")["missing_permission"] == "key.verify"


@pytest.mark.parametrize(
    "question",
    [
        {"permissions": ["*"]},
        {"permissions": ["View"]},
        {"permissions": "view_customer"},
        {"address": "here"},
        {"environment": "staging"},
        {"organization": ""},
        {"any": 1},
        {"key": None},
        {"key": "k" * 513},
        {"secret": "ka_live_x"},
    ],
)
def test_a_question_that_can_not_be_meant_is_422_without_the_key(asking: Client, question: dict[str, Any]) -> None:
    answer = call(asking, "POST", PATH, {"key": "ka_live_canary", **question})
    errors = problem(answer, 422, "validation_error")["errors"]
    assert next(iter(question)) in str(errors)
    assert "canary" not in answer.content.decode()


def test_an_old_answer_is_not_repeated(world: World, asking: Client) -> None:
    issued = world.key()
    headers = {"Idempotency-Key": "once"}
    assert json_of(call(asking, "POST", PATH, {"key": issued.secret}, headers=headers))["valid"]
    services.revoke_key(actor=OPERATOR, key_id=issued.key.pk)
    assert not json_of(call(asking, "POST", PATH, {"key": issued.secret}, headers=headers))["valid"]


def test_it_is_recorded_as_a_use_of_the_key_that_is_asked_about(world: World, asking: Client) -> None:
    issued = world.key("view_customer", name="Billing")
    before = len(spooled())
    answer = call(asking, "POST", PATH, {"key": issued.secret, "address": "203.0.113.9"})
    verified(asking, issued.secret, permissions=["view_invoice"])
    verified(asking, "nonsense")
    records = [one for one in spooled()[before:] if one.key_id in (issued.key.pk, -1)]  # not those of who asks
    assert [(one.key_id, one.outcome, one.reason, one.missing_permission) for one in records] == [
        (issued.key.pk, "allowed", "", ""),
        (issued.key.pk, "insufficient_scope", "", "view_invoice"),
        (-1, "invalid_key", "malformed", ""),
    ]
    first = records[0]
    assert (first.method, first.path, first.address, first.who) == ("POST", PATH, "203.0.113.9", "Billing")
    assert first.request_id == answer["X-Request-Id"]
    assert {one.organization_id for one in records} == {world.acme.pk}
    assert issued.secret not in json.dumps(records)


def test_a_guess_is_recorded_where_it_was_asked_about(world: World) -> None:
    """An application elsewhere that knows the public id of a key writes nothing into the log of its organisation."""
    issued = world.key("view_customer", name="Billing")
    wrong = issued.secret[:-10] + "0" * 10
    foreign = world.client(key=world.key("key.verify", organization=world.globex).secret)
    ours = world.client(key=world.key("key.verify").secret)
    for client, key in ((foreign, wrong), (foreign, issued.secret), (ours, wrong)):
        answer = call(client, "POST", PATH, {"key": key, "address": "203.0.113.66"})
        assert json_of(answer)["code"] == "invalid_key"
    records = [one for one in spooled() if one.address == "203.0.113.66"]
    assert [(one.organization_id, one.key_id, one.token_id, one.who) for one in records[:2]] == [
        (world.globex.pk, -1, "", "")
    ] * 2
    assert records[2].organization_id == world.acme.pk

"""A key with a limit: how many requests pass, what the others are told, and what counts."""

from collections.abc import Iterator

import pytest

from accounts.services.organizations import edit_key_policy
from keyadmin.freshness.watch import watch
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.limits import services as limits
from keyadmin.verify import memory
from keyadmin.verify.decide import Ask
from keyadmin.verify.outcome import Outcome
from keyadmin.verify.services import verify
from tests.verify.asking import HERE, answer, asked, headers
from tests.world import OPERATOR, World


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    watch.cache_clear()
    memory.forget()
    limits.forget()
    yield
    watch.cache_clear()


def test_the_gateway_gets_429_once_the_limit_is_used_up(lasting_world: World) -> None:
    one = asked(lasting_world.key("view_customer", rate_limit="3/hour").secret)
    replies = [answer(one) for _ in range(5)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429, 429]
    assert [headers(reply)["ratelimit"].partition(";t=")[0] for reply in replies] == [
        '"key";r=2',
        '"key";r=1',
        *(['"key";r=0'] * 3),
    ]
    for reply in replies:
        found = headers(reply)
        assert found["ratelimit-policy"] == '"key";q=3;w=3600'
        assert ("retry-after" in found) is (reply.status == 429)
        assert ("x-auth-key-id" in found and found["x-auth-key-id"] == "") is (reply.status == 429)
    assert 3590 <= int(headers(replies[-1])["retry-after"]) <= 3600
    assert (replies[-1].outcome, replies[-1].reason) == ("rate_limited", "rate_limited")
    assert replies[-1].subject.who == "Test key"
    assert b'"code": "rate_limited"' in replies[-1].body


def test_a_key_without_a_limit_has_no_such_headers(lasting_world: World) -> None:
    one = asked(lasting_world.key("view_customer").secret)
    for _ in range(3):
        reply = answer(one)
        assert reply.status == 200
        assert not {"ratelimit", "ratelimit-policy", "retry-after"} & headers(reply).keys()


def test_rest_and_gateway_count_together(lasting_world: World) -> None:
    secret = lasting_world.key("apikey.view", rate_limit="3/hour").secret
    client = lasting_world.client(key=secret)
    first = client.get("/api/v1/whoami")
    assert (first.status_code, first["RateLimit-Policy"]) == (200, '"key";q=3;w=3600')
    assert first["RateLimit"].startswith('"key";r=2;t=')
    assert "Retry-After" not in first
    assert answer(asked(secret)).status == 200
    assert client.get("/api/v1/api-keys").status_code == 200
    refused = client.get("/api/v1/api-keys")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused["RateLimit"].startswith('"key";r=0;t=')
    assert 3590 <= int(refused["Retry-After"]) <= 3600
    assert answer(asked(secret)).status == 429


def test_the_limit_comes_after_the_address_and_before_the_permission(lasting_world: World) -> None:
    secret = lasting_world.key("view_customer", rate_limit="1/hour", allowed_networks=[HERE]).secret
    elsewhere, lacking = Ask("198.51.100.1"), Ask(HERE, permissions=("view_invoice",))
    outcomes = [
        verify(secret, ask).decision.outcome
        for ask in (elsewhere, elsewhere, lacking, lacking, elsewhere, Ask(HERE, organization_id=-1))
    ]
    assert outcomes == [
        *(Outcome.ADDRESS_NOT_ALLOWED, Outcome.ADDRESS_NOT_ALLOWED),  # these count nothing
        *(Outcome.MISSING_PERMISSION, Outcome.RATE_LIMITED, Outcome.ADDRESS_NOT_ALLOWED),
        Outcome.ORGANIZATION_NOT_REACHED,
    ]


def test_a_refusal_for_a_permission_says_what_is_left(lasting_world: World) -> None:
    reply = answer(asked(lasting_world.key("view_customer", rate_limit="5/hour").secret, "permission=view_invoice"))
    assert reply.status == 403
    assert headers(reply)["ratelimit"].startswith('"key";r=4;')
    assert "retry-after" not in headers(reply)


def test_keys_are_counted_apart(lasting_world: World) -> None:
    for _ in range(2):
        assert answer(asked(lasting_world.key("view_customer", rate_limit="1/hour").secret)).status == 200


def default(world: World, rate: str | None) -> None:
    edit_key_policy(actor=OPERATOR, organization=world.acme, changes={"default_rate_limit": rate})


def quota(secret: str) -> str:
    return headers(answer(asked(secret))).get("ratelimit-policy", "")


def test_a_changed_limit_holds_at_once(lasting_world: World) -> None:
    key = lasting_world.key("view_customer")
    for rate, policy in (("5/hour", '"key";q=5;w=3600'), (None, ""), ("7/day", '"key";q=7;w=86400')):
        services.edit_key(actor=OPERATOR, key_id=key.key.pk, changes={"rate_limit": rate})
        assert quota(key.secret) == policy


def test_the_organisations_default_holds_at_once_for_keys_without_a_limit(lasting_world: World) -> None:
    key, own = lasting_world.key("view_customer"), lasting_world.key("view_customer", rate_limit="9/day")
    robots, stranger = lasting_world.user_key(lasting_world.robot), lasting_world.user_key(lasting_world.stranger)
    for rate, policy in (("60/minute", '"key";q=60;w=60'), ("5/hour", '"key";q=5;w=3600'), (None, "")):
        default(lasting_world, rate)
        assert quota(key.secret) == quota(robots.secret) == policy
        assert quota(own.secret) == '"key";q=9;w=86400'
        assert quota(stranger.secret) == ""


def test_bulk_multiplies_whichever_limit_holds(lasting_world: World) -> None:
    own = lasting_world.key("view_customer", name="Sync[bulk]", rate_limit="60/minute")
    key = lasting_world.key("view_customer", name="Sync[bulk]")
    assert (quota(own.secret), quota(key.secret)) == ('"key";q=600;w=60', "")
    default(lasting_world, "5/hour")
    assert quota(key.secret) == '"key";q=50;w=3600'
    services.edit_key(actor=OPERATOR, key_id=key.key.pk, changes={"name": "Sync"})
    assert quota(key.secret) == '"key";q=5;w=3600'


def test_a_persons_key_has_the_strictest_default_of_all_their_organisations(lasting_world: World) -> None:
    world = lasting_world
    key = world.user_key(world.manager)
    default(world, "60/minute")
    assert quota(key.secret) == '"key";q=60;w=60'
    services.edit_key(actor=OPERATOR, key_id=key.key.pk, changes={"rate_limit": "99/minute"})
    assert quota(key.secret) == '"key";q=99;w=60'


def test_a_new_secret_of_the_same_key_has_no_new_limit(lasting_world: World) -> None:
    issued = lasting_world.key("view_customer", rate_limit="1/hour")
    assert answer(asked(issued.secret)).status == 200
    again = services.regenerate_key(actor=OPERATOR, key_id=issued.key.pk)
    assert answer(asked(again.secret)).status == 429
    assert APIKey.objects.get(pk=issued.key.pk).rate_limit == "1/hour"

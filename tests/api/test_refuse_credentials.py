"""Every wrong way to send a key, and what its sender is told."""

import base64
import logging
from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.http import HttpResponse

from accounts.models import Membership, Organization, User
from keyadmin.kernel import clock, tokens
from keyadmin.keys.models import APIKey
from tests.api.calls import KEYS, call, comparable, created, json_of, problem
from tests.api.test_change_keys import expire
from tests.world import World

WHOAMI = "/api/v1/whoami"
CHALLENGE = 'ApiKey realm="keyadmin", Bearer realm="keyadmin"'
BEARER_CHALLENGE = CHALLENGE + ', error="invalid_token"'


def ask(world: World, headers: Mapping[str, str], path: str = WHOAMI) -> HttpResponse:
    return call(world.client(), "GET", path, headers=headers)


def dead_secret(world: World, how: str) -> str:
    """A secret that is no credential (any more)."""
    admin = world.client(key=world.key("*").secret)
    issued = world.key()
    one, secret = f"{KEYS}/{issued.key.pk}", issued.secret
    other = tokens.mint("ka", "live")
    if how == "malformed":
        return "nope"
    if how == "wrong checksum":
        return secret[:-1] + ("1" if secret[-1] == "0" else "0")
    if how == "another prefix":
        return "sk" + secret[2:]
    if how == "unknown":
        return other.text
    if how == "wrong secret":
        APIKey.objects.filter(pk=issued.key.pk).update(token_id=other.token_id)
        return other.text
    if how == "masked":
        return issued.key.masked
    if how == "very long":
        return secret * 100
    if how == "not ASCII":
        return secret[:-1] + "é"
    acts = {
        "revoked": [("POST", "/revoke")],
        "paused, then revoked": [("POST", "/pause"), ("POST", "/revoke")],
        "replaced": [("POST", "/regenerate")],
        "replaced and revoked": [("POST", "/regenerate"), ("POST", "/revoke")],
        "deleted": [("DELETE", "")],
    }
    for method, act in acts[how]:
        assert call(admin, method, one + act).status_code in (200, 204)
    return secret


DEAD = [
    "malformed", "wrong checksum", "another prefix", "unknown", "wrong secret", "masked", "very long", "not ASCII",
    "revoked", "paused, then revoked", "replaced", "replaced and revoked", "deleted",
]  # fmt: skip


@pytest.mark.parametrize("how", DEAD)
def test_until_the_secret_matches_all_refusals_are_one(
    world: World, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = dead_secret(world, how)
    caplog.clear()
    for path in (WHOAMI, KEYS, "/crm/customers"):
        refused = ask(world, {"X-API-KEY": secret}, path)
        body = problem(refused, 401, "invalid_key")
        assert set(body) == {"type", "title", "status", "detail", "code", "request_id"}
        assert comparable(refused) == comparable(ask(world, {"X-API-KEY": "x"}, path))
        assert refused["WWW-Authenticate"] == CHALLENGE
        assert secret[20:] not in refused.content.decode() or len(secret) < 20
    assert not [record for record in caplog.records if record.name.startswith("keyadmin")]
    assert secret not in caplog.text


def test_a_key_elsewhere_answers_as_an_unknown_key_does(world: World) -> None:
    secret = world.key("*").secret
    unknown = comparable(ask(world, {"X-API-KEY": tokens.mint("ka", "live").text}))
    for named in ("globex", str(world.globex.oid), "no-such", str(world.acme.oid).replace("-", "")[::-1], "a\tb"):
        assert comparable(ask(world, {"X-API-KEY": secret, "X-Organization": named})) == unknown, named


def test_a_key_or_a_bad_token_as_bearer_is_refused_with_the_error_of_tokens(world: World) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        for text in (world.key("*").secret, "a.b.c", ""):
            refused = ask(world, {"Authorization": f"{scheme} {text}".strip()})
            problem(refused, 401, "invalid_key")
            assert refused["WWW-Authenticate"] == BEARER_CHALLENGE
    plain = comparable(ask(world, {"X-API-KEY": "x"}))
    assert comparable(refused)[:2] == plain[:2]


def test_what_is_no_credential_counts_as_none(world: World) -> None:
    secret = world.key("*").secret
    basic = base64.b64encode(f"user:{secret}".encode()).decode()
    nothing = ask(world, {})
    problem(nothing, 401, "missing_key")
    assert nothing["WWW-Authenticate"] == CHALLENGE
    for path, headers in (
        (f"{WHOAMI}?api_key={secret}", {}),
        (f"{WHOAMI}?X-API-KEY={secret}", {}),
        (f"{WHOAMI}?key={secret}&access_token={secret}", {}),
        (WHOAMI, {"Cookie": f"X-API-KEY={secret}; api_key={secret}; keyadmin={secret}"}),
        (WHOAMI, {"Authorization": f"Basic {basic}"}),
        (WHOAMI, {"Authorization": f"ApiKey {secret}"}),
        (WHOAMI, {"Authorization": secret}),
        (WHOAMI, {"X-API-KEY": ""}),
        (WHOAMI, {"X-API-KEY": "  "}),
        (WHOAMI, {"API-KEY": secret, "X-Auth-Key": secret}),
    ):
        assert comparable(ask(world, headers, path)) == comparable(nothing), headers


def test_two_credentials_are_400(world: World) -> None:
    one, two = world.key("*").secret, world.key("*").secret
    for headers in (
        {"X-API-KEY": f"{one},{two}"},  # so a server hands on a header that came twice
        {"X-API-KEY": f"{one}, {one}"},
        {"X-API-KEY": one, "Authorization": f"Bearer {two}"},
        {"X-API-KEY": one, "Authorization": "Bearer a.b.c"},
    ):
        refused = ask(world, headers)
        problem(refused, 400, "conflicting_credentials")
        assert one[20:] not in refused.content.decode()


def test_white_space_around_a_key_is_forgiven(world: World) -> None:
    assert ask(world, {"X-API-KEY": f" {world.key().secret}\t"}).status_code == 200


def test_a_right_secret_is_told_why_it_is_refused(world: World) -> None:
    expired = world.key(expires_at=clock.now() + timedelta(days=1))
    expire(expired.key.pk)
    problem(ask(world, {"X-API-KEY": expired.secret}), 401, "key_expired")

    paused = world.key()
    APIKey.objects.filter(pk=paused.key.pk).update(paused_at=clock.now())
    problem(ask(world, {"X-API-KEY": paused.secret}), 401, "key_paused")

    owned = world.user_key(world.robot)
    User.objects.filter(pk=world.robot.pk).update(is_active=False)
    problem(ask(world, {"X-API-KEY": owned.secret}), 401, "owner_disabled")

    near = world.key(allowed_networks=["10.0.0.0/8", "127.0.0.1"])
    assert ask(world, {"X-API-KEY": near.secret}).status_code == 200
    far = world.key(allowed_networks=["10.0.0.0/8"])
    refused = ask(world, {"X-API-KEY": far.secret, "X-Forwarded-For": "10.0.0.1", "X-Real-IP": "10.0.0.1"})
    problem(refused, 403, "address_not_allowed")
    assert "WWW-Authenticate" not in refused

    narrow = world.key("view_service")
    refused = ask(world, {"X-API-KEY": narrow.secret}, "/crm/customers")
    assert problem(refused, 403, "insufficient_scope")["missing_permission"] == "view_customer"

    Organization.objects.filter(pk=world.acme.pk).update(suspended_at=clock.now())
    problem(ask(world, {"X-API-KEY": narrow.secret}), 401, "organization_suspended")


def test_of_several_reasons_the_first_of_the_table_is_told(world: World) -> None:
    issued = world.key(allowed_networks=["10.0.0.0/8"], expires_at=clock.now() + timedelta(days=1))
    row = APIKey.objects.filter(pk=issued.key.pk)
    problem(ask(world, {"X-API-KEY": issued.secret}, "/crm/customers"), 403, "address_not_allowed")
    Organization.objects.filter(pk=world.acme.pk).update(suspended_at=clock.now())
    problem(ask(world, {"X-API-KEY": issued.secret}), 401, "organization_suspended")
    row.update(paused_at=clock.now())
    problem(ask(world, {"X-API-KEY": issued.secret}), 401, "key_paused")
    expire(issued.key.pk)
    problem(ask(world, {"X-API-KEY": issued.secret}), 401, "key_expired")
    row.update(revoked_at=clock.now(), verifier="")
    problem(ask(world, {"X-API-KEY": issued.secret}), 401, "invalid_key")


def test_a_key_beside_a_session_counts_also_when_it_is_refused(world: World) -> None:
    key = world.key("view_customer", name="Narrow")
    both = world.client(world.admin, key=key.secret)
    assert json_of(call(both, "GET", WHOAMI))["name"] == "Narrow"
    problem(call(both, "GET", KEYS), 403, "insufficient_scope")
    for headers, code in (
        ({"X-API-KEY": "nope"}, "invalid_key"),
        ({"Authorization": "Bearer nope"}, "invalid_key"),
    ):
        problem(call(world.client(world.admin), "GET", KEYS, headers=headers), 401, code)
    assert call(world.client(world.admin), "GET", KEYS, headers={"Authorization": "Basic eDp5"}).status_code == 200


def test_a_refused_key_does_not_shut_what_is_public(world: World) -> None:
    for path in ("/api/v1/permissions", "/api/v1/openapi.json", "/healthz", "/docs/"):
        assert ask(world, {"X-API-KEY": "nope"}, path).status_code == 200


def test_a_session_changes_nothing_without_its_csrf_token(world: World) -> None:
    person = world.client(world.manager, enforce_csrf_checks=True)
    assert call(person, "GET", KEYS).status_code == 200
    problem(call(person, "POST", KEYS, {"name": "x"}), 403, "csrf_failed")
    person.cookies["keyadmin-csrf"] = "a" * 32
    problem(call(person, "POST", KEYS, {"name": "x"}), 403, "csrf_failed")
    problem(call(person, "POST", KEYS, {"name": "x"}, headers={"X-CSRFToken": "b" * 32}), 403, "csrf_failed")
    token = {"X-CSRFToken": "a" * 32}
    problem(
        call(person, "POST", KEYS, {"name": "x"}, headers={**token, "Origin": "https://evil.example"}),
        403,
        "csrf_failed",
    )
    made = json_of(call(person, "POST", KEYS, {"name": "x"}, headers=token))
    one = f"{KEYS}/{made['api_key_id']}"
    for method, path in (("PATCH", one), ("POST", f"{one}/pause"), ("DELETE", one)):
        problem(call(person, method, path, {}), 403, "csrf_failed")
        assert call(person, method, path, {}, headers=token).status_code in (200, 204)


def test_a_key_needs_no_csrf_token_even_beside_a_session(world: World) -> None:
    both = world.client(world.manager, key=world.key("apikey.ctrl").secret, enforce_csrf_checks=True)
    created(both)


def test_a_disabled_person_has_no_session(world: World) -> None:
    person = world.client(world.manager)
    User.objects.filter(pk=world.manager.pk).update(is_active=False)
    problem(call(person, "GET", KEYS), 401, "missing_key")


def test_a_person_who_has_left_reaches_nothing(world: World) -> None:
    person = world.client(world.manager)
    issued = world.key()
    Membership.objects.filter(user=world.manager).delete()
    assert json_of(call(person, "GET", "/api/v1/whoami"))["organizations"] == []
    gone = call(person, "GET", f"{KEYS}/{issued.key.pk}")
    problem(gone, 403, "insufficient_scope")
    assert comparable(gone) == comparable(call(person, "GET", f"{KEYS}/999999"))

"""Blocking a person's key over REST, in the organisation that the request means, and what the key then gets."""

import pytest
from django.test import Client

from accounts.models import User
from accounts.queries import group_named
from accounts.services.groups import add_member
from accounts.services.organizations import add_membership
from keyadmin.keys.services import Issued
from tests.api.calls import KEYS, call, event_names, json_of, problem
from tests.world import OPERATOR, World, person

ACME, GLOBEX = {"X-Organization": "acme"}, {"X-Organization": "globex"}


@pytest.fixture
def bo(world: World) -> User:
    """Somebody who manages keys in acme and in globex."""
    user = person("Bo", world.acme, "Key managers")
    add_membership(actor=OPERATOR, organization=world.globex, user=user)
    add_member(actor=OPERATOR, group=group_named(world.globex, "Key managers"), user=user)
    return user


@pytest.fixture
def issued(world: World, bo: User) -> Issued:
    return world.user_key(bo)


def names(client: Client) -> set[str]:
    return {item["name"] for item in json_of(call(client, "GET", KEYS))["items"]}


def test_a_blocked_key_gets_403_there_and_lists_leave_that_organisation_out(world: World, issued: Issued) -> None:
    world.key(name="of acme")
    world.key(name="of globex", organization=world.globex)
    key, kim = world.client(key=issued.secret), world.client(world.manager)
    assert names(key) >= {"of acme", "of globex"}
    for _ in range(2):
        done = call(kim, "POST", f"{KEYS}/{issued.key.pk}/block")
        assert (done.status_code, json_of(done)["api_key_id"]) == (200, issued.key.pk)
    for method, path in (("GET", KEYS), ("POST", KEYS), ("GET", "/api/v1/whoami"), ("GET", "/api/v1/members")):
        refused = problem(call(key, method, path, headers=ACME), 403, "key_blocked")
        assert "acme" not in refused["detail"].lower()
    assert "of acme" not in names(key)
    assert "of globex" in names(key)
    reached = json_of(call(key, "GET", "/api/v1/whoami"))["organizations"]
    assert [one["slug"] for one in reached] == ["globex"]
    assert call(kim, "POST", f"{KEYS}/{issued.key.pk}/unblock").status_code == 200
    assert call(key, "GET", KEYS, headers=ACME).status_code == 200
    assert event_names(world, api_key=issued.key.pk)[-2:] == ["api_key.blocked", "api_key.unblocked"]


def test_who_reaches_several_organisations_says_which(world: World, bo: User, issued: Issued) -> None:
    client, path = world.client(bo), f"{KEYS}/{issued.key.pk}/block"
    refused = problem(call(client, "POST", path), 422, "validation_error")
    assert list(refused["errors"]) == ["organization"]
    assert call(client, "POST", path, headers=GLOBEX).status_code == 200
    key = world.client(key=issued.secret)
    problem(call(key, "GET", KEYS, headers=GLOBEX), 403, "key_blocked")
    assert call(key, "GET", KEYS, headers=ACME).status_code == 200


def test_another_organisation_neither_blocks_nor_sees_it(world: World) -> None:
    key = world.user_key(world.manager)
    sam = world.client(world.stranger)
    problem(call(sam, "POST", f"{KEYS}/{key.key.pk}/block"), 404, "not_found")
    missing = call(sam, "POST", f"{KEYS}/999999/block")
    problem(missing, 404, "not_found")
    assert call(world.client(key=key.secret), "GET", KEYS).status_code == 200

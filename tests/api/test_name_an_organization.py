"""A credential that reaches several organisations, and one that names what it does not reach."""

import pytest
from django.test import Client

from accounts.services.organizations import add_membership
from tests.api.calls import KEYS, call, comparable, created, json_of, problem
from tests.world import OPERATOR, World, person


@pytest.fixture
def both(world: World) -> Client:
    """A person who manages keys in acme and globex."""
    user = person("Bo", world.acme, "Key managers")
    add_membership(actor=OPERATOR, organization=world.globex, user=user)
    return world.client(user)


def names(client: Client, query: str = "", **headers: str) -> set[str]:
    body = json_of(call(client, "GET", KEYS + query, headers=headers))
    return {item["name"] for item in body["items"]}


def test_without_a_name_lists_cover_all_and_writes_are_422(world: World) -> None:
    admin = world.client(world.admin)
    one = world.key(name="of acme").key
    world.key(name="of globex", organization=world.globex)
    assert names(admin) == {"of acme", "of globex"}
    for method, path, body in (
        ("POST", KEYS, {"name": "x"}),
        ("PATCH", f"{KEYS}/{one.pk}", {"name": "x"}),
        ("DELETE", f"{KEYS}/{one.pk}", None),
        ("POST", f"{KEYS}/{one.pk}/revoke", None),
        ("POST", f"{KEYS}/{one.pk}/regenerate", None),
    ):
        refused = problem(call(admin, method, path, body), 422, "validation_error")
        assert list(refused["errors"]) == ["organization"]
    assert call(admin, "GET", f"{KEYS}/{one.pk}").status_code == 200


@pytest.mark.parametrize("how", ["oid", "slug", "upper case", "hex"])
@pytest.mark.parametrize("place", ["header", "query", "both"])
def test_an_organization_is_named_by_oid_or_slug_in_header_or_query(world: World, how: str, place: str) -> None:
    admin = world.client(world.admin)
    world.key(name="of acme")
    world.key(name="of globex", organization=world.globex)
    oid = str(world.globex.oid)
    name = {"oid": oid, "slug": "globex", "upper case": "GLOBEX", "hex": oid.replace("-", "")}[how]
    query = f"?organization={name}" if place != "header" else ""
    headers = {"X-Organization": name} if place != "query" else {}
    assert names(admin, query, **headers) == {"of globex"}
    made = json_of(call(admin, "POST", KEYS + query, {"name": "x"}, headers=headers))
    assert made["organization"]["slug"] == "globex"
    whoami = json_of(call(admin, "GET", f"/api/v1/whoami{query}", headers=headers))
    assert [reached["slug"] for reached in whoami["organizations"]] == ["globex"]


def test_a_body_may_name_the_organization_of_a_new_key(world: World) -> None:
    admin = world.client(world.admin)
    assert created(admin, organization="globex")["organization"]["slug"] == "globex"
    assert created(admin, organization=str(world.acme.oid))["organization"]["slug"] == "acme"
    meant = {"X-Organization": "acme"}
    problem(call(admin, "POST", KEYS, {"name": "x", "organization": "globex"}, headers=meant), 422, "validation_error")


def test_what_lies_outside_the_organization_meant_does_not_exist(world: World) -> None:
    admin = world.client(world.admin, headers={"X-Organization": "globex"})
    one = world.key().key
    missing = call(admin, "GET", f"{KEYS}/999999")
    for method, act in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/revoke"), ("POST", "/regenerate")):
        body: object = {} if method == "PATCH" else None
        assert comparable(call(admin, method, f"{KEYS}/{one.pk}{act}", body)) == comparable(missing)


def test_two_different_names_are_400(world: World) -> None:
    refused = call(world.client(world.admin), "GET", f"{KEYS}?organization=acme", headers={"X-Organization": "globex"})
    problem(refused, 400, "bad_request")


def test_for_people_an_organization_out_of_reach_is_404_like_one_that_is_not(world: World) -> None:
    manager = world.client(world.manager)
    answers = [
        call(manager, "GET", f"{KEYS}?organization={name}") for name in ("globex", world.globex.oid, "none", "%00")
    ]
    problem(answers[0], 404, "not_found")
    assert len({comparable(answer) for answer in answers}) == 1
    problem(call(manager, "POST", KEYS, {"name": "x"}, headers={"X-Organization": "globex"}), 404, "not_found")


def test_a_persons_key_works_in_each_organization_of_the_person(world: World, both: Client) -> None:
    made = json_of(call(both, "POST", f"{KEYS}?organization=acme", {"name": "mine", "kind": "user"}))
    key = world.client(key=made["api_key"])
    world.key(name="of acme")
    world.key(name="of globex", organization=world.globex)
    # Bo is in a group of acme only.
    assert names(key) == {"mine", "of acme"}
    problem(call(key, "GET", f"{KEYS}?organization=globex"), 403, "insufficient_scope")
    problem(call(key, "POST", KEYS, {"name": "x"}), 422, "validation_error")
    assert call(key, "POST", f"{KEYS}?organization=acme", {"name": "x"}).status_code == 201
    problem(call(key, "POST", f"{KEYS}?organization=globex", {"name": "x"}), 403, "insufficient_scope")

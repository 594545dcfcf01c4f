"""R22: members, groups, policies, invitations of another organisation answer like ones that do not exist."""

import re
from urllib.parse import quote

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Organization
from accounts.services.invitations import accept_as
from tests.api.calls import call, comparable, events, json_of, problem
from tests.api.objects import api_user, group, ids, invitation, policy
from tests.api.test_guard_routes import BODIES, ROUTES
from tests.world import World, person

MANAGED = ("/organizations/<", "/members", "/invitations", "/api-users", "/groups", "/policies")
ADDRESSED = [route for route in ROUTES if "/api/v1/" in route and "<" in route and any(m in route for m in MANAGED)]
UNKNOWN = {"organization": "nowhere", **dict.fromkeys(("user_id", "group_id", "policy_id", "invitation_id"), "999999")}


@pytest.fixture(params=["stranger", "foreign key", "user key", "admin who means globex", "nobody"])
def outsider(request: pytest.FixtureRequest, world: World) -> Client:
    """Somebody with all rights in globex, or with none in acme; an instance administrator who names globex."""
    clients = {
        "stranger": lambda: world.client(world.stranger),
        "foreign key": lambda: world.client(key=world.key("*", organization=world.globex).secret),
        "user key": lambda: world.client(key=world.user_key(world.stranger).secret),
        "admin who means globex": lambda: world.client(world.admin, headers={"X-Organization": "globex"}),
        "nobody": lambda: world.client(person("Nob", world.globex)),
    }
    return clients[request.param]()


def send(client: Client, operation: str, values: dict[str, str], **headers: str) -> HttpResponse:
    method, route = operation.split(" ", 1)
    path = re.sub(r"<(\w+)>", lambda part: values[part.group(1)], route)
    body = BODIES.get(operation, {"name": "Mine now"} if method == "PATCH" else None)
    return call(client, method, path, body, headers=headers)


def log(world: World) -> list[str]:
    return [event["name"] for event in events(world)]


def test_the_routes_are_found() -> None:
    assert len(ADDRESSED) >= 25


@pytest.mark.parametrize("operation", ADDRESSED)
def test_a_hidden_object_answers_like_none(world: World, outsider: Client, operation: str) -> None:
    hidden = ids(world.acme, world, operation)
    before = log(world)
    for headers in ({}, {"If-Match": '"1"'}, {"If-Match": '"9"'}, {"Idempotency-Key": "x"}):
        none = send(outsider, operation, UNKNOWN, **headers)
        assert none.status_code in (403, 404), none.content
        assert comparable(send(outsider, operation, hidden, **headers)) == comparable(none), headers
    assert log(world) == before


def test_an_organisation_is_hidden_by_oid_too(world: World, outsider: Client) -> None:
    path = "/api/v1/organizations"
    none = comparable(call(outsider, "GET", f"{path}/{'0' * 32}"))
    assert comparable(call(outsider, "GET", f"{path}/{world.acme.oid}")) == none
    assert b"acme" not in call(outsider, "GET", path).content.lower()


def test_ones_own_group_takes_no_hidden_user(world: World) -> None:
    own = group(world.globex)
    client = world.client(world.stranger)
    for method in ("PUT", "DELETE"):
        none = call(client, method, f"/api/v1/groups/{own.pk}/members/999999")
        problem(none, 404, "not_found")
        for user in (world.robot, world.manager, world.admin):
            seen = call(client, method, f"/api/v1/groups/{own.pk}/members/{user.pk}")
            assert comparable(seen) == comparable(none)


def test_hidden_objects_named_in_a_body_are_refused_like_none(world: World) -> None:
    own = group(world.globex)
    hidden_group, hidden_policy = group(world.acme, "view_customer"), policy(world.acme)
    for client in (world.client(world.stranger), world.client(key=world.key("*", organization=world.globex).secret)):
        for method, path, fields, name, hidden in (
            ("POST", "/api/v1/groups", {"name": "x"}, "policies", hidden_policy.pk),
            ("PATCH", f"/api/v1/groups/{own.pk}", {}, "policies", hidden_policy.pk),
            ("POST", "/api/v1/api-users", {"name": "x"}, "groups", hidden_group.pk),
            ("POST", "/api/v1/invitations", {"email": "x@example.org"}, "groups", hidden_group.pk),
        ):
            seen = call(client, method, path, {**fields, name: [hidden]})
            none = call(client, method, path, {**fields, name: [999_999]})
            problem(seen, 422, "validation_error")
            status, content, _ = comparable(seen)
            assert (status, content.replace(str(hidden).encode(), b"999999")) == comparable(none)[:2]


def test_hidden_objects_are_in_no_list_count_or_search(world: World, outsider: Client) -> None:
    paths = ["members", "api-users", "groups", "policies", "invitations", "organizations"]

    def seen() -> list[object]:
        return [
            (answer.status_code, {**json_of(answer), "request_id": ""})
            for path in paths
            for answer in [call(outsider, "GET", f"/api/v1/{path}")]
        ]

    before = seen()
    secret = group(world.acme, "view_customer"), policy(world.acme), api_user(world.acme)
    invitation(world.acme)
    person("Nightfall", world.acme)
    assert seen() == before
    for term in ("Nightfall", "nightfall@example.org", *(row.name for row in secret), "acme"):
        for path in paths:
            if path != "invitations":
                answer = call(outsider, "GET", f"/api/v1/{path}?search={quote(term)}")
                assert answer.status_code == 403 or json_of(answer)["items"] == []
    answer = call(outsider, "GET", f"/api/v1/members?group={secret[0].pk}")
    assert comparable(answer) == comparable(call(outsider, "GET", "/api/v1/members?group=999999"))


def test_who_may_look_in_one_organisation_sees_nothing_of_another_they_are_in(world: World) -> None:
    """Kim manages keys in acme and is in globex without a group."""
    join(world, world.globex)
    client = world.client(world.manager)
    for operation in ADDRESSED:
        if operation.startswith("GET") and "organization" not in operation:
            headers = {"X-Organization": "acme"} if "members" in operation else {}
            hidden, none = ids(world.globex, world, operation), send(client, operation, UNKNOWN, **headers)
            problem(none, 404, "not_found")
            assert comparable(send(client, operation, hidden, **headers)) == comparable(none), operation
    problem(call(client, "GET", "/api/v1/organizations/globex"), 403, "insufficient_scope")
    for path in ("members", "api-users", "groups", "policies"):
        items = json_of(call(client, "GET", f"/api/v1/{path}"))["items"]
        assert {item["organization"]["slug"] for item in items} == {"acme"}


def join(world: World, organization: Organization) -> None:
    admin = world.client(world.admin, headers={"X-Organization": organization.slug})
    link = json_of(call(admin, "POST", "/api/v1/invitations", {"email": world.manager.email}))["link"]
    accept_as(user=world.manager, token=link.rstrip("/").rsplit("/", 1)[1])

"""Members, invitations and API users, over REST."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import queries
from accounts.models import Membership, User
from accounts.services.groups import add_member
from accounts.services.invitations import accept_as, opened
from accounts.services.organizations import add_membership
from keyadmin.kernel.errors import NotFoundError
from tests.api.calls import call, events, json_of, problem
from tests.api.objects import api_user, group
from tests.world import OPERATOR, World, person

MEMBERS, INVITATIONS, API_USERS = "/api/v1/members", "/api/v1/invitations", "/api/v1/api-users"
ONCE = {"Idempotency-Key": "once"}


def names(client: Client, path: str) -> list[str]:
    return [item["name"] for item in json_of(call(client, "GET", path))["items"]]


def made(client: Client, path: str, **fields: object) -> dict[str, Any]:
    answer = call(client, "POST", path, fields)
    assert answer.status_code == 201, answer.content
    body: dict[str, Any] = json_of(answer)
    return body


def test_members_are_listed_with_their_groups(world: World, client: Client) -> None:
    body = json_of(call(client, "GET", MEMBERS))
    assert [item["name"] for item in body["items"]] == ["Ari", "Dana", "Dev", "Kim", "Robot"]
    kim, robot = body["items"][3], body["items"][4]
    assert (kim["id"], kim["uid"], kim["kind"], kim["email"]) == (
        world.manager.pk, str(world.manager.uid), "person", "kim@example.org",
    )  # fmt: skip
    assert (kim["active"], [g["name"] for g in kim["groups"]], kim["organization"]["slug"]) == (
        True, ["Key managers"], "acme",
    )  # fmt: skip
    assert (robot["kind"], robot["email"]) == ("api", None)
    readers = queries.group_named(world.acme, "Readers")
    for query, expected in (
        ("search=KI", ["Kim"]),
        ("search=dana%40example", ["Dana"]),
        (f"group={readers.pk}", ["Robot"]),
        (f"group={readers.pk}&search=kim", []),
        ("page_size=2&page=2", ["Dev", "Kim"]),
    ):
        assert names(client, f"{MEMBERS}?{query}") == expected
    for query in ("search=%00", "search=a%0Ab", f"search={'x' * 201}", "group=0", "page_size=201", "page=0"):
        problem(call(client, "GET", f"{MEMBERS}?{query}"), 422, "validation_error")


def test_a_whole_key_in_a_search_is_refused_without_echo(world: World, client: Client) -> None:
    secret = world.key().secret
    for path in (MEMBERS, API_USERS, "/api/v1/groups", "/api/v1/policies", "/api/v1/organizations"):
        refused = call(client, "GET", f"{path}?search={secret}")
        problem(refused, 422, "validation_error")
        assert secret.encode() not in refused.content


def test_a_member_is_shown_with_what_they_may_do(world: World, client: Client) -> None:
    assert json_of(call(client, "GET", f"{MEMBERS}/{world.developer.pk}"))["permissions"] == ["apikey.own"]
    assert json_of(call(client, "GET", f"{MEMBERS}/{world.admin.pk}"))["permissions"] == ["*"]
    problem(call(client, "GET", f"{MEMBERS}/{world.stranger.pk}"), 404, "not_found")


def test_who_is_in_two_organisations_is_one_member_in_each(world: World) -> None:
    admin = world.client(world.admin)
    add_membership(actor=OPERATOR, organization=world.globex, user=world.developer)
    add_member(actor=OPERATOR, group=queries.group_named(world.globex, "Readers"), user=world.developer)
    one = f"{MEMBERS}/{world.developer.pk}"
    assert [item["organization"]["slug"] for item in json_of(call(admin, "GET", f"{MEMBERS}?search=dev"))["items"]] == [
        "acme",
        "globex",
    ]
    problem(call(admin, "GET", one), 422, "validation_error")
    assert json_of(call(admin, "GET", f"{one}?organization=acme"))["permissions"] == ["apikey.own"]
    problem(call(admin, "DELETE", one), 422, "validation_error")
    assert call(admin, "DELETE", f"{one}?organization=globex").status_code == 204
    assert [row.organization for row in Membership.objects.filter(user=world.developer)] == [world.acme]


def test_a_person_is_removed_and_an_api_user_is_not(world: World, client: Client) -> None:
    key = world.client(key=world.user_key(world.manager).secret)
    assert call(key, "GET", MEMBERS).status_code == 200
    assert call(client, "DELETE", f"{MEMBERS}/{world.manager.pk}").status_code == 204
    assert call(key, "GET", MEMBERS).status_code in (401, 403)
    problem(call(client, "DELETE", f"{MEMBERS}/{world.manager.pk}"), 404, "not_found")
    problem(call(client, "DELETE", f"{MEMBERS}/{world.robot.pk}"), 409, "in_use")


def test_an_invitation_shows_its_link_once(world: World, client: Client) -> None:
    readers = queries.group_named(world.acme, "Readers")
    body = {"email": "New@example.org", "groups": [readers.pk]}
    first = json_of(call(client, "POST", INVITATIONS, body, headers=ONCE))
    again = call(client, "POST", INVITATIONS, body, headers=ONCE)
    link = first.pop("link")
    assert link.startswith("http://testserver/invitation/")
    token = link.removeprefix("http://testserver/invitation/").rstrip("/")
    assert (again.status_code, json_of(again)) == (201, first)
    assert (first["email"], first["groups"]) == ("new@example.org", [{"id": readers.pk, "name": "Readers"}])
    listed = call(client, "GET", INVITATIONS)
    assert json_of(listed)["items"] == [first]
    assert token.encode() not in listed.content
    assert token not in json.dumps(events(world))
    new = person("New", world.globex)
    accept_as(user=new, token=token)
    assert json_of(call(client, "GET", INVITATIONS))["items"] == []
    assert names(client, f"{MEMBERS}?group={readers.pk}") == ["New", "Robot"]
    problem(call(client, "POST", INVITATIONS, {"email": "new@example.org"}), 409, "already_exists")


def test_an_invitation_is_withdrawn(world: World, client: Client) -> None:
    invitation = made(client, INVITATIONS, email="new@example.org")
    token = invitation["link"].rstrip("/").rsplit("/", 1)[1]
    assert opened(token).pk == invitation["id"]
    assert call(client, "DELETE", f"{INVITATIONS}/{invitation['id']}").status_code == 204
    with pytest.raises(NotFoundError):
        opened(token)
    problem(call(client, "DELETE", f"{INVITATIONS}/{invitation['id']}"), 404, "not_found")


def test_what_can_not_be_sent_is_named(world: World, client: Client) -> None:
    foreign = group(world.globex)
    for path, body, field in (
        (INVITATIONS, {"email": "nonsense"}, "email"),
        (INVITATIONS, {}, "email"),
        (INVITATIONS, {"email": "a@example.org", "groups": [999_999]}, "groups"),
        (INVITATIONS, {"email": "a@example.org", "groups": [foreign.pk]}, "groups"),
        (API_USERS, {"name": "x", "groups": [foreign.pk]}, "groups"),
        (API_USERS, {"name": "x", "groups": ["1"]}, "groups.0"),
        (API_USERS, {"name": " "}, "name"),
        (API_USERS, {"name": "x", "contact_email": "nonsense"}, "contact_email"),
    ):
        assert list(problem(call(client, "POST", path, body), 422, "validation_error")["errors"]) == [field]
    assert names(client, API_USERS) == ["Robot"]


def test_an_api_user_lives_from_201_to_204(world: World, client: Client) -> None:
    readers = queries.group_named(world.acme, "Readers")
    body = {"name": "Sync", "description": "Every night", "contact_email": "it@example.org", "groups": [readers.pk]}
    answer = call(client, "POST", API_USERS, body)
    user = json_of(answer)
    one = f"{API_USERS}/{user['id']}"
    assert (answer.status_code, answer["ETag"], user["kind"], user["status"]) == (201, '"1"', "api", "active")
    assert {name: user[name] for name in ("name", "description", "contact_email")} == {
        name: body[name] for name in ("name", "description", "contact_email")
    }
    assert user["groups"] == [{"id": readers.pk, "name": "Readers"}]
    assert "apikey.view" in user["permissions"]
    assert json_of(call(client, "GET", one)) == user
    edited = call(client, "PATCH", one, {"description": ""}, headers={"If-Match": '"1"'})
    assert json_of(edited) == {**user, "description": "", "version": 2}
    problem(call(client, "PATCH", one, {"name": "x"}, headers={"If-Match": '"1"'}), 412, "stale")
    problem(call(client, "PATCH", one, {"name": "robot"}), 409, "already_exists")
    key = world.client(key=world.user_key(User.objects.get(pk=user["id"])).secret)
    for _ in range(2):
        disabled = json_of(call(client, "POST", f"{one}/disable"))
        assert (disabled["status"], disabled["version"]) == ("disabled", 3)
    problem(call(key, "GET", MEMBERS), 401, "owner_disabled")
    assert names(client, f"{API_USERS}?status=disabled") == ["Sync"]
    assert names(client, f"{API_USERS}?status=active") == ["Robot"]
    assert names(client, f"{API_USERS}?search=SYNC&status=all") == ["Sync"]
    assert json_of(call(client, "POST", f"{one}/enable"))["status"] == "active"
    assert call(key, "GET", MEMBERS).status_code == 200
    assert "API keys (1)" in problem(call(client, "DELETE", one), 409, "in_use")["detail"]
    other = api_user(world.acme)
    assert call(client, "DELETE", f"{API_USERS}/{other.pk}").status_code == 204
    problem(call(client, "GET", f"{API_USERS}/{other.pk}"), 404, "not_found")


def test_a_person_is_no_api_user(world: World, client: Client) -> None:
    one = f"{API_USERS}/{world.manager.pk}"
    for method, path, body in (
        ("GET", one, None),
        ("PATCH", one, {"name": "x"}),
        ("DELETE", one, None),
        ("POST", f"{one}/disable", None),
        ("POST", f"{one}/enable", None),
        ("POST", f"{one}/read-only-access", {"resources": ["Customers"]}),
    ):
        problem(call(client, method, path, body), 404, "not_found")


def test_read_only_access_is_made_in_one_step(world: World, client: Client) -> None:
    user = api_user(world.acme)
    answer = call(client, "POST", f"{API_USERS}/{user.pk}/read-only-access", {"resources": ["Customers"]}, headers=ONCE)
    body = json_of(answer)
    assert (answer.status_code, [member["id"] for member in body["members"]]) == (201, [user.pk])
    assert "view_customer" in body["permissions"]
    assert not any(name.startswith(("create", "update")) for name in body["permissions"])
    again = call(client, "POST", f"{API_USERS}/{user.pk}/read-only-access", {"resources": ["Customers"]}, headers=ONCE)
    assert json_of(again) == body
    for resources in ([], ["Nothing"], [1], "Customers"):
        refused = call(client, "POST", f"{API_USERS}/{user.pk}/read-only-access", {"resources": resources})
        problem(refused, 422, "validation_error")


def test_a_repeated_post_makes_one_api_user(world: World, client: Client) -> None:
    answers = [call(client, "POST", API_USERS, {"name": "Once"}, headers=ONCE) for _ in range(2)]
    assert [(answer.status_code, json_of(answer)) for answer in answers] == [(201, json_of(answers[0]))] * 2
    assert answers[1]["ETag"] == '"1"'
    problem(call(client, "POST", API_USERS, {"name": "Twice"}, headers=ONCE), 422, "idempotency_key_reused")
    problem(call(client, "POST", API_USERS, {"name": "Once"}), 409, "already_exists")
    assert User.objects.filter(name="Once").count() == 1


@pytest.mark.parametrize("path", [MEMBERS, API_USERS, INVITATIONS, "/api/v1/groups", "/api/v1/policies"])
def test_queries_do_not_grow_with_the_rows(world: World, client: Client, path: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert call(client, "GET", path).status_code == 200
        return len(captured)

    def grow(number: int) -> None:
        for name in range(number):
            readers = group(world.acme, "view_customer")
            add_member(actor=OPERATOR, group=readers, user=api_user(world.acme))
            made(client, INVITATIONS, email=f"n{number}.{name}@example.org", groups=[readers.pk])

    grow(1)
    before = cost()
    grow(4)
    assert cost() == before

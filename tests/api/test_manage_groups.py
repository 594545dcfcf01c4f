"""Groups and policies, over REST."""

from typing import Any

from django.test import Client

from accounts import queries
from accounts.access import held_by
from accounts.models import Group, Policy
from tests.api.calls import call, events, json_of, problem
from tests.api.objects import api_user, group, policy
from tests.world import World

GROUPS, POLICIES = "/api/v1/groups", "/api/v1/policies"
ONCE = {"Idempotency-Key": "once"}


def made(client: Client, path: str, **fields: object) -> dict[str, Any]:
    answer = call(client, "POST", path, fields)
    assert (answer.status_code, answer["ETag"]) == (201, '"1"'), answer.content
    body: dict[str, Any] = json_of(answer)
    return body


def test_a_group_lives_from_201_to_204(world: World, client: Client) -> None:
    one_policy, other = policy(world.acme, "view_customer"), policy(world.acme, "apikey.*", "apikey.view")
    body = made(client, GROUPS, name="Night", description="From ten to six", policies=[other.pk, one_policy.pk])
    one = f"{GROUPS}/{body['id']}"
    assert {item["id"] for item in body["policies"]} == {one_policy.pk, other.pk}
    assert (body["permissions"], body["member_count"], body["members"]) == (["apikey.*", "view_customer"], 0, [])
    assert json_of(call(client, "GET", one)) == body
    listed = json_of(call(client, "GET", f"{GROUPS}?search=night"))["items"]
    assert listed == [{name: body[name] for name in body if name not in ("permissions", "member_count", "members")}]
    edited = json_of(call(client, "PATCH", one, {"policies": []}, headers={"If-Match": '"1"'}))
    assert edited == {**body, "policies": [], "permissions": [], "version": 2}
    problem(call(client, "PATCH", one, {"name": "x"}, headers={"If-Match": '"1"'}), 412, "stale")
    problem(call(client, "PATCH", one, {"name": "READERS"}), 409, "already_exists")
    assert call(client, "DELETE", one, headers={"X-Reason": "no nights"}).status_code == 204
    problem(call(client, "GET", one), 404, "not_found")
    event = events(world)[-1]
    assert (event["name"], event["reason"]) == ("group.deleted", "no nights")


def test_members_come_and_go_as_often_as_one_says_it(world: World, client: Client) -> None:
    night = group(world.acme, "view_customer")
    path = f"{GROUPS}/{night.pk}/members/{world.developer.pk}"
    before = len(events(world))
    for _ in range(2):
        answer = call(client, "PUT", path)
        assert (answer.status_code, answer.content) == (204, b"")
    assert [member["name"] for member in json_of(call(client, "GET", f"{GROUPS}/{night.pk}"))["members"]] == ["Dev"]
    assert held_by(world.developer).rights_in(world.acme.pk).allows("view_customer")
    for _ in range(2):
        assert call(client, "DELETE", path).status_code == 204
    assert len(events(world)) == before + 2
    for user_id in (world.stranger.pk, 999_999):
        for method in ("PUT", "DELETE"):
            problem(call(client, method, f"{GROUPS}/{night.pk}/members/{user_id}"), 404, "not_found")


def test_a_large_group_shows_its_first_members_and_counts_all(world: World, client: Client) -> None:
    night = group(world.acme)
    for _ in range(3):
        call(client, "PUT", f"{GROUPS}/{night.pk}/members/{api_user(world.acme).pk}")
    body = json_of(call(client, "GET", f"{GROUPS}/{night.pk}"))
    assert (body["member_count"], len(body["members"])) == (3, 3)
    assert json_of(call(client, "GET", f"/api/v1/members?group={night.pk}&page_size=2"))["total"] == 3


def test_a_policy_lives_from_201_to_204(world: World, client: Client) -> None:
    body = made(client, POLICIES, name="Billing", patterns=["view_invoice", "apikey.*", "view_invoice"])
    one = f"{POLICIES}/{body['id']}"
    assert (body["patterns"], body["groups"], body["description"]) == (["apikey.*", "view_invoice"], [], "")
    assert json_of(call(client, "GET", one)) == body
    assert json_of(call(client, "GET", f"{POLICIES}?search=bill"))["items"] == [
        {name: body[name] for name in body if name != "groups"}
    ]
    edited = call(client, "PATCH", one, {"patterns": ["view_invoice"]}, headers={"If-Match": '"1"', "X-Reason": "less"})
    assert json_of(edited) == {**body, "patterns": ["view_invoice"], "version": 2}
    problem(call(client, "PATCH", one, {"name": "x"}, headers={"If-Match": '"1"'}), 412, "stale")
    has_it = made(client, GROUPS, name="Billers", policies=[body["id"]])
    assert json_of(call(client, "GET", one))["groups"] == [{"id": has_it["id"], "name": "Billers"}]
    assert "Billers" in problem(call(client, "DELETE", one), 409, "in_use")["detail"]
    call(client, "DELETE", f"{GROUPS}/{has_it['id']}")
    assert call(client, "DELETE", one).status_code == 204
    problem(call(client, "GET", one), 404, "not_found")


def test_former_versions_are_kept_and_restored(world: World, client: Client) -> None:
    body = made(client, POLICIES, name="Billing", patterns=["view_invoice"])
    one = f"{POLICIES}/{body['id']}"
    call(client, "PATCH", one, {"patterns": ["*"], "name": "All"}, headers={"X-Reason": "by mistake"})
    items = json_of(call(client, "GET", f"{one}/versions"))["items"]
    assert [(v["version"], v["name"], v["patterns"], v["reason"]) for v in items] == [
        (2, "All", ["*"], "by mistake"),
        (1, "Billing", ["view_invoice"], ""),
    ]
    assert items[0]["saved_by"] == "All rights"
    answer = call(client, "POST", f"{one}/restore", {"version": 1}, headers=ONCE)
    restored = json_of(answer)
    assert (restored["name"], restored["patterns"], restored["version"]) == ("All", ["view_invoice"], 3)
    assert (answer["ETag"], json_of(call(client, "POST", f"{one}/restore", {"version": 1}, headers=ONCE))) == (
        '"3"',
        restored,
    )
    assert json_of(call(client, "GET", f"{one}/versions?page_size=1"))["total"] == 3
    for version in (9, 2**31 - 1):
        refused = problem(call(client, "POST", f"{one}/restore", {"version": version}), 422, "validation_error")
        assert refused["errors"] == {"version": [f"There is no version {version}."]}


def test_what_can_not_be_sent_is_named(world: World, client: Client) -> None:
    foreign = policy(world.globex)
    for path, body, field in (
        (GROUPS, {"name": "x", "policies": [foreign.pk]}, "policies"),
        (GROUPS, {"name": "x", "policies": [999_999]}, "policies"),
        (GROUPS, {"name": "x" * 81}, "name"),
        (GROUPS, {"name": "a\nb"}, "name"),
        (GROUPS, {}, "name"),
        (POLICIES, {"name": "x"}, "patterns"),
        (POLICIES, {"name": "x", "patterns": ["view_custmer"]}, "patterns"),
        (POLICIES, {"name": "x", "patterns": ["org.create"]}, "patterns"),
        (POLICIES, {"name": "x", "patterns": "*"}, "patterns"),
        (POLICIES, {"name": "x", "patterns": ["*"] * 201}, "patterns"),
    ):
        assert list(problem(call(client, "POST", path, body), 422, "validation_error")["errors"]) == [field]
    readers = queries.group_named(world.acme, "Readers")
    refused = call(client, "PATCH", f"{GROUPS}/{readers.pk}", {"policies": [foreign.pk], "name": "Changed"})
    assert problem(refused, 422, "validation_error")["errors"] == {"policies": [f"There is no policy {foreign.pk}."]}
    assert (Group.objects.filter(name__in=["x", "Changed"]).count(), Policy.objects.filter(name="x").count()) == (0, 0)


def test_changes_without_an_organisation_are_422_where_there_are_several(world: World) -> None:
    admin = world.client(world.admin)
    assert json_of(call(admin, "GET", GROUPS))["total"] == 10
    one, user, rule = group(world.acme), api_user(world.acme), policy(world.acme)
    for method, path, body in (
        ("POST", GROUPS, {"name": "x"}),
        ("PATCH", f"{GROUPS}/{one.pk}", {"name": "x"}),
        ("DELETE", f"{GROUPS}/{one.pk}", None),
        ("PUT", f"{GROUPS}/{one.pk}/members/{user.pk}", None),
        ("DELETE", f"{GROUPS}/{one.pk}/members/{user.pk}", None),
        ("POST", POLICIES, {"name": "x", "patterns": []}),
        ("PATCH", f"{POLICIES}/{rule.pk}", {"name": "x"}),
        ("DELETE", f"{POLICIES}/{rule.pk}", None),
        ("POST", f"{POLICIES}/{rule.pk}/restore", {"version": 1}),
        ("POST", "/api/v1/api-users", {"name": "x"}),
        ("PATCH", f"/api/v1/api-users/{user.pk}", {"name": "x"}),
        ("POST", f"/api/v1/api-users/{user.pk}/disable", None),
        ("POST", "/api/v1/invitations", {"email": "x@example.org"}),
    ):
        refused = problem(call(admin, method, path, body), 422, "validation_error")
        assert list(refused["errors"]) == ["organization"], (method, path)
    for path in (f"{GROUPS}/{one.pk}", f"{POLICIES}/{rule.pk}", f"/api/v1/api-users/{user.pk}"):
        assert call(admin, "GET", path).status_code == 200

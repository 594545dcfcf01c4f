"""R21, escalation over REST: whoever manages groups, policies or users gives no more than they hold."""

from typing import Any

import pytest
from django.test import Client

from accounts import queries
from accounts.access import held_by
from accounts.models import Group, Membership, Policy, User
from accounts.services.api_users import disable_api_user
from accounts.services.groups import add_member
from tests.api.calls import call, events, json_of, problem
from tests.api.objects import api_user, group, policy
from tests.world import OPERATOR, World

CTRL = ("group.ctrl", "policy.ctrl", "user.ctrl", "policy.view", "group.view", "user.view")
GROUPS, POLICIES, API_USERS, INVITATIONS = (
    f"/api/v1/{name}" for name in ("groups", "policies", "api-users", "invitations")
)


@pytest.fixture(params=["organisation key", "user key", "session", "narrowed key of an administrator"])
def helper(request: pytest.FixtureRequest, world: World) -> Client:
    """Somebody who manages groups, policies and users, and holds nothing else."""
    add_member(actor=OPERATOR, group=group(world.acme, *CTRL), user=world.robot)
    queries.group_named(world.acme, "Readers").members.all().delete()
    add_member(actor=OPERATOR, group=group(world.acme, *CTRL), user=world.developer)
    clients = {
        "organisation key": lambda: world.client(key=world.key(*CTRL).secret),
        "user key": lambda: world.client(key=world.user_key(world.robot).secret),
        "session": lambda: world.client(world.developer),
        "narrowed key of an administrator": lambda: world.client(key=world.user_key(world.admin, CTRL).secret),
    }
    return clients[request.param]()


def refused(client: Client, method: str, path: str, body: object, missing: str) -> None:
    found = problem(call(client, method, path, body, headers={"X-Organization": "acme"}), 403, "insufficient_scope")
    assert found["missing_permission"] == missing


def state() -> list[Any]:
    return [
        list(Group.policies.through.objects.order_by("pk").values_list()),
        list(Policy.objects.order_by("pk").values_list("pk", "patterns", "version")),
        list(Membership.objects.order_by("pk").values_list("pk", "groups__group")),
        list(User.objects.order_by("pk").values_list("pk", "is_active")),
    ]


def test_every_road_to_more_is_closed(world: World, helper: Client) -> None:
    strong, rule, weak = group(world.acme, "view_invoice"), policy(world.acme, "view_invoice"), group(world.acme)
    everything = queries.group_named(world.acme, "Administrators")
    own, target = policy(world.acme, "group.view"), api_user(world.acme)
    sleeping = api_user(world.acme)
    add_member(actor=OPERATOR, group=strong, user=sleeping)
    disable_api_user(actor=OPERATOR, organization=world.acme, user=sleeping)
    widened = policy(world.acme, "view_invoice")
    client_of_all = world.client(key=world.key("*").secret)
    call(client_of_all, "PATCH", f"{POLICIES}/{widened.pk}", {"patterns": []})
    before, said = state(), len(events(world))
    for method, path, body, missing in (
        ("POST", POLICIES, {"name": "x", "patterns": ["view_invoice"]}, "view_invoice"),
        ("POST", POLICIES, {"name": "x", "patterns": ["*"]}, "*"),
        ("POST", POLICIES, {"name": "x", "patterns": ["group.*"]}, "group.*"),
        ("PATCH", f"{POLICIES}/{own.pk}", {"patterns": ["group.view", "view_invoice"]}, "view_invoice"),
        ("POST", f"{POLICIES}/{widened.pk}/restore", {"version": 1}, "view_invoice"),
        ("POST", GROUPS, {"name": "x", "policies": [rule.pk]}, "view_invoice"),
        ("PATCH", f"{GROUPS}/{weak.pk}", {"policies": [rule.pk]}, "view_invoice"),
        ("PUT", f"{GROUPS}/{strong.pk}/members/{target.pk}", None, "view_invoice"),
        ("PUT", f"{GROUPS}/{everything.pk}/members/{world.developer.pk}", None, "*"),
        ("POST", API_USERS, {"name": "x", "groups": [strong.pk]}, "view_invoice"),
        ("POST", INVITATIONS, {"email": "x@example.org", "groups": [everything.pk]}, "*"),
        ("POST", f"{API_USERS}/{sleeping.pk}/enable", None, "view_invoice"),
        ("POST", f"{API_USERS}/{target.pk}/read-only-access", {"resources": ["Invoices"]}, "view_invoice"),
    ):
        refused(helper, method, path, body, missing)
    assert state() == before
    assert len(events(world)) == said


def test_taking_away_and_giving_what_one_holds_are_free(world: World, helper: Client) -> None:
    strong, rule = group(world.acme, "view_invoice"), policy(world.acme, "view_invoice", "group.view")
    target = api_user(world.acme)
    add_member(actor=OPERATOR, group=strong, user=target)
    acme = {"X-Organization": "acme"}
    for method, path, body, status in (
        ("DELETE", f"{GROUPS}/{strong.pk}/members/{target.pk}", None, 204),
        ("PATCH", f"{POLICIES}/{rule.pk}", {"patterns": ["view_invoice"]}, 200),
        ("PATCH", f"{GROUPS}/{strong.pk}", {"policies": []}, 200),
        ("PUT", f"{GROUPS}/{strong.pk}/members/{target.pk}", None, 204),
        ("POST", POLICIES, {"name": "x", "patterns": ["group.view"]}, 201),
        ("POST", f"{API_USERS}/{target.pk}/disable", None, 200),
        ("POST", f"{API_USERS}/{target.pk}/enable", None, 200),
        ("DELETE", f"{GROUPS}/{strong.pk}", None, 204),
    ):
        answer = call(helper, method, path, body, headers=acme)
        assert answer.status_code == status, (method, path, answer.content)
    assert not held_by(target).rights_in(world.acme.pk).patterns


def test_one_right_to_manage_is_not_another(world: World) -> None:
    """Each of the rights alone; what it lacks is named."""
    readers = queries.group_named(world.acme, "Readers")
    rule = policy(world.acme, "group.ctrl")
    for held, method, path, body, missing in (
        ("user.ctrl", "POST", API_USERS, {"name": "x", "groups": [readers.pk]}, "group.ctrl"),
        ("user.ctrl", "POST", INVITATIONS, {"email": "x@example.org", "groups": [readers.pk]}, "group.ctrl"),
        ("user.ctrl", "POST", f"{API_USERS}/{world.robot.pk}/read-only-access", {"resources": ["x"]}, "group.ctrl"),
        ("user.ctrl", "GET", GROUPS, None, "group.view"),
        ("group.ctrl", "POST", GROUPS, {"name": "x", "policies": [rule.pk]}, "policy.view"),
        ("group.ctrl", "POST", POLICIES, {"name": "x", "patterns": []}, "policy.ctrl"),
        ("group.ctrl", "DELETE", f"/api/v1/members/{world.developer.pk}", None, "user.ctrl"),
        ("policy.ctrl", "POST", GROUPS, {"name": "x"}, "group.ctrl"),
        ("org.view", "PATCH", "/api/v1/organizations/acme", {"name": "x"}, "org.ctrl"),
        ("org.ctrl", "POST", "/api/v1/organizations/acme/suspend", None, "org.create"),
    ):
        refused(world.client(key=world.key(held).secret), method, path, body, missing)


def test_refusals_say_who_can_grant(world: World) -> None:
    body = json_of(call(world.client(world.auditor), "POST", GROUPS, {"name": "x"}))
    assert "Administrators can grant it" in body["detail"]
    body = json_of(call(world.client(world.auditor), "POST", "/api/v1/organizations", {"name": "x"}))
    assert "Only instance administrators" in body["detail"]

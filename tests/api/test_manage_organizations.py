"""Organisations and what they demand of keys, over REST."""

import pytest
from django.test import Client

from accounts.models import Organization
from tests.api.calls import call, events, json_of, problem
from tests.world import World

ORGANIZATIONS = "/api/v1/organizations"
ACME = f"{ORGANIZATIONS}/acme"


@pytest.fixture
def admin(world: World) -> Client:
    """The session of an instance administrator, who names no organisation."""
    return world.client(world.admin)


def test_any_credential_lists_what_it_reaches(world: World, admin: Client) -> None:
    body = json_of(call(admin, "GET", ORGANIZATIONS))
    assert [item["slug"] for item in body["items"]] == ["acme", "globex"]
    assert body["items"][0] == {"oid": str(world.acme.oid), "slug": "acme", "name": "Acme"}
    for client in (world.client(world.developer), world.client(key=world.key().secret)):
        assert [item["slug"] for item in json_of(call(client, "GET", ORGANIZATIONS))["items"]] == ["acme"]
        assert json_of(call(client, "GET", f"{ORGANIZATIONS}?search=glob"))["total"] == 0


def test_an_organisation_is_made_with_its_groups(world: World, admin: Client) -> None:
    answer = call(admin, "POST", ORGANIZATIONS, {"name": "Initech"})
    body = json_of(answer)
    assert (answer.status_code, body["slug"], body["version"], answer["ETag"]) == (201, "initech", 1, '"1"')
    groups = json_of(call(admin, "GET", "/api/v1/groups?organization=initech"))
    assert groups["total"] == 5
    # Whatever other organisation the request means.
    meaning = call(admin, "POST", f"{ORGANIZATIONS}?organization=acme", {"name": "Initrode", "slug": "rode"})
    assert json_of(meaning)["slug"] == "rode"
    problem(call(admin, "POST", ORGANIZATIONS, {"name": "x", "slug": "acme"}), 409, "already_exists")
    for slug in ("Not A Slug", "ACME", "", "é", "-a"):
        problem(call(admin, "POST", ORGANIZATIONS, {"name": "x", "slug": slug}), 422, "validation_error")


def test_settings_are_read_and_changed_by_oid_and_slug(world: World, client: Client) -> None:
    by_slug, by_oid = call(client, "GET", ACME), call(client, "GET", f"{ORGANIZATIONS}/{world.acme.oid}")
    assert by_slug.content == by_oid.content
    body = {"name": "Acme Ltd", "contact_email": "IT@example.org", "two_factor_required": True}
    answer = call(client, "PATCH", ACME, body, headers={"If-Match": by_slug["ETag"], "X-Reason": "audit"})
    assert json_of(answer) == {**json_of(by_slug), **body, "contact_email": "it@example.org", "version": 2}
    assert answer["ETag"] == '"2"'
    event = events(world)[-1]
    assert (event["name"], event["reason"]) == ("organization.updated", "audit")
    problem(call(client, "PATCH", ACME, {"name": "B"}, headers={"If-Match": '"1"'}), 412, "stale")
    assert json_of(call(client, "PATCH", ACME, {}))["version"] == 2
    for wrong in ({"name": ""}, {"name": None}, {"contact_email": "nonsense"}, {"two_factor_required": 1}):
        problem(call(client, "PATCH", ACME, wrong), 422, "validation_error")


def test_the_key_policy_has_a_version_of_its_own(world: World, client: Client) -> None:
    path = f"{ACME}/key-policy"
    first = call(client, "GET", path)
    assert json_of(first) == {
        "longest_life_days": None,
        "default_life_days": None,
        "never_expiring_allowed": True,
        "admin_keys_allowed": True,
        "admin_networks_required": False,
        "one_key_per_user": False,
        "api_users_only": False,
        "reason_required": False,
        "shortest_imported_secret": 32,
        "default_rate_limit": None,
        "version": 1,
    }
    assert json_of(call(client, "PATCH", ACME, {"name": "Acme Ltd"}))["version"] == 2
    body = {
        "longest_life_days": 90,
        "default_life_days": 30,
        "never_expiring_allowed": False,
        "one_key_per_user": True,
        "default_rate_limit": "600/minute",
    }
    answer = call(client, "PATCH", path, body, headers={"If-Match": first["ETag"]})
    assert json_of(answer) == {**json_of(first), **body, "version": 2}
    problem(call(client, "PATCH", path, body, headers={"If-Match": first["ETag"]}), 412, "stale")
    assert json_of(call(client, "PATCH", path, {"longest_life_days": None}))["default_life_days"] == 30
    for wrong, field in (
        ({"longest_life_days": 0}, "longest_life_days"),
        ({"longest_life_days": 20}, "default_life_days"),
        ({"shortest_imported_secret": 15}, "shortest_imported_secret"),
        ({"reason_required": None}, "reason_required"),
        ({"default_rate_limit": "often"}, "default_rate_limit"),
    ):
        assert list(problem(call(client, "PATCH", path, wrong), 422, "validation_error")["errors"]) == [field]


def test_a_suspended_organisation_stops_at_once_and_works_again(world: World, admin: Client) -> None:
    key = world.client(key=world.key("*").secret)
    for _ in range(2):
        answer = call(admin, "POST", f"{ACME}/suspend")
        assert (answer.status_code, json_of(answer)["version"]) == (200, 2)
    assert json_of(answer)["suspended_since"]
    problem(call(key, "GET", ACME), 401, "organization_suspended")
    member = world.client(world.manager)
    problem(call(member, "GET", ACME), 404, "not_found")
    assert json_of(call(member, "GET", ORGANIZATIONS))["items"] == []
    assert json_of(call(admin, "POST", f"{ACME}/resume"))["suspended_since"] is None
    assert call(key, "GET", ACME).status_code == 200
    assert Organization.objects.get(slug="acme").version == 3


def test_an_address_that_is_no_reference_is_refused(admin: Client) -> None:
    for path in ("nowhere", "0" * 32, "00000000-0000-0000-0000-000000000000"):
        problem(call(admin, "GET", f"{ORGANIZATIONS}/{path}"), 404, "not_found")
    for path in ("%00", "a b", "é", "a" * 51):
        problem(call(admin, "GET", f"{ORGANIZATIONS}/{path}"), 422, "validation_error")

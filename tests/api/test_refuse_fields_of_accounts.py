"""R20, mass assignment: of each model's fields only those can be sent that are meant to be edited."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.db.models import Field, Model
from django.http import HttpResponse
from django.test import Client

from accounts.models import (
    Group,
    GroupMember,
    Invitation,
    KeyPolicy,
    Membership,
    Organization,
    Permission,
    Policy,
    PolicyVersion,
    User,
)
from keyadmin.api import api
from keyadmin.instance.models import Instance
from keyadmin.keys.models import APIKey
from keyadmin.sitekey.models import SiteKey
from keyadmin.web.rest import In
from tests.api.calls import call, json_of, problem, some_or_all
from tests.api.objects import filled
from tests.world import World

VALUES: tuple[object, ...] = (1, "x", None, True, [], {})


@dataclass(frozen=True)
class Body:
    """A request body: its operation, what it must hold, what else it may hold, the models behind it."""

    operation: str
    needed: Mapping[str, object]
    more: Mapping[str, object]
    models: tuple[type[Model], ...]


ONLY_ASK = ("/api/v1/verify", "/api/v1/simulate")  # they change nothing; test_verify_keys.py has their bodies
KEY_POLICY = {
    "longest_life_days": 90, "default_life_days": 30, "never_expiring_allowed": False, "admin_keys_allowed": False,
    "admin_networks_required": True, "one_key_per_user": True, "api_users_only": True, "reason_required": True,
    "shortest_imported_secret": 40, "default_rate_limit": "600/minute",
}  # fmt: skip
WORDS = {"resource": "Cakes", "action": "view", "category": "Own", "risk": "low", "description": "d", "tasks": ["t"]}
ABOUT = {"description": "d", "contact_email": "it@example.org"}
ONE_USER, ONE_POLICY = "/api/v1/api-users/{user_id}", "/api/v1/policies/{policy_id}"

BODIES = [
    Body("POST /api/v1/organizations", {"name": "Initech"}, {"slug": "tech"}, (Organization, KeyPolicy)),
    Body(
        "PATCH /api/v1/organizations/{organization}", {},
        {"name": "n", "contact_email": "it@example.org", "two_factor_required": True}, (Organization, KeyPolicy),
    ),
    Body("PATCH /api/v1/organizations/{organization}/key-policy", {}, KEY_POLICY, (KeyPolicy, Organization)),
    Body("POST /api/v1/organizations/{organization}/suspend", {}, {}, (Organization,)),
    Body("POST /api/v1/organizations/{organization}/resume", {}, {}, (Organization,)),
    Body("POST /api/v1/invitations", {"email": "new@example.org"}, {"groups": []}, (Invitation, User, Membership)),
    Body("POST /api/v1/api-users", {"name": "New"}, {**ABOUT, "groups": []}, (User, Membership)),
    Body(f"PATCH {ONE_USER}", {}, {"name": "n", **ABOUT}, (User, Membership)),
    Body(f"POST {ONE_USER}/disable", {}, {}, (User,)),
    Body(f"POST {ONE_USER}/enable", {}, {}, (User,)),
    Body(f"POST {ONE_USER}/read-only-access", {"resources": ["Customers"]}, {}, (User, Group, Policy)),
    Body(
        "PUT /api/v1/users/{user_id}/api-key", {},
        {"api_key": "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "expiry_date": "2099-01-31T23:59:59Z"}, (APIKey, User),
    ),
    Body("POST /api/v1/groups", {"name": "New"}, {"description": "d", "policies": []}, (Group, GroupMember)),
    Body(
        "PATCH /api/v1/groups/{group_id}", {}, {"name": "n", "description": "d", "policies": []}, (Group, GroupMember)
    ),
    Body(
        "POST /api/v1/policies", {"name": "New", "patterns": []}, {"description": "d"}, (Policy, PolicyVersion)
    ),
    Body(f"PATCH {ONE_POLICY}", {}, {"name": "n", "description": "d", "patterns": []}, (Policy, PolicyVersion)),
    Body(f"POST {ONE_POLICY}/restore", {"version": 1}, {}, (Policy, PolicyVersion)),
    Body("POST /api/v1/permissions", {"name": "cake", "label": "l"}, WORDS, (Permission,)),
    Body("PATCH /api/v1/permissions/{name}", {}, {"label": "l", **WORDS}, (Permission,)),
    Body("PATCH /api/v1/settings", {}, {"api_key_rounds_no": 40_000}, (Instance,)),
    Body("POST /api/v1/site-key", {}, {"overlap_seconds": 60}, (SiteKey,)),
    Body("PATCH /api/v1/site-key", {}, {"demanded": False}, (SiteKey,)),
    Body("POST /api/v1/site-key/end-overlap", {}, {}, (SiteKey,)),
]  # fmt: skip
ANSWERED = {
    "id",
    "oid",
    "slug",
    "created",
    "created_by",
    "version",
    "status",
    "active",
    "permissions",
    "members",
    "link",
}


def fields_of(*models: type[Model]) -> set[str]:
    """All names that columns and relations of the models have."""
    found = set()
    for model in models:
        for field in model._meta.get_fields():
            found |= {field.name, field.attname} if isinstance(field, Field) else {field.name}
    return found - {"+"}


def rows() -> list[Any]:
    models = (
        *(Organization, KeyPolicy, Membership, User, Group, GroupMember, Policy, Permission, Invitation, APIKey),
        *(Instance, SiteKey),
    )
    return [list(model._default_manager.order_by("pk").values_list()) for model in models]


@pytest.fixture
def admin(world: World) -> Client:
    return world.client(world.admin, headers={"X-Organization": "acme"})


def send(client: Client, body: Body, path: str, fields: dict[str, object]) -> HttpResponse:
    return call(client, body.operation.split()[0], path, fields)


def test_every_body_is_listed_here() -> None:
    """Each schema of a body in this package refuses what it does not know; each operation with one has a row."""
    taking = {
        f"{method.upper()} {path}"
        for path, item in api.get_openapi_schema(path_prefix="")["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation and "api-keys" not in path and path not in ONLY_ASK
    }
    assert taking == {body.operation for body in BODIES}
    assert In.model_config["extra"] == "forbid"


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.operation)
def test_other_fields_are_refused_and_nothing_changes(world: World, admin: Client, body: Body, soak: bool) -> None:
    path = filled(body.operation.split()[1], world)
    refused = (fields_of(*body.models) | ANSWERED) - set(body.needed) - set(body.more)
    assert len(refused) >= 8
    before = rows()
    for number, field in enumerate(sorted(refused)):
        for value in some_or_all(VALUES, number, soak=soak):
            answer = send(admin, body, path, {**body.needed, field: value})
            assert set(problem(answer, 422, "validation_error")["errors"]) == {field}, value
    assert rows() == before


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.operation)
def test_what_may_be_sent_is_taken(world: World, admin: Client, body: Body) -> None:
    """The list above would else be right about an API that refuses everything."""
    path = filled(body.operation.split()[1], world)
    answer = send(admin, body, path, {**body.needed, **body.more})
    assert answer.status_code in (200, 201), answer.content
    shown = json_of(answer)
    sent = {**body.needed, **body.more}
    assert {name: shown[name] for name in sent if name in shown and name != "version"} == {
        name: value for name, value in sent.items() if name in shown and name != "version"
    }

"""Through a key with the flair [segment] only what this key created itself can be seen or changed."""

import pytest
from django.test import Client

from accounts.models import Group, Policy, User
from accounts.services.invitations import invite
from keyadmin.api import api
from keyadmin.kernel.actor import Subject
from keyadmin.kernel.errors import DeniedError
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.keys.services import Issued
from keyadmin.verify.decide import Ask
from keyadmin.verify.services import actor_of, verify
from tests.api.calls import KEYS, call, comparable, json_of, problem
from tests.api.objects import api_user, group, invitation, policy
from tests.usage.test_read_usage import LOG, used
from tests.world import OPERATOR, World

V1 = "/api/v1"


@pytest.fixture
def segment(world: World) -> Issued:
    """A key of acme with all rights and this flair."""
    return world.key("*", name="Orchestrator[segment]")


@pytest.fixture
def client(world: World, segment: Issued) -> Client:
    return world.client(key=segment.secret)


@pytest.fixture
def others(world: World) -> dict[str, int]:
    """Things of acme that the key did not create, by their list."""
    return {
        "api-keys": world.key("view_customer").key.pk,
        "members": world.robot.pk,
        "api-users": api_user(world.acme).pk,
        "groups": group(world.acme, "view_customer").pk,
        "policies": policy(world.acme).pk,
        "invitations": invitation(world.acme).pk,
    }


# What is made by a POST there, and how its list names it.
MAKING: dict[str, dict[str, object]] = {
    "api-keys": {"name": "Child", "permissions": ["view_customer"]},
    "api-users": {"name": "Child"},
    "groups": {"name": "Child"},
    "policies": {"name": "Child", "patterns": ["view_customer"]},
    "invitations": {"email": "child@example.org"},
}
# Lists of what nobody made through a key: what all may know, and where the credential works.
COMMON = {f"{V1}/permissions", f"{V1}/organizations"}


def lists() -> set[str]:
    """Every list of the API."""
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    found = {path for path, made in paths.items() if made.get("get", {}).get("operationId", "").endswith("_list")}
    return {path for path in found if "{" not in path} - {"/crm/customers"}


def name_of(item: dict[str, object]) -> object:
    return item.get("name") or item["email"]


def test_every_list_is_looked_at() -> None:
    expected = {f"{V1}/{name}" for name in (*MAKING, "members")} | {"/crm/api-keys"} | COMMON
    assert lists() == expected


def test_lists_hold_what_it_created_and_nothing_else(client: Client, others: dict[str, int]) -> None:
    for path in lists() - COMMON:
        answer = json_of(call(client, "GET", path))
        assert (answer["items"], answer["total"]) == ([], 0), path
    for name, body in MAKING.items():
        made = call(client, "POST", f"{V1}/{name}", body)
        assert made.status_code == 201, (name, made.content)
    for path in lists() - COMMON:
        answer = json_of(call(client, "GET", path))
        assert [str(name_of(item)).lower() for item in answer["items"]] in (["child"], ["child@example.org"]), path
        assert answer["total"] == 1
    for search in ("Robot", "Test key", "Group", "Policy"):
        for name in ("api-keys", "members", "groups", "policies"):
            assert json_of(call(client, "GET", f"{V1}/{name}?search={search.replace(' ', '+')}"))["total"] == 0


def test_the_others_answer_like_none(client: Client, others: dict[str, int]) -> None:
    acts: list[tuple[str, str, object]] = [("GET", "", None), ("PATCH", "", {"name": "Mine"}), ("DELETE", "", None)]
    more: dict[str, list[tuple[str, str, object]]] = {
        "api-keys": [("POST", f"/{act}", None) for act in ("regenerate", "pause", "resume", "revoke")],
        "api-users": [("POST", "/disable", None), ("POST", "/read-only-access", {"resources": ["customer"]})],
        "members": [("DELETE", "", None)],
        "policies": [("GET", "/versions", None), ("POST", "/restore", {"version": 1})],
        "groups": [("PUT", "/members/{other}", None)],
    }
    for name, pk in others.items():
        common = acts[2:] if name in ("invitations", "members") else acts
        for method, act, body in common + more.get(name, []):
            act = act.replace("{other}", str(others["api-users"]))
            none = call(client, method, f"{V1}/{name}/999999{act}", body)
            assert none.status_code == 404, (name, method, act)
            assert comparable(call(client, method, f"{V1}/{name}/{pk}{act}", body)) == comparable(none), (name, act)


def test_the_settings_of_its_organization_are_not_its_own(client: Client, world: World) -> None:
    assert json_of(call(client, "GET", f"{V1}/organizations"))["items"] == [
        {"oid": str(world.acme.oid), "slug": "acme", "name": "Acme"}
    ]
    for method, path, body in (
        ("GET", "acme", None),
        ("PATCH", "acme", {"name": "Mine"}),
        ("GET", "acme/key-policy", None),
        ("PATCH", "acme/key-policy", {"default_rate_limit": "1/day"}),
    ):
        problem(call(client, method, f"{V1}/organizations/{path}", body), 404, "not_found")


def test_what_it_did_not_create_can_be_put_nowhere(client: Client, others: dict[str, int], world: World) -> None:
    mine = json_of(call(client, "POST", f"{V1}/groups", {"name": "Mine"}))["id"]
    problem(call(client, "PUT", f"{V1}/groups/{mine}/members/{others['api-users']}"), 404, "not_found")
    for path, body in (
        ("groups", {"name": "Two", "policies": [others["policies"]]}),
        ("api-users", {"name": "Two", "groups": [others["groups"]]}),
        ("invitations", {"email": "two@example.org", "groups": [others["groups"]]}),
        ("api-keys", {"name": "Two", "kind": "user", "owner": others["api-users"]}),
    ):
        problem(call(client, "POST", f"{V1}/{path}", body), 422, "validation_error")
    for user in (world.robot, world.manager):
        problem(call(client, "PUT", f"{V1}/users/{user.pk}/api-key", {}), 404, "not_found")


def test_what_it_created_it_can_use(client: Client) -> None:
    given = json_of(call(client, "POST", f"{V1}/policies", {"name": "P", "patterns": ["view_customer"]}))["id"]
    team = json_of(call(client, "POST", f"{V1}/groups", {"name": "G", "policies": [given]}))["id"]
    user = json_of(call(client, "POST", f"{V1}/api-users", {"name": "U", "groups": [team]}))["id"]
    key = json_of(call(client, "POST", KEYS, {"name": "K", "kind": "user", "owner": user}))["api_key_id"]
    assert call(client, "POST", f"{KEYS}/{key}/pause").status_code == 200
    assert call(client, "POST", f"{KEYS}/{key}/resume").status_code == 200
    assert call(client, "PUT", f"{V1}/users/{user}/api-key", {}).status_code == 200
    assert call(client, "PATCH", f"{V1}/groups/{team}", {"description": "Mine"}).status_code == 200
    assert call(client, "DELETE", f"{KEYS}/{key}").status_code == 204


def test_a_key_that_it_makes_has_the_same_limit(world: World, client: Client, others: dict[str, int]) -> None:
    child = json_of(call(client, "POST", KEYS, {"name": "Child", "permissions": ["*"]}))
    through = world.client(key=child["api_key"])
    assert json_of(call(through, "GET", KEYS))["total"] == 0
    grandchild = call(through, "POST", KEYS, {"name": "Grandchild", "permissions": ["*"]})
    assert grandchild.status_code == 201
    assert json_of(call(through, "GET", KEYS))["total"] == 1
    assert json_of(call(client, "GET", KEYS))["total"] == 1
    again = json_of(call(client, "POST", f"{KEYS}/{child['api_key_id']}/regenerate"))
    assert json_of(call(world.client(key=again["api_key"]), "GET", f"{V1}/groups"))["total"] == 0


def test_a_key_made_before_the_flair_was_put_on_is_not_given_again(world: World) -> None:
    maker = world.key("*", name="Orchestrator")
    child = json_of(call(world.client(key=maker.secret), "POST", KEYS, {"name": "Child", "permissions": ["*"]}))
    services.edit_key(actor=OPERATOR, key_id=maker.key.pk, changes={"name": "Orchestrator[segment]"})
    client = world.client(key=maker.secret)
    assert json_of(call(client, "GET", KEYS))["total"] == 1
    problem(call(client, "POST", f"{KEYS}/{child['api_key_id']}/regenerate"), 403, "insufficient_scope")
    assert call(client, "POST", f"{KEYS}/{child['api_key_id']}/revoke").status_code == 200


def test_the_key_that_was_assigned_by_others_stays(world: World, segment: Issued) -> None:
    actor = actor_of(verify(segment.secret, Ask("203.0.113.7")).facts, Ask(""))  # type: ignore[arg-type]
    user = api_user(world.acme)
    User.objects.filter(pk=user.pk).update(created_by_key=segment.key.pk)
    assigned = services.assign_key(actor=OPERATOR, owner=user).key
    answer = call(world.client(key=segment.secret), "PUT", f"{V1}/users/{user.pk}/api-key", {})
    problem(answer, 404, "not_found")
    assert APIKey.objects.get(pk=assigned.pk).token_id == assigned.token_id
    with pytest.raises(DeniedError):
        services.create_key(actor=world.actor(world.developer), organization=world.acme, name="x[segment]")
    assert actor.segment


def test_an_open_invitation_of_others_stays(world: World, client: Client) -> None:
    invite(actor=OPERATOR, organization=world.acme, email="guest@example.org")
    problem(call(client, "POST", f"{V1}/invitations", {"email": "guest@example.org"}), 409, "already_exists")


def test_what_is_made_otherwise_knows_no_key(world: World) -> None:
    key = world.key("*")
    client = world.client(key=key.secret)
    for name, model in (("groups", Group), ("policies", Policy)):
        made = json_of(call(client, "POST", f"{V1}/{name}", MAKING[name]))["id"]
        assert model.objects.get(pk=made).created_by_key == key.key.pk
    assert not Group.objects.exclude(created_by_key=None).exclude(created_by_key=key.key.pk).exists()


def test_an_organization_that_it_created_is_its_own(world: World) -> None:
    key = world.user_key(world.admin, name="Founder[segment]")
    client = world.client(key=key.secret)
    assert [one["slug"] for one in json_of(call(client, "GET", f"{V1}/organizations"))["items"]] == ["acme"]
    assert call(client, "POST", f"{V1}/organizations", {"name": "Initech"}).status_code == 201
    listed = json_of(call(client, "GET", f"{V1}/organizations"))["items"]
    assert [one["slug"] for one in listed] == ["acme", "initech"]
    assert call(client, "PATCH", f"{V1}/organizations/initech", {"name": "Initrode"}).status_code == 200
    problem(call(client, "PATCH", f"{V1}/organizations/globex", {"name": "Mine"}), 404, "not_found")
    assert json_of(call(client, "GET", f"{V1}/groups?organization=initech"))["total"] == 5
    problem(call(client, "PATCH", f"{V1}/permissions/view_customer", {"label": "Mine"}), 404, "not_found")


def test_a_refusal_names_no_group(world: World) -> None:
    client = world.client(key=world.key("apikey.view", name="Reader[segment]").secret)
    assert "Administrators" not in problem(call(client, "GET", f"{V1}/groups"), 403, "insufficient_scope")["detail"]


def test_the_access_log_is_that_of_its_own_keys(world: World, segment: Issued, client: Client) -> None:
    child = APIKey.objects.get(pk=json_of(call(client, "POST", KEYS, MAKING["api-keys"]))["api_key_id"])
    neighbour = world.key("view_customer").key
    for key, request_id in ((segment.key, "own"), (child, "child"), (neighbour, "neighbour")):
        used(key, request_id=request_id)
    used(neighbour, request_id="nobody", subject=Subject(world.acme.pk))

    def ids(query: str = "") -> set[str]:
        given = {"own", "child", "neighbour", "nobody"}
        return given & {item["request_id"] for item in json_of(call(client, "GET", f"{LOG}{query}"))["items"]}

    assert ids() == {"own", "child"}
    assert ids(f"?key={child.pk}") == {"child"}
    assert ids(f"?key={neighbour.pk}") == set()
    assert json_of(call(client, "GET", f"{LOG}?key={neighbour.pk}"))["total"] == 0
    for path in ("usage", "access"):
        assert call(client, "GET", f"{KEYS}/{child.pk}/{path}").status_code == 200
        none = call(client, "GET", f"{KEYS}/999999/{path}")
        assert comparable(call(client, "GET", f"{KEYS}/{neighbour.pk}/{path}")) == comparable(none)


def test_the_access_log_of_a_users_key_is_that_of_its_own_keys(world: World) -> None:
    key = world.user_key(world.auditor, name="Reader[segment]")
    used(world.key().key, request_id="neighbour")
    used(key.key, request_id="own")
    items = json_of(call(world.client(key=key.secret), "GET", LOG))["items"]
    assert {item["request_id"] for item in items} & {"own", "neighbour"} == {"own"}

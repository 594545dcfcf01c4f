"""Names of one's own in the permission catalogue, over REST."""

from accounts.models import Permission
from tests.api.calls import call, json_of, problem
from tests.world import World

PERMISSIONS = "/api/v1/permissions"


def test_a_custom_permission_lives_from_201_to_204(world: World) -> None:
    admin = world.client(world.admin, headers={"X-Organization": "acme"})
    body = {"name": "cake.view", "label": "See cakes", "resource": "Cakes", "action": "view", "tasks": ["GET /cakes"]}
    answer = call(admin, "POST", PERMISSIONS, body, headers={"Idempotency-Key": "cake"})
    shown = {**body, "category": "Custom", "risk": "medium", "description": ""}
    assert (answer.status_code, json_of(answer)) == (201, shown)
    assert call(admin, "POST", PERMISSIONS, body, headers={"Idempotency-Key": "cake"}).status_code == 201
    problem(call(admin, "POST", PERMISSIONS, body), 409, "already_exists")
    assert shown in json_of(call(world.client(), "GET", PERMISSIONS))["items"]
    one = f"{PERMISSIONS}/cake.view"
    edited = call(admin, "PATCH", one, {"risk": "high", "tasks": []})
    assert json_of(edited) == {**shown, "risk": "high", "tasks": []}
    made = call(admin, "POST", "/api/v1/policies", {"name": "Cakes", "patterns": ["cake.view"]})
    assert "Cakes" in problem(call(admin, "DELETE", one), 409, "in_use")["detail"]
    call(admin, "DELETE", f"/api/v1/policies/{json_of(made)['id']}")
    assert call(admin, "DELETE", one).status_code == 204
    problem(call(admin, "DELETE", one), 404, "not_found")


def test_what_comes_with_keyadmin_stays(world: World) -> None:
    admin = world.client(world.admin)
    before = list(Permission.objects.order_by("pk").values_list())
    for name in ("apikey.view", "view_customer"):
        problem(call(admin, "PATCH", f"{PERMISSIONS}/{name}", {"label": "Mine"}), 409, "in_use")
        problem(call(admin, "DELETE", f"{PERMISSIONS}/{name}"), 409, "in_use")
        problem(call(admin, "POST", PERMISSIONS, {"name": name, "label": "Mine"}), 409, "already_exists")
    assert list(Permission.objects.order_by("pk").values_list()) == before


def test_what_can_not_be_sent_is_named(world: World) -> None:
    admin = world.client(world.admin)
    for body, field in (
        ({"name": "Cake", "label": "x"}, "name"),
        ({"name": "cake.*", "label": "x"}, "name"),
        ({"name": "cake"}, "label"),
        ({"name": "cake", "label": ""}, "label"),
        ({"name": "cake", "label": "x", "risk": "none"}, "risk"),
        ({"name": "cake", "label": "x", "tasks": [1]}, "tasks.0"),
    ):
        assert list(problem(call(admin, "POST", PERMISSIONS, body), 422, "validation_error")["errors"]) == [field]
    for name in ("Cake", "a b", "%00", "*"):
        problem(call(admin, "PATCH", f"{PERMISSIONS}/{name}", {"label": "x"}), 422, "validation_error")
    problem(call(admin, "PATCH", f"{PERMISSIONS}/cake", {"label": "x"}), 404, "not_found")

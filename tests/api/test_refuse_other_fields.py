"""R20, mass assignment: of the model's fields only those can be sent that are meant to be edited."""

import pytest
from django.db.models import Field
from django.test import Client

from keyadmin.keys.models import APIKey
from tests.api.calls import KEYS, call, created, json_of, problem, some_or_all
from tests.world import World

# What may be sent, by the names that it has in the API.
CREATE = {"name", "description", "kind", "organization", "owner", "permissions", "environment", "allowed_networks"}
CREATE |= {"rate_limit"}
EDIT = {"name", "description", "permissions", "allowed_networks", "rate_limit"}
# What answers show under names that are no columns; none of it can be sent.
SHOWN = {"api_key_id", "api_key", "masked_key", "status", "flairs", "created", "last_used", "locked"}

COLUMNS = {name for field in APIKey._meta.concrete_fields for name in (field.name, field.attname)}
RELATIONS = {field.name for field in APIKey._meta.get_fields() if not isinstance(field, Field)}
VALUES: tuple[object, ...] = (1, "x", None, True, "2099-01-01T00:00:00Z", [], {})


def rows() -> list[tuple[object, ...]]:
    return list(APIKey.objects.order_by("pk").values_list())


@pytest.mark.parametrize(("number", "field"), [*enumerate(sorted((COLUMNS | RELATIONS | SHOWN) - CREATE))])
def test_creating_refuses_the_field_and_makes_nothing(client: Client, number: int, field: str, soak: bool) -> None:
    before = rows()
    for value in some_or_all(VALUES, number, soak=soak):
        refused = problem(call(client, "POST", KEYS, {"name": "x", field: value}), 422, "validation_error")
        assert set(refused["errors"]) == {field}
    assert rows() == before


@pytest.mark.parametrize(("number", "field"), [*enumerate(sorted((COLUMNS | RELATIONS | SHOWN) - EDIT))])
def test_editing_refuses_the_field_and_changes_nothing(client: Client, number: int, field: str, soak: bool) -> None:
    key_id = created(client)["api_key_id"]
    before = rows()
    for value in some_or_all(VALUES, number, soak=soak):
        body = {"description": "changed beside it", field: value}
        for path in (f"{KEYS}/{key_id}", f"/crm/api-keys/{key_id}"):
            refused = problem(call(client, "PATCH", path, body), 422, "validation_error")
            assert set(refused["errors"]) == {field}
        for act in ("regenerate", "pause", "resume", "revoke"):
            problem(call(client, "POST", f"{KEYS}/{key_id}/{act}", {field: value}), 422, "validation_error")
    assert rows() == before


def test_what_may_be_sent_is_taken(world: World, client: Client) -> None:
    """The lists above would else be right about an API that refuses everything."""
    admin = world.client(world.admin)
    made = created(
        admin, name="n", description="d", kind="user", organization="acme", owner=world.robot.pk,
        permissions=["view_customer"], environment="test", allowed_networks=["10.0.0.0/8"],
        rate_limit="600/minute",
    )  # fmt: skip
    body: dict[str, object] = {
        "name": "m",
        "description": "e",
        "permissions": [],
        "allowed_networks": [],
        "rate_limit": None,
    }
    edited = call(client, "PATCH", f"{KEYS}/{made['api_key_id']}", body)
    assert edited.status_code == 200
    shown = json_of(edited)
    assert {name: shown[name] for name in body} == body

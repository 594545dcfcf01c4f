import pytest
from django.test import Client

from keyadmin.kernel import clock, tokens
from keyadmin.keys.models import APIKey
from tests.api.calls import KEYS, call, created, event_names, events, json_of, problem
from tests.world import World

FIELDS = set(
    "api_key_id token_id name description masked_key status kind environment owner organization permissions flairs "
    "created created_by expiry_date last_used allowed_networks rate_limit locked version".split()
)


def test_creating_answers_201_with_the_secret_and_the_whole_shape(world: World, client: Client, keys_path: str) -> None:
    body = {
        "name": "Nightly[bulk]",
        "description": "Third-party billing sync",
        "expiry_date": "2099-01-10",
        "permissions": ["view_service", "view_customer"],
        "allowed_networks": ["10.0.0.0/8"],
        "rate_limit": "600/minute",
    }
    response = call(client, "POST", keys_path, body)
    assert response.status_code == 201
    assert response["ETag"] == '"1"'
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    made = json_of(response)
    token = tokens.parse(made.pop("api_key"))
    assert token is not None
    assert set(made) == FIELDS
    maker = APIKey.objects.get(name="All rights")
    assert made == {
        **body,
        "api_key_id": made["api_key_id"],
        "token_id": token.token_id,
        "masked_key": token.masked,
        "status": "active",
        "kind": "organization",
        "environment": "live",
        "owner": None,
        "organization": {"oid": str(world.acme.oid), "slug": "acme", "name": "Acme"},
        "permissions": ["view_customer", "view_service"],
        "flairs": ["bulk"],
        "created": made["created"],
        "created_by": {"id": maker.pk, "uid": None, "kind": "key", "name": "All rights"},
        "expiry_date": "2099-01-10T23:59:59Z",
        "last_used": None,
        "locked": False,
        "version": 1,
    }
    assert type(made["api_key_id"]) is int
    assert clock.parse_moment(made["created"]) <= clock.now()
    assert event_names(world, api_key=made["api_key_id"]) == ["api_key.created"]


def test_the_new_secret_opens_the_protected_example(world: World, client: Client, keys_path: str) -> None:
    made = created(client, keys_path, permissions=["view_customer"])
    assert call(world.client(key=made["api_key"]), "GET", "/crm/customers").status_code == 200
    other = created(client, keys_path, permissions=["view_service"])
    refused = call(world.client(key=other["api_key"]), "GET", "/crm/customers")
    assert problem(refused, 403, "insufficient_scope")["missing_permission"] == "view_customer"


def test_no_other_answer_ever_shows_the_secret(world: World, client: Client, keys_path: str) -> None:
    made = created(client, keys_path)
    one = f"{keys_path}/{made['api_key_id']}"
    answers = [
        call(client, "GET", one),
        call(client, "GET", keys_path),
        call(client, "PATCH", one, {"description": "x"}),
        call(world.client(world.manager), "GET", one),
        call(world.client(key=made["api_key"]), "GET", "/api/v1/whoami"),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert made["api_key"].encode() not in answer.content
        assert b'"api_key":' not in answer.content
        assert answer["Cache-Control"] == "no-store"


def test_only_the_name_is_needed(client: Client, keys_path: str) -> None:
    made = created(client, keys_path)
    assert (made["kind"], made["permissions"], made["expiry_date"]) == ("organization", [], None)
    assert (made["organization"]["slug"], made["description"], made["environment"]) == ("acme", "", "live")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2099-12-31", "2099-12-31T23:59:59Z"),
        ("2099-12-31T12:00:00Z", "2099-12-31T12:00:00Z"),
        ("2099-12-31T12:00:00.75+02:00", "2099-12-31T10:00:00Z"),
        (None, None),
    ],
)
def test_expiry_is_shown_in_utc_and_a_bare_date_means_its_end(
    client: Client, given: str | None, shown: str | None
) -> None:
    assert created(client, expiry_date=given)["expiry_date"] == shown


def test_soon_expiring_and_test_keys_say_so(client: Client) -> None:
    soon = clock.rfc3339(clock.parse_expiry("29d", at=clock.now()) or clock.now())
    made = created(client, expiry_date=soon, environment="test")
    assert (made["status"], made["environment"]) == ("expiring_soon", "test")
    assert made["api_key"].startswith("ka_test_")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 81),
        ("name", "two\nlines"),
        ("description", "x" * 2001),
        ("expiry_date", "2020-01-01"),
        ("expiry_date", "2099-13-01"),
        ("expiry_date", "2099-01-01T00:00:00"),
        ("expiry_date", "soon"),
        ("expiry_date", ""),
        ("permissions", ["view_custmer"]),
        ("permissions", ["org.create"]),
        ("permissions", ["View Customers"]),
        ("permissions", ["view_customer"] * 201),
        ("permissions", "view_customer"),
        ("allowed_networks", ["10.0.0.1/8"]),
        ("allowed_networks", ["home"]),
        ("kind", "admin"),
        ("environment", "staging"),
        ("organization", "nowhere"),
        ("organization", "globex"),
        ("owner", 999_999),
    ],
)
def test_wrong_values_are_422_naming_the_field(client: Client, field: str, value: object) -> None:
    before = APIKey.objects.count()
    refused = problem(call(client, "POST", KEYS, {"name": "Refused", field: value}), 422, "validation_error")
    assert [name.split(".")[0] for name in refused["errors"]] == [field]
    assert APIKey.objects.count() == before


def test_the_longest_name_and_description_fit(client: Client) -> None:
    made = created(client, name="é" * 80, description="ü" * 2000)
    assert (made["name"], made["description"]) == ("é" * 80, "ü" * 2000)


def test_unknown_permission_names_the_nearest_one(client: Client) -> None:
    refused = problem(
        call(client, "POST", KEYS, {"name": "x", "permissions": ["view_custmer"]}), 422, "validation_error"
    )
    assert "view_customer" in str(refused["errors"])


def test_nobody_gives_what_they_do_not_hold(world: World) -> None:
    narrow = world.client(key=world.key("apikey.*", "view_customer").secret)
    assert created(narrow, permissions=["view_customer"])["permissions"] == ["view_customer"]
    refused = problem(
        call(narrow, "POST", KEYS, {"name": "x", "permissions": ["view_service"]}), 403, "insufficient_scope"
    )
    assert refused["missing_permission"] == "view_service"


def test_a_user_key_belongs_to_the_owner_named_and_shows_both_people(world: World) -> None:
    admin = world.client(world.admin, headers={"X-Organization": "acme"})
    made = created(admin, kind="user", owner=world.robot.pk)
    robot = {"id": world.robot.pk, "uid": str(world.robot.uid), "kind": "api", "name": "Robot"}
    dana = {"id": world.admin.pk, "uid": str(world.admin.uid), "kind": "person", "name": "Dana"}
    assert (made["owner"], made["created_by"], made["permissions"]) == (robot, dana, None)
    assert made["organization"]["slug"] == "acme"
    assert json_of(call(world.client(key=made["api_key"]), "GET", "/api/v1/whoami"))["user"] == robot


def test_a_persons_own_key_needs_no_owner_and_has_no_organization(world: World) -> None:
    made = created(world.client(world.developer), kind="user")
    assert made["owner"]["id"] == world.developer.pk
    assert made["organization"] is None


def test_an_owner_that_is_not_meant_is_refused_not_ignored(world: World, client: Client) -> None:
    refused = call(client, "POST", KEYS, {"name": "x", "kind": "organization", "owner": world.robot.pk})
    assert "owner" in problem(refused, 422, "validation_error")["errors"]
    refused = call(client, "POST", KEYS, {"name": "x", "kind": "user"})
    assert "owner" in problem(refused, 422, "validation_error")["errors"]


def test_the_reason_travels_to_the_log(world: World, client: Client) -> None:
    headers = {"X-Reason": "Fällig, says CAB-17".encode().decode("latin-1")}
    made = json_of(call(client, "POST", KEYS, {"name": "x"}, headers=headers))
    (event,) = events(world, api_key=made["api_key_id"])
    assert event["reason"] == "Fällig, says CAB-17"
    problem(call(client, "POST", KEYS, {"name": "x"}, headers={"X-Reason": "x" * 201}), 422, "validation_error")

"""Who may make which key, and what a new key may do."""

from datetime import timedelta

import pytest

from keyadmin.kernel import clock, tokens
from keyadmin.kernel.errors import DeniedError, InvalidError, NotFoundError
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.world import OPERATOR, World


def test_a_new_key_has_one_secret_and_only_its_verifier_is_stored(world: World) -> None:
    issued = world.key("view_customer", name="Billing sync")
    token = tokens.parse(issued.secret)
    assert token is not None
    assert issued.key.masked == token.masked
    row = APIKey.objects.filter(pk=issued.key.pk).values().get()
    assert all(issued.secret not in str(value) and token.secret not in str(value) for value in row.values())
    assert row["verifier"].startswith("$hmac-sha256$")
    assert issued.secret not in repr(issued)


def test_a_manager_makes_keys_within_their_rights(world: World) -> None:
    issued = services.create_key(
        actor=world.actor(world.manager), organization=world.acme, name="K", permissions=["apikey.view"]
    )
    assert issued.key.permissions == ["apikey.view"]
    assert issued.key.created_by == world.manager


@pytest.mark.parametrize("pattern", ["*", "view_customer", "org.ctrl", "policy.*"])
def test_nobody_gives_what_they_do_not_hold(world: World, pattern: str) -> None:
    with pytest.raises(DeniedError, match="do not hold") as denied:
        services.create_key(actor=world.actor(world.manager), organization=world.acme, name="K", permissions=[pattern])
    assert denied.value.permission == pattern
    assert not APIKey.objects.exists()


@pytest.mark.parametrize("pattern", ["setting.ctrl", "org.create", "sitekey.ctrl", "permission.ctrl"])
def test_no_organisation_key_holds_an_instance_permission(world: World, pattern: str) -> None:
    with pytest.raises(InvalidError, match="whole instance"):
        services.create_key(actor=OPERATOR, organization=world.acme, name="K", permissions=[pattern])


def test_an_admin_key_of_an_organisation_holds_no_instance_permission(world: World) -> None:
    answer = world.client(key=world.key("*").secret).get("/api/v1/whoami").json()
    assert answer["permissions"] == ["*"]
    assert answer["instance_permissions"] == []


def test_an_unknown_permission_is_refused_naming_the_nearest(world: World) -> None:
    with pytest.raises(InvalidError, match=r"Did you mean view_customer\?"):
        world.key("view_custmer")


def test_an_auditor_makes_no_keys(world: World) -> None:
    with pytest.raises(DeniedError) as denied:
        services.create_key(actor=world.actor(world.auditor), organization=world.acme, name="K")
    assert denied.value.permission == "apikey.ctrl"
    assert "Administrators can grant it" in denied.value.detail


def test_a_stranger_does_not_learn_that_the_organisation_exists(world: World) -> None:
    with pytest.raises(NotFoundError):
        services.create_key(actor=world.actor(world.stranger), organization=world.acme, name="K")


def test_a_developer_makes_organisation_keys_and_sees_only_those(world: World) -> None:
    world.key("view_customer", name="Somebody else's")
    developer = world.actor(world.developer)
    mine = services.create_key(actor=developer, organization=world.acme, name="Mine", permissions=["apikey.own"])
    listed = world.client(world.developer).get("/api/v1/api-keys").json()
    assert [key["api_key_id"] for key in listed["items"]] == [mine.key.pk]
    assert listed["total"] == 1


def test_a_user_key_has_the_owners_rights_live(world: World) -> None:
    issued = world.user_key(world.robot)
    client = world.client(key=issued.secret)
    assert "apikey.view" in client.get("/api/v1/whoami").json()["permissions"]
    world.robot.memberships.get().groups.all().delete()
    assert client.get("/api/v1/whoami").json()["permissions"] == []


def test_a_list_narrows_a_user_key_and_never_widens_it(world: World) -> None:
    issued = world.user_key(world.robot, ["apikey.view", "view_customer"])
    assert world.client(key=issued.secret).get("/api/v1/whoami").json()["permissions"] == ["apikey.view"]


def test_a_manager_makes_no_key_for_a_user_who_holds_more(world: World) -> None:
    with pytest.raises(DeniedError):
        services.create_key(actor=world.actor(world.manager), kind="user", owner=world.admin, name="K")
    with pytest.raises(DeniedError, match="do not hold"):
        services.create_key(actor=world.actor(world.manager), kind="user", owner=world.auditor, name="K")


def test_a_manager_makes_a_key_for_an_api_user_who_holds_less(world: World) -> None:
    issued = services.create_key(actor=world.actor(world.manager), kind="user", owner=world.robot, name="K")
    assert issued.key.organization == world.acme


def test_a_persons_key_reaches_all_their_organisations_and_no_other(world: World) -> None:
    issued = services.create_key(actor=world.actor(world.developer), kind="user", owner=world.developer, name="Own")
    assert issued.key.organization is None
    answer = world.client(key=issued.secret).get("/api/v1/whoami").json()
    assert [organization["slug"] for organization in answer["organizations"]] == ["acme"]


def test_only_an_instance_administrators_user_key_holds_instance_permissions(world: World) -> None:
    issued = world.user_key(world.admin)
    answer = world.client(key=issued.secret).get("/api/v1/whoami").json()
    assert "org.create" in answer["instance_permissions"]
    narrowed = world.user_key(world.admin, ["*"])
    assert world.client(key=narrowed.secret).get("/api/v1/whoami").json()["instance_permissions"] == []


def test_a_key_gives_no_more_than_it_holds_itself(world: World) -> None:
    maker = world.key("apikey.ctrl", "view_customer")
    client = world.client(key=maker.secret)
    made = client.post(
        "/api/v1/api-keys", {"name": "Child", "permissions": ["view_customer"]}, content_type="application/json"
    )
    assert made.status_code == 201
    assert made.json()["created_by"] == {"id": maker.key.pk, "uid": None, "kind": "key", "name": "Test key"}
    refused = client.post(
        "/api/v1/api-keys", {"name": "Child", "permissions": ["view_invoice"]}, content_type="application/json"
    )
    assert refused.status_code == 403
    assert refused.json()["missing_permission"] == "view_invoice"


def test_a_narrowed_user_key_makes_no_wider_one_for_its_owner(world: World) -> None:
    narrow = world.user_key(world.manager, ["apikey.ctrl"])
    refused = world.client(key=narrow.secret).post(
        "/api/v1/api-keys", {"name": "Wide", "kind": "user"}, content_type="application/json"
    )
    assert refused.status_code == 403


@pytest.mark.parametrize("name", ["fast[bulk]", "mine [segment]", "[ bulk ] x"])
def test_a_flair_that_does_something_needs_ctrl(world: World, name: str) -> None:
    with pytest.raises(DeniedError, match=r"apikey\.ctrl"):
        services.create_key(actor=world.actor(world.developer), organization=world.acme, name=name)


def test_unknown_flairs_are_plain_tags(world: World) -> None:
    issued = services.create_key(actor=world.actor(world.developer), organization=world.acme, name="a[eu] [x] [eu]")
    assert issued.key.flairs == ["eu", "x"]


def test_a_past_expiry_is_refused(world: World) -> None:
    with pytest.raises(InvalidError, match="in the future"):
        world.key(expires_at=clock.now() - timedelta(seconds=1))


def test_an_organisation_key_has_no_owner_and_a_user_key_needs_one(world: World) -> None:
    with pytest.raises(InvalidError, match="no owner"):
        world.key(owner=world.robot)
    with pytest.raises(InvalidError, match="whose key"):
        services.create_key(actor=OPERATOR, kind="user", name="K")
    with pytest.raises(InvalidError, match="which organisation"):
        services.create_key(actor=OPERATOR, name="K")


def test_a_user_of_another_organisation_is_no_owner(world: World) -> None:
    with pytest.raises(InvalidError, match="not in the organisation"):
        services.create_key(actor=OPERATOR, kind="user", organization=world.globex, owner=world.robot, name="K")


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 81},
        {"name": "two\nlines"},
        {"name": "nul\x00"},
        {"name": "escape\x1b[31m"},
        {"name": "half \ud800"},
        {"name": "line\u2028separator"},
        {"description": "x" * 2001},
        {"description": "nul\x00"},
        {"allowed_networks": ["10.0.0.0/33"]},
        {"allowed_networks": ["10.0.0.1/8"]},
        {"allowed_networks": [f"10.0.{n}.0/24" for n in range(101)]},
    ],
)
def test_fields_that_break_a_rule_are_refused(world: World, fields: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        world.key(**fields)  # type: ignore[arg-type]
    assert not APIKey.objects.exists()


def test_a_narrowed_user_key_gives_nothing_beyond_its_list(world: World) -> None:
    """Also nothing that its owner does not hold yet, but may one day."""
    narrow = world.user_key(world.developer, ["apikey.own"])
    client = world.client(key=narrow.secret)
    own = f"/api/v1/api-keys/{narrow.key.pk}"
    answers = [
        client.patch(own, {"permissions": None}, content_type="application/json"),
        client.patch(own, {"permissions": ["apikey.own", "view_customer"]}, content_type="application/json"),
        client.post("/api/v1/api-keys", {"name": "x", "kind": "user"}, content_type="application/json"),
        client.post(
            "/api/v1/api-keys", {"name": "x", "kind": "user", "permissions": ["*"]}, content_type="application/json"
        ),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    same = {"name": "x", "kind": "user", "permissions": ["apikey.own"]}
    assert client.post("/api/v1/api-keys", same, content_type="application/json").status_code == 201


def test_a_list_does_not_help_to_a_key_of_a_stronger_person(world: World) -> None:
    with pytest.raises(DeniedError, match="do not hold"):
        services.create_key(
            actor=world.actor(world.manager),
            kind="user",
            owner=world.auditor,
            name="As Ari",
            permissions=["apikey.view"],
        )


@pytest.mark.parametrize("field", ["name", "description"])
def test_a_whole_key_is_kept_in_no_text(world: World, field: str) -> None:
    secret = world.key().secret
    with pytest.raises(InvalidError, match="complete API key") as refused:
        world.key(**{field: f"see {secret}"})  # type: ignore[arg-type]
    assert secret not in str(refused.value)

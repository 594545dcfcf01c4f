"""Edit, pause, resume, regenerate, revoke, delete: what each does and what it needs."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from accounts.services.organizations import add_membership
from keyadmin.activity.models import Event
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, DeniedError, InvalidError, NotFoundError, StaleError
from keyadmin.keys import services
from keyadmin.keys.models import APIKey, FormerTokenId
from keyadmin.keys.services import KeyChanges
from keyadmin.keys.status import Status
from tests.world import OPERATOR, World

LATER = clock.now() + timedelta(days=100)
SOONER = clock.now() + timedelta(days=10)


def works(world: World, secret: str) -> bool:
    status = world.client(key=secret).get("/api/v1/whoami").status_code
    assert status in (200, 401)
    return status == 200


def events() -> list[str]:
    return list(Event.objects.filter(target_kind="api_key").order_by("pk").values_list("name", flat=True))


def test_an_edit_changes_what_it_names_and_logs_before_and_after(world: World) -> None:
    key = world.key("view_customer", name="Old", description="Kept").key
    edited = services.edit_key(actor=OPERATOR, key_id=key.pk, changes={"name": "New", "expires_at": LATER})
    assert (edited.name, edited.description, edited.expires_at, edited.version) == ("New", "Kept", LATER, 2)
    text = Event.objects.get(name="api_key.updated").text
    assert '"before":{"expiry_date":null,"name":"Old"}' in text
    assert '"name":"New"' in text


def test_an_edit_that_changes_nothing_leaves_no_trace(world: World) -> None:
    key = world.key("view_customer", name="Same").key
    same = services.edit_key(
        actor=OPERATOR, key_id=key.pk, changes={"name": " Same ", "permissions": ["view_customer", "view_customer"]}
    )
    assert same.version == 1
    assert events() == ["api_key.created"]


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"expires_at": SOONER}, {"expires_at": LATER}),
        ({"expires_at": SOONER}, {"expires_at": None}),
        ({"allowed_networks": ["10.0.0.0/8"]}, {"allowed_networks": []}),
        ({"allowed_networks": ["10.0.0.0/8"]}, {"allowed_networks": ["10.0.0.0/8", "192.168.0.0/16"]}),
        ({"name": "x[segment]"}, {"name": "x"}),
        ({}, {"permissions": ["view_customer", "view_invoice"]}),
        ({}, {"permissions": ["*"]}),
    ],
)
def test_what_widens_a_key_needs_its_rights(world: World, fields: dict[str, object], changes: KeyChanges) -> None:
    key = world.key("view_customer", **fields).key  # type: ignore[arg-type]
    with pytest.raises(DeniedError, match="do not hold"):
        services.edit_key(actor=world.actor(world.manager), key_id=key.pk, changes=changes)
    assert APIKey.objects.get(pk=key.pk).version == 1


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"expires_at": LATER}, {"expires_at": SOONER}),
        ({}, {"expires_at": LATER}),
        ({}, {"allowed_networks": ["10.0.0.0/8"]}),
        ({"allowed_networks": ["10.0.0.0/8"]}, {"allowed_networks": ["10.1.0.0/16"]}),
        ({}, {"permissions": []}),
        ({}, {"permissions": ["view_customer", "apikey.view"]}),
        ({}, {"name": "x[segment]"}),
        ({}, {"description": "Another"}),
    ],
)
def test_what_takes_away_or_gives_what_is_held_does_not(
    world: World, fields: dict[str, object], changes: KeyChanges
) -> None:
    key = world.key("view_customer", **fields).key  # type: ignore[arg-type]
    services.edit_key(actor=world.actor(world.manager), key_id=key.pk, changes=changes)


def test_narrowing_and_widening_at_once_needs_the_rights(world: World) -> None:
    key = world.key("view_customer", expires_at=SOONER).key
    with pytest.raises(DeniedError):
        services.edit_key(
            actor=world.actor(world.manager),
            key_id=key.pk,
            changes={"allowed_networks": ["10.0.0.0/8"], "expires_at": LATER},
        )


def test_taking_the_list_from_a_user_key_needs_all_rights_of_the_owner(world: World) -> None:
    key = world.user_key(world.stranger, ["apikey.view"]).key
    with pytest.raises(NotFoundError):
        services.edit_key(actor=world.actor(world.manager), key_id=key.pk, changes={"permissions": None})
    robots = world.user_key(world.robot, ["apikey.view"]).key
    services.edit_key(actor=world.actor(world.manager), key_id=robots.pk, changes={"permissions": None})
    assert APIKey.objects.get(pk=robots.pk).permissions is None


def test_an_organisation_key_keeps_a_list(world: World) -> None:
    with pytest.raises(InvalidError, match="needs a list"):
        services.edit_key(actor=OPERATOR, key_id=world.key().key.pk, changes={"permissions": None})


def test_extending_an_expired_key_makes_it_work_again(world: World) -> None:
    issued = world.key(expires_at=SOONER)
    expire(issued.key)
    services.stamp_expired()
    assert not works(world, issued.secret)
    services.edit_key(actor=OPERATOR, key_id=issued.key.pk, changes={"expires_at": LATER})
    assert works(world, issued.secret)


def test_what_was_seen_to_expire_stays_expired_when_the_clock_is_set_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = world.key(expires_at=SOONER)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: SOONER + timedelta(seconds=1))
    assert services.stamp_expired() == 1
    monkeypatch.setattr(clock, "now", lambda: now)
    assert not works(world, issued.secret)


def test_pause_and_resume(world: World) -> None:
    issued = world.key()
    services.pause_key(actor=OPERATOR, key_id=issued.key.pk)
    assert not works(world, issued.secret)
    services.pause_key(actor=OPERATOR, key_id=issued.key.pk)
    services.resume_key(actor=OPERATOR, key_id=issued.key.pk)
    assert works(world, issued.secret)
    with pytest.raises(ConflictError) as conflict:
        services.resume_key(actor=OPERATOR, key_id=issued.key.pk)
    assert conflict.value.kind.code == "key_not_paused"
    assert events() == ["api_key.created", "api_key.paused", "api_key.resumed"]


def test_regenerate_replaces_the_secret_at_once(world: World) -> None:
    issued = world.key("view_customer")
    again = services.regenerate_key(actor=OPERATOR, key_id=issued.key.pk)
    assert again.key.pk == issued.key.pk
    assert not works(world, issued.secret)
    assert works(world, again.secret)
    assert FormerTokenId.objects.get().token_id == issued.key.token_id


def test_a_paused_key_stays_paused_through_regenerate(world: World) -> None:
    key = world.key().key
    services.pause_key(actor=OPERATOR, key_id=key.pk)
    assert services.regenerate_key(actor=OPERATOR, key_id=key.pk).key.status is Status.PAUSED


def test_an_expired_key_needs_a_new_expiry_to_be_regenerated(world: World) -> None:
    key = world.key(expires_at=SOONER).key
    expire(key)
    with pytest.raises(ConflictError) as conflict:
        services.regenerate_key(actor=OPERATOR, key_id=key.pk)
    assert conflict.value.kind.code == "expiry_required"
    assert works(world, services.regenerate_key(actor=OPERATOR, key_id=key.pk, expires_at=None).secret)


def test_revoke_erases_the_verifier_and_keeps_the_record(world: World) -> None:
    issued = world.key()
    services.revoke_key(actor=OPERATOR, key_id=issued.key.pk)
    services.revoke_key(actor=OPERATOR, key_id=issued.key.pk)
    row = APIKey.objects.get(pk=issued.key.pk)
    assert (row.status, row.verifier) == (Status.REVOKED, "")
    assert not works(world, issued.secret)
    assert events() == ["api_key.created", "api_key.revoked"]


@pytest.mark.parametrize(
    "act",
    [
        lambda actor, pk: services.edit_key(actor=actor, key_id=pk, changes={"name": "x"}),
        lambda actor, pk: services.pause_key(actor=actor, key_id=pk),
        lambda actor, pk: services.resume_key(actor=actor, key_id=pk),
        lambda actor, pk: services.regenerate_key(actor=actor, key_id=pk),
    ],
)
def test_a_revoked_key_can_only_be_deleted(world: World, act: Callable[[Actor, int], object]) -> None:
    key = world.key().key
    services.revoke_key(actor=OPERATOR, key_id=key.pk)
    with pytest.raises(ConflictError) as conflict:
        act(OPERATOR, key.pk)
    assert conflict.value.kind.code == "key_revoked"
    services.delete_key(actor=OPERATOR, key_id=key.pk)
    assert not APIKey.objects.exists()


def test_delete_removes_the_record_and_the_log_keeps_the_story(world: World) -> None:
    issued = world.key(name="Gone")
    services.delete_key(actor=OPERATOR, key_id=issued.key.pk)
    assert not works(world, issued.secret)
    event = Event.objects.get(name="api_key.deleted")
    assert event.target_label == "Gone"
    assert str(issued.key.token_id) in event.text


ACTS: list[Callable[[Actor, int, int | None], object]] = [
    lambda actor, pk, v: services.edit_key(actor=actor, key_id=pk, changes={"name": "x"}, expected_version=v),
    lambda actor, pk, v: services.pause_key(actor=actor, key_id=pk, expected_version=v),
    lambda actor, pk, v: services.resume_key(actor=actor, key_id=pk, expected_version=v),
    lambda actor, pk, v: services.regenerate_key(actor=actor, key_id=pk, expected_version=v),
    lambda actor, pk, v: services.revoke_key(actor=actor, key_id=pk, expected_version=v),
    lambda actor, pk, v: services.delete_key(actor=actor, key_id=pk, expected_version=v),
]


@pytest.mark.parametrize("act", ACTS)
def test_a_stale_version_is_refused(world: World, act: Callable[[Actor, int, int | None], object]) -> None:
    key = world.key().key
    with pytest.raises(StaleError):
        act(OPERATOR, key.pk, 2)


@pytest.mark.parametrize("act", ACTS)
def test_who_only_reads_changes_nothing(world: World, act: Callable[[Actor, int, int | None], object]) -> None:
    key = world.key().key
    with pytest.raises(DeniedError) as denied:
        act(world.actor(world.auditor), key.pk, None)
    assert denied.value.permission == "apikey.ctrl"


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", ["stranger", "developer"])
def test_what_one_may_not_see_does_not_exist(
    world: World, act: Callable[[Actor, int, int | None], object], who: str
) -> None:
    key = world.key().key
    with pytest.raises(NotFoundError) as hidden:
        act(world.actor(getattr(world, who)), key.pk, None)
    with pytest.raises(NotFoundError) as missing:
        act(world.actor(getattr(world, who)), 10**9, None)
    assert hidden.value.detail == missing.value.detail


@pytest.mark.parametrize("act", [ACTS[2], ACTS[3]])
def test_what_lets_a_key_work_again_needs_its_rights(
    world: World, act: Callable[[Actor, int, int | None], object]
) -> None:
    key = world.key("view_customer").key
    services.pause_key(actor=world.actor(world.manager), key_id=key.pk)
    with pytest.raises(DeniedError, match="do not hold"):
        act(world.actor(world.manager), key.pk, None)


def test_a_persons_key_is_logged_in_each_of_their_organisations(world: World) -> None:
    add_membership(actor=OPERATOR, organization=world.globex, user=world.developer)
    key = world.user_key(world.developer).key
    services.revoke_key(actor=OPERATOR, key_id=key.pk)
    chains = Event.objects.filter(name="api_key.revoked").values_list("chain", flat=True)
    assert set(chains) == {world.acme.pk, world.globex.pk}


def expire(key: APIKey) -> None:
    """As if the expiry had passed: created and expired in the past."""
    moved: dict[str, datetime] = {
        "created_at": clock.now() - timedelta(days=9),
        "expires_at": clock.now() - timedelta(days=1),
    }
    APIKey.objects.filter(pk=key.pk).update(**moved)


def test_reviving_what_was_seen_to_expire_needs_its_rights(world: World) -> None:
    """With the clock set back, a new expiry can be earlier than the old one and still let the key work again."""
    key = world.key("view_customer", expires_at=LATER).key
    APIKey.objects.filter(pk=key.pk).update(expired_seen_at=clock.now())
    with pytest.raises(DeniedError, match="do not hold"):
        services.edit_key(actor=world.actor(world.manager), key_id=key.pk, changes={"expires_at": SOONER})

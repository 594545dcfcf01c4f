"""What an organisation demands of keys is demanded by the services, whoever asks; what exists stays as it is."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.services.organizations import add_membership, edit_key_policy
from keyadmin.kernel import clock
from keyadmin.kernel.actor import SYSTEM, Actor
from keyadmin.kernel.errors import ConflictError, InvalidError
from keyadmin.keys import policy, services
from keyadmin.keys.models import APIKey
from keyadmin.keys.policy import Demands, demands_on
from tests.api.calls import KEYS, call, json_of, problem
from tests.keys.test_race import at_once
from tests.world import OPERATOR, World

SAYING_WHY = dataclasses.replace(OPERATOR, reason="new contract")


def demand(world: World, **changes: Any) -> None:
    edit_key_policy(actor=OPERATOR, organization=world.acme, changes=changes)  # type: ignore[arg-type]


def in_days(days: int) -> datetime:
    return policy.last_moment(clock.now(), days)


def refused(field: str, **fields: Any) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        services.create_key(actor=OPERATOR, name="K", **fields)
    assert list(caught.value.errors) == [field]
    return caught.value


def test_the_longest_life_binds_new_keys_and_changed_ones(world: World) -> None:
    old = world.key("view_customer").key
    demand(world, longest_life_days=30)
    acme = world.acme
    refused("expiry_date", organization=acme, expires_at=None)
    refused("expiry_date", organization=acme, expires_at=in_days(31))
    refused("expiry_date", organization=acme)
    key = services.create_key(actor=OPERATOR, name="K", organization=acme, expires_at=in_days(30)).key
    for late in (None, in_days(31)):
        with pytest.raises(InvalidError, match="30 days"):
            services.edit_key(actor=OPERATOR, key_id=key.pk, changes={"expires_at": late})
        with pytest.raises(InvalidError, match="30 days"):
            services.regenerate_key(actor=OPERATOR, key_id=key.pk, expires_at=late)
    services.edit_key(actor=OPERATOR, key_id=old.pk, changes={"name": "still for ever"})
    services.regenerate_key(actor=OPERATOR, key_id=old.pk)
    assert APIKey.objects.get(pk=old.pk).expires_at is None


def test_the_default_life_is_for_those_who_say_nothing(world: World) -> None:
    demand(world, default_life_days=7)
    key = services.create_key(actor=OPERATOR, name="K", organization=world.acme).key
    assert key.expires_at == in_days(7)
    assert (
        services.create_key(actor=OPERATOR, name="K", organization=world.acme, expires_at=None).key.expires_at is None
    )
    client = world.client(key=world.key("*").secret)
    assert json_of(call(client, "POST", KEYS, {"name": "x"}))["expiry_date"] == clock.rfc3339(in_days(7))
    assert json_of(call(client, "POST", KEYS, {"name": "x", "expiry_date": None}))["expiry_date"] is None


def test_never_expiring_can_be_forbidden(world: World) -> None:
    demand(world, never_expiring_allowed=False)
    refused("expiry_date", organization=world.acme)
    services.create_key(actor=OPERATOR, name="K", organization=world.acme, expires_at=in_days(5000))


def test_admin_keys_can_be_forbidden_or_tied_to_networks(world: World) -> None:
    demand(world, admin_networks_required=True)
    refused("allowed_networks", organization=world.acme, permissions=["*"])
    key = world.key("*", allowed_networks=["203.0.113.0/24"]).key
    with pytest.raises(InvalidError, match="networks"):
        services.edit_key(actor=OPERATOR, key_id=key.pk, changes={"allowed_networks": []})
    demand(world, admin_keys_allowed=False)
    refused("permissions", organization=world.acme, permissions=["*", "view_customer"])
    refused("permissions", kind="user", owner=world.admin)
    services.create_key(actor=OPERATOR, name="K", kind="user", owner=world.admin, permissions=["view_customer"])
    weak = world.key("view_customer").key
    with pytest.raises(InvalidError, match="no admin keys"):
        services.edit_key(actor=OPERATOR, key_id=weak.pk, changes={"permissions": ["*"]})
    services.edit_key(actor=OPERATOR, key_id=key.pk, changes={"name": "stays as it is"})


def test_a_reason_can_be_demanded_of_all_but_the_brake(world: World) -> None:
    key = world.key("view_customer").key
    demand(world, reason_required=True)
    refused("reason", organization=world.acme)
    acts: list[Callable[[Actor], object]] = [
        lambda actor: services.edit_key(actor=actor, key_id=key.pk, changes={"name": "L"}),
        lambda actor: services.regenerate_key(actor=actor, key_id=key.pk),
        lambda actor: services.revoke_key(actor=actor, key_id=key.pk),
        lambda actor: services.delete_key(actor=actor, key_id=key.pk),
    ]
    for act in acts:
        with pytest.raises(InvalidError, match="reason"):
            act(OPERATOR)
        act(SAYING_WHY)
    brake = services.create_key(actor=SAYING_WHY, name="K", organization=world.acme).key
    services.pause_key(actor=OPERATOR, key_id=brake.pk)
    services.create_key(actor=SYSTEM, name="K", organization=world.acme)


def test_only_api_users_may_have_user_keys(world: World) -> None:
    demand(world, api_users_only=True)
    refused("owner", kind="user", owner=world.developer)
    world.user_key(world.robot)


def test_one_living_key_for_each_user(world: World) -> None:
    demand(world, one_key_per_user=True)
    first = world.user_key(world.robot).key
    with pytest.raises(ConflictError) as caught:
        world.user_key(world.robot)
    assert caught.value.kind.code == "one_key_per_user"
    assert first.masked in caught.value.detail
    services.pause_key(actor=OPERATOR, key_id=first.pk)
    with pytest.raises(ConflictError):
        world.user_key(world.robot)
    world.user_key(world.developer)
    world.key("view_customer")

    past = clock.now() - timedelta(days=1)
    APIKey.objects.filter(pk=first.pk).update(paused_at=None, created_at=past - timedelta(days=1), expires_at=past)
    second = world.user_key(world.robot).key
    with pytest.raises(ConflictError):
        services.edit_key(actor=OPERATOR, key_id=first.pk, changes={"expires_at": None})
    with pytest.raises(ConflictError):
        services.regenerate_key(actor=OPERATOR, key_id=first.pk, expires_at=None)
    services.revoke_key(actor=OPERATOR, key_id=second.pk)
    services.edit_key(actor=OPERATOR, key_id=first.pk, changes={"expires_at": None})


def test_of_two_made_at_once_one_is_refused(lasting_world: World) -> None:
    demand(lasting_world, one_key_per_user=True)
    results = at_once([lambda: lasting_world.user_key(lasting_world.robot)] * 8)
    assert results == {"done": 1, "one_key_per_user": 7}


def test_the_strictest_of_a_persons_organisations_binds_their_key(world: World) -> None:
    add_membership(actor=OPERATOR, organization=world.globex, user=world.developer)
    demand(world, longest_life_days=90, reason_required=True)
    edit_key_policy(actor=OPERATOR, organization=world.globex, changes={"longest_life_days": 10})
    assert demands_on(None, world.developer) == Demands(longest_life_days=10, reason_required=True)
    with pytest.raises(InvalidError, match="10 days"):
        services.create_key(actor=SAYING_WHY, name="K", kind="user", owner=world.developer, expires_at=in_days(11))


def test_rest_names_the_field(world: World) -> None:
    demand(world, longest_life_days=30, reason_required=True)
    client = world.client(world.admin, headers={"X-Organization": "acme"})
    body = problem(call(client, "POST", KEYS, {"name": "x", "expiry_date": None}), 422, "validation_error")
    assert list(body["errors"]) == ["reason"]
    sent = {"name": "x", "expiry_date": None}
    body = problem(call(client, "POST", KEYS, sent, headers={"X-Reason": "why"}), 422, "validation_error")
    assert list(body["errors"]) == ["expiry_date"]


def test_the_form_offers_what_is_allowed_and_asks_for_what_is_demanded(world: World) -> None:
    client = world.client(world.admin)
    assert 'name="reason"' not in client.get("/o/acme/keys/new/").content.decode()
    demand(world, longest_life_days=60, reason_required=True, admin_keys_allowed=False)
    page = client.get("/o/acme/keys/new/").content.decode()
    assert 'name="reason"' in page
    assert "60 days at most" in page
    assert "This organisation allows no admin keys." in page

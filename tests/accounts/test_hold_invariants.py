"""Invariants that the database itself holds: each row that breaks one is refused by it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from accounts.models import Group, Membership, Organization, Policy, User
from keyadmin.activity.models import Event
from keyadmin.freshness.models import Epoch
from keyadmin.instance.models import Instance
from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.world import OPERATOR, World


def update(model: type[models.Model], **fields: Any) -> Callable[[World], object]:
    return lambda world: model._default_manager.filter(pk=model._default_manager.order_by("pk")[0].pk).update(**fields)


def update_user(who: str, **fields: Any) -> Callable[[World], object]:
    return lambda world: User.objects.filter(pk=getattr(world, who).pk).update(**fields)


def second_home(world: World) -> None:
    Membership.objects.create(user=world.robot, user_kind="api", organization=world.globex, created_at=clock.now())


def same_group_name(world: World) -> None:
    Group.objects.create(organization=world.acme, name="AUDITORS", created_at=clock.now())


def same_policy_name(world: World) -> None:
    Policy.objects.create(organization=world.acme, name="auditors", created_at=clock.now())


def same_member(world: World) -> None:
    Membership.objects.create(user=world.admin, user_kind="person", organization=world.acme, created_at=clock.now())


def fork(world: World) -> None:
    event = Event.objects.order_by("pk")[0]
    event.pk, event.sequence = None, 999_999
    event.save(force_insert=True)


def revoke_but_keep_verifier(world: World) -> None:
    APIKey.objects.update(revoked_at=clock.now())


def same_token_id(world: World) -> None:
    other = world.key().key
    APIKey.objects.filter(pk=other.pk).update(token_id=APIKey.objects.order_by("pk")[0].token_id)


@pytest.mark.parametrize(
    "break_it",
    [
        update_user("robot", password="!x"),
        update_user("robot", email="robot@example.org"),
        update_user("robot", is_instance_admin=True),
        update_user("admin", email=None),
        update_user("admin", email="Dana@example.org"),
        update_user("auditor", email="dana@example.org"),
        update_user("admin", name=""),
        update(Organization, slug="globex"),
        update(Organization, name=""),
        second_home,
        same_member,
        same_group_name,
        same_policy_name,
        fork,
        update(Epoch, id=2),
        update(Instance, id=2),
        update(APIKey, organization=None),
        update(APIKey, permissions=None),
        update(APIKey, kind="user"),
        update(APIKey, kind="other"),
        update(APIKey, name=""),
        update(APIKey, environment="prod"),
        update(APIKey, version=0),
        update(APIKey, verifier=""),
        update(APIKey, expires_at=clock.now().replace(year=2000)),
        update(APIKey, expired_seen_at=clock.now()),
        revoke_but_keep_verifier,
        same_token_id,
    ],
    ids=lambda f: f.__name__ if f.__name__ != "<lambda>" else None,
)
def test_the_database_refuses(world: World, break_it: Callable[[World], object]) -> None:
    world.key()
    with pytest.raises(IntegrityError), transaction.atomic():
        break_it(world)


@pytest.mark.parametrize("who", ["admin", "robot"])
def test_what_is_in_use_is_not_deleted(world: World, who: str) -> None:
    world.user_key(getattr(world, who))
    with pytest.raises(models.ProtectedError):
        getattr(world, who).delete()
    with pytest.raises(models.ProtectedError):
        world.acme.delete()


def test_history_outlives_what_it_describes(world: World) -> None:
    key = world.key().key
    count = Event.objects.filter(target_kind="api_key", target_id=key.pk).count()
    services.delete_key(actor=OPERATOR, key_id=key.pk)
    assert Event.objects.filter(target_kind="api_key", target_id=key.pk).count() == count + 1

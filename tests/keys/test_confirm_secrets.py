"""Whether somebody said that a secret, shown on a page, was saved."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from keyadmin.activity.models import Event
from keyadmin.kernel.errors import DeniedError, NotFoundError, StaleError
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.world import OPERATOR, World


def confirmations() -> int:
    return Event.objects.filter(name="api_key.secret_confirmed").count()


def test_a_secret_taken_by_a_machine_needs_no_confirmation(world: World) -> None:
    key = world.key().key
    assert key.secret_confirmed_at
    services.regenerate_key(actor=OPERATOR, key_id=key.pk)
    assert APIKey.objects.exclude(secret_confirmed_at=None).get() == key


def test_a_secret_shown_on_a_page_is_confirmed_once(world: World) -> None:
    key = world.key(confirmed=False).key
    assert key.secret_confirmed_at is None
    confirmed = services.confirm_secret(actor=OPERATOR, key_id=key.pk, token_id=str(key.token_id))
    assert confirmed.secret_confirmed_at
    again = services.confirm_secret(actor=OPERATOR, key_id=key.pk, token_id=str(key.token_id))
    assert again.secret_confirmed_at == confirmed.secret_confirmed_at
    assert confirmations() == 1
    assert again.version == key.version, "a form that was open meanwhile is still good"


def test_a_new_secret_is_to_be_confirmed_anew(world: World) -> None:
    key = world.key().key
    services.regenerate_key(actor=OPERATOR, key_id=key.pk, confirmed=False)
    assert APIKey.objects.get().secret_confirmed_at is None


def test_who_saved_the_former_secret_has_not_saved_this_one(world: World) -> None:
    key = world.key(confirmed=False).key
    services.regenerate_key(actor=OPERATOR, key_id=key.pk, confirmed=False)
    with pytest.raises(StaleError):
        services.confirm_secret(actor=OPERATOR, key_id=key.pk, token_id=str(key.token_id))
    assert APIKey.objects.get().secret_confirmed_at is None
    assert confirmations() == 0


def test_only_who_manages_the_key_confirms(world: World) -> None:
    key = world.key(confirmed=False).key
    with pytest.raises(DeniedError):
        services.confirm_secret(actor=world.actor(world.auditor), key_id=key.pk, token_id=str(key.token_id))
    with pytest.raises(NotFoundError):
        services.confirm_secret(actor=world.actor(world.stranger), key_id=key.pk, token_id=str(key.token_id))
    assert confirmations() == 0


def test_keys_from_before_count_as_confirmed(lasting_world: World) -> None:
    key = lasting_world.key(confirmed=False).key
    try:
        MigrationExecutor(connection).migrate([("keys", "0001_initial")])
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert APIKey.objects.get().secret_confirmed_at == key.created_at

"""The limit of a key: how it is written, who may raise it, what the log says."""

import json

import pytest
from django.db import IntegrityError, transaction

from accounts.models import KeyPolicy
from accounts.services.organizations import edit_key_policy
from keyadmin.activity.models import Event
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import DeniedError, InvalidError
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.keys.often import often
from tests.world import OPERATOR, World


def test_it_is_kept_in_its_one_spelling_and_logged(world: World) -> None:
    key = world.key("view_customer", rate_limit=" 600/Minute ").key
    assert APIKey.objects.get(pk=key.pk).rate_limit == "600/minute"
    services.edit_key(actor=OPERATOR, key_id=key.pk, changes={"rate_limit": "5/second"})
    event = json.loads(Event.objects.get(name="api_key.updated").text)
    assert (event["before"], event["after"]) == ({"rate_limit": "600/minute"}, {"rate_limit": "5/second"})
    same = services.edit_key(actor=OPERATOR, key_id=key.pk, changes={"rate_limit": "5/second"})
    assert same.version == 2


@pytest.mark.parametrize("text", ["", "600", "600/month", "0/minute", "1000001/day"])
def test_nonsense_is_refused(world: World, text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        world.key(rate_limit=text)
    assert list(refused.value.errors) == ["rate_limit"]
    with pytest.raises(InvalidError) as refused:
        edit_key_policy(actor=OPERATOR, organization=world.acme, changes={"default_rate_limit": text})
    assert list(refused.value.errors) == ["default_rate_limit"]


@pytest.mark.parametrize("columns", [(0, 60), (1, 61), (1, None), (None, 60), (1_000_001, 60)])
def test_the_database_keeps_nothing_else(world: World, columns: tuple[int | None, int | None]) -> None:
    key = world.key().key
    with pytest.raises(IntegrityError), transaction.atomic():
        APIKey.objects.filter(pk=key.pk).update(rate_count=columns[0], rate_seconds=columns[1])
    with pytest.raises(IntegrityError), transaction.atomic():
        KeyPolicy.objects.filter(pk=world.acme.pk).update(
            default_rate_count=columns[0], default_rate_seconds=columns[1]
        )


@pytest.mark.parametrize(
    ("before", "after", "raises"),
    [
        ("600/minute", "601/minute", True),
        ("600/minute", None, False),  # the default is less
        ("5/minute", None, True),
        ("600/minute", "600/second", True),
        ("600/minute", "10/second", False),
        ("600/minute", "599/minute", False),
        (None, "10/minute", False),
        (None, "11/minute", True),
    ],
)
def test_raising_needs_all_rights_of_the_key_and_lowering_none(
    world: World, before: str | None, after: str | None, raises: bool
) -> None:
    edit_key_policy(actor=OPERATOR, organization=world.acme, changes={"default_rate_limit": "10/minute"})
    key = world.key("view_customer", rate_limit=before).key  # more than a key manager holds

    def edit(actor: Actor) -> str | None:
        return services.edit_key(actor=actor, key_id=key.pk, changes={"rate_limit": after}).rate_limit

    if raises:
        with pytest.raises(DeniedError):
            edit(world.actor(world.manager))
    else:
        assert edit(world.actor(world.manager)) == after
    assert edit(OPERATOR) == after


def test_taking_the_only_limit_away_needs_all_rights(world: World) -> None:
    key = world.key("view_customer", rate_limit="600/minute").key
    with pytest.raises(DeniedError):
        services.edit_key(actor=world.actor(world.manager), key_id=key.pk, changes={"rate_limit": None})


def test_bulk_is_more_often_too(world: World) -> None:
    limited, free = world.key("view_customer", rate_limit="6/minute").key, world.key("view_customer").key
    with pytest.raises(DeniedError):
        services.edit_key(actor=world.actor(world.manager), key_id=limited.pk, changes={"name": "Sync[bulk]"})
    services.edit_key(actor=world.actor(world.manager), key_id=free.pk, changes={"name": "Sync[bulk]"})


def test_the_page_says_which_limit_holds_and_whose_it_is(world: World) -> None:
    key, client = world.key("view_customer").key, world.client(world.admin)
    page = f"/o/acme/keys/{key.pk}/"
    assert often(key).rate is None
    edit_key_policy(actor=OPERATOR, organization=world.acme, changes={"default_rate_limit": "60/minute"})
    assert '60/minute <span class="ka-sub">The organisation&#x27;s default.' in client.get(page).content.decode()
    changes: services.KeyChanges = {"name": "Sync[bulk]", "rate_limit": "7/hour"}
    services.edit_key(actor=OPERATOR, key_id=key.pk, changes=changes)
    assert "70/hour" in client.get(page).content.decode()
    assert "Its own limit, 7/hour, times 10 by [bulk]." in client.get(page).content.decode()

"""The page of one key: its state and what helps, what it may do and why, its secrets, its story."""

import dataclasses
from datetime import timedelta

import pytest

from accounts import queries as accounts
from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, page
from tests.pages.reading import Page
from tests.world import OPERATOR, World


def words(world: World, key: APIKey, user: str = "admin") -> str:
    return Page(world.client(getattr(world, user)).get(f"{KEYS}{key.pk}/")).text


def banner(world: World, key: APIKey, user: str = "admin") -> str:
    text = page(world.client(getattr(world, user)), f"{KEYS}{key.pk}/")
    return "".join(text.split('class="ka-columns"')[0].split("ka-note ")[1:])


@pytest.mark.parametrize(
    ("fields", "said", "acts"),
    [
        ({}, (), ()),
        ({"expires_at": 12}, ("Expires", "in 11 days"), ("Extend",)),
        ({"created_at": -9, "expires_at": -3}, ("Expired.", "3 days ago"), ("Regenerate", "Extend expiry")),
        ({"paused_at": -2}, ("Paused", "2 days ago"), ("Resume",)),
        ({"secret_confirmed_at": None}, ("Secret not confirmed.",), ("I have it", "Regenerate")),
    ],
    ids="active expiring expired paused unconfirmed".split(),
)
def test_the_state_is_said_with_what_helps(
    world: World, fields: dict[str, int | None], said: tuple[str, ...], acts: tuple[str, ...]
) -> None:
    key = world.key("*").key
    moments = {name: None if days is None else clock.now() + timedelta(days=days) for name, days in fields.items()}
    APIKey.objects.filter(pk=key.pk).update(**moments)
    text = banner(world, key)
    assert text.count("ka-banner") == bool(said) + bool(said and acts)
    assert all(one in text for one in (*said, *(f">{act}<" for act in acts)))
    assert text.count("btn-quiet") == len(acts)
    assert "btn-quiet" not in banner(world, key, "manager"), "who lacks rights of the key may not prolong it"
    assert "btn-quiet" not in banner(world, key, "auditor")


def test_a_revoked_key_says_who_stopped_it_and_why(world: World) -> None:
    key = world.key().key
    actor = dataclasses.replace(world.actor(world.admin), reason="It <b>leaked</b>.")
    services.revoke_key(actor=actor, key_id=key.pk)
    text = banner(world, key)
    assert "by <bdi>Dana</bdi>" in text
    assert "Reason: <bdi>It &lt;b&gt;leaked&lt;/b&gt;.</bdi>" in text


def test_rights_come_in_words_with_their_source(world: World) -> None:
    text = words(world, world.key("view_customer", "apikey.view").key)
    assert "View customers view_customer" in text
    assert "via" not in text
    robot = words(world, world.user_key(world.robot, ["apikey.view", "view_customer"]).key)
    assert "View API keys apikey.view via group Readers → policy " in robot
    assert "In its list, but Robot does not have it: view_customer ." in robot
    assert "Everything. This is an admin key" in words(world, world.key("*").key)
    assert "Nothing but say who it is." in words(world, world.key().key)


def test_sources_are_those_of_the_organisation_alone(world: World) -> None:
    assert [source.group for source in accounts.sources(world.robot, world.acme)] == ["Readers"]
    assert not accounts.sources(world.robot, world.globex)


def test_the_lineage_names_every_secret_in_order(world: World) -> None:
    key = world.key().key
    ids = [str(key.token_id)]
    for _ in range(2):
        ids.insert(0, str(services.regenerate_key(actor=OPERATOR, key_id=key.pk).key.token_id))
    text = words(world, key).split("Lineage")[1]
    places = [text.index(token_id) for token_id in ids]
    assert places == sorted(places)
    assert text.count("Current") == 1
    assert text.index("Current") < places[1]


def test_the_story_says_what_changed(world: World) -> None:
    key = world.key("view_customer", name="Old").key
    changes = services.KeyChanges(
        name="New",
        permissions=["view_service"],
        expires_at=clock.parse_moment("2999-12-31"),
        allowed_networks=["10.0.0.0/8"],
    )
    services.edit_key(actor=world.actor(world.admin), key_id=key.pk, changes=changes)
    text = words(world, key).split("Timeline")[1]
    assert "Changed by Dana" in text
    assert "Name: from Old to New" in text
    assert "Expiry date: from Never to 31 Dec 2999" in text
    assert "Networks: added 10.0.0.0/8" in text
    assert "Permissions: added View services , removed View customers" in text


def test_acts_are_offered_only_where_they_would_work(world: World) -> None:
    key = world.key("*", name="Mighty").key
    services.pause_key(actor=OPERATOR, key_id=key.pk)
    for path in (f"{KEYS}{key.pk}/", KEYS):
        assert "Resume" in page(world.client(world.admin), path)
        assert "Resume" not in page(world.client(world.manager), path)
        assert "Regenerate Key…" not in page(world.client(world.manager), path)
        assert "Revoke…" in page(world.client(world.manager), path)
        assert "Revoke…" not in page(world.client(world.auditor), path)

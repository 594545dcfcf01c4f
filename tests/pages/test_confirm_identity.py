"""Dangerous acts ask for the password, in the same form, unless one signed in within the last ten minutes."""

from typing import Any

import pytest
from django.test import Client

from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, NEW, fields, nonce_of
from tests.pages.reading import Page
from tests.world import PASSWORD, World, confirm

ADMIN = {"mode": "admin", "admin_confirmed": "on", "description": "Typed with care"}


@pytest.fixture
def late(world: World) -> Client:
    """The administrator, who signed in eleven minutes ago."""
    client = world.client(world.admin)
    confirm(client, world.admin, seconds_ago=660)
    return client


def asks(response: Any) -> bool:
    return any(field.get("name") == "identity" for field in Page(response).all("input"))


def test_right_after_sign_in_nothing_asks(world: World) -> None:
    client, key = world.client(world.admin), world.key("*").key.pk

    for path in (NEW, f"{KEYS}{key}/regenerate/", f"{KEYS}{key}/revoke/", f"{KEYS}{key}/delete/"):
        assert not asks(client.get(path))


def test_later_an_admin_key_needs_the_password(late: Client) -> None:
    nonce = nonce_of(late)
    for sent, words in (("", "Your password is missing."), ("wrong", "The password is wrong.")):
        refused = late.post(NEW, fields(**ADMIN, nonce=nonce, identity=sent))
        assert refused.status_code == 422
        assert words in Page(refused).text
        assert "Typed with care" in Page(refused).text
        assert "value" not in Page(refused).field("identity")
    assert not APIKey.objects.exists()

    assert late.post(NEW, fields(**ADMIN, nonce=nonce, identity=PASSWORD)).status_code == 200
    assert APIKey.objects.get().permissions == ["*"]
    assert not asks(late.get(NEW)), "it counts for ten minutes"


def test_other_keys_need_none(late: Client) -> None:
    assert late.post(NEW, fields(nonce=nonce_of(late), identity="never looked at")).status_code == 200
    assert asks(late.get(NEW)), "what was not looked at confirms nothing"


@pytest.mark.parametrize("act", ["regenerate", "revoke", "delete"])
def test_later_ending_or_replacing_a_secret_needs_the_password(world: World, late: Client, act: str) -> None:
    key = world.key("*").key
    path = f"{KEYS}{key.pk}/{act}/"
    assert asks(late.get(path))
    sent = {"name": key.name, "nonce": "n" * 32, "version": "1"}

    assert late.post(path, {**sent, "identity": "wrong"}).status_code == 422
    assert APIKey.objects.get().token_id == key.token_id
    assert late.post(path, {**sent, "identity": PASSWORD}).status_code in (200, 302, 303)
    assert not APIKey.objects.filter(token_id=key.token_id, revoked_at=None).exists()


def test_a_small_key_is_revoked_without(world: World, late: Client) -> None:
    assert not asks(late.get(f"{KEYS}{world.key().key.pk}/revoke/")), "a leak must be stopped quickly"


def test_guessing_is_throttled_like_a_sign_in(world: World, late: Client) -> None:
    path = f"{KEYS}{world.key('*').key.pk}/regenerate/"
    for _ in range(5):
        late.post(path, {"nonce": "n" * 32, "version": "1", "identity": "wrong"})

    assert "Too many attempts" in Page(late.post(path, {"nonce": "n" * 32, "version": "1", "identity": PASSWORD})).text

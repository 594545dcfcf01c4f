"""Dangerous acts ask for the password, in the same form, unless one signed in within the last ten minutes."""

from typing import Any

import pytest
from django.test import Client

from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, NEW, fields, nonce_of
from tests.pages.reading import Page
from tests.pages.signing_in import code_of, turn_on_app
from tests.pages.test_passkeys import passkey
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
    refused = late.post(path, {"nonce": "n" * 32, "version": "1", "identity": PASSWORD})

    assert refused.status_code == 429
    assert "Too many attempts" in Page(refused).text
    password = late.post("/me/security/password/", {"oldpassword": PASSWORD, "password1": "twelve brown foxes"})
    assert password.status_code == 429
    assert world.admin.check_password(PASSWORD)


def test_who_has_an_app_may_type_its_code_instead(world: World, late: Client) -> None:
    secret, _ = turn_on_app(world.client(world.admin))
    path = f"{KEYS}{world.key('*').key.pk}/regenerate/"
    sent = {"nonce": "n" * 32, "version": "1"}
    assert "or a code from your app" in Page(late.get(path)).text

    refused = late.post(path, {**sent, "identity": "000000"})
    assert refused.status_code == 422
    assert "The code is wrong" in Page(refused).text
    assert late.post(path, {**sent, "identity": code_of(secret)}).status_code == 200
    assert not asks(late.get(path)), "it counts for ten minutes"


def test_a_code_is_no_password_for_who_has_no_app(late: Client, world: World) -> None:
    path = f"{KEYS}{world.key('*').key.pk}/regenerate/"
    refused = late.post(path, {"nonce": "n" * 32, "version": "1", "identity": "123456"})

    assert "The password is wrong." in Page(refused).text


def test_who_has_neither_at_hand_is_shown_the_other_ways(world: World, late: Client) -> None:
    path = f"{KEYS}{world.key('*').key.pk}/regenerate/"
    assert "another way" not in Page(late.get(path)).text
    turn_on_app(world.client(world.admin))
    links = [link["href"] for link in Page(late.get(path)).all("a")]
    assert "/me/confirm/?next=/me/security/" in links


def test_password_code_and_passkey_are_equal_ways(world: World) -> None:
    client = world.client(world.developer)
    secret, _ = turn_on_app(client)
    passkey(world.developer)
    confirm(client, world.developer, seconds_ago=660)
    page = Page(client.get("/me/confirm/?next=/me/security/app/remove/"))
    ways = [link["href"] for link in page.all("a") if link["href"].startswith("/me/confirm/")]
    assert ways == [f"/me/confirm/{way}?next=%2Fme%2Fsecurity%2Fapp%2Fremove%2F" for way in ("", "code/", "passkey/")]

    done = client.post(ways[1], {"code": code_of(secret)}, follow=True)
    assert done.redirect_chain == [("/me/security/app/remove/", 302)]
    assert "You confirmed that it is you." in Page(done).text


@pytest.mark.parametrize("next_page", ["https://elsewhere.example/", "http://testserver/", "//elsewhere.example/"])
def test_confirming_leads_to_no_other_site(world: World, next_page: str) -> None:
    client = world.client(world.developer)
    response = client.post("/me/confirm/", {"password": PASSWORD, "next": next_page})

    assert response["Location"] == "/"

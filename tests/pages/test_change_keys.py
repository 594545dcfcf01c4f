"""Editing, pausing, resuming, revoking and deleting a key from its pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from keyadmin.keys.status import Status
from tests.pages.managing import KEYS, page, version_of
from tests.world import World


@pytest.fixture
def key(world: World) -> APIKey:
    return world.key("view_customer", name="Billing sync", expires_at=clock.now() + timedelta(days=60)).key


@pytest.fixture
def kim(world: World) -> Client:
    return world.client(world.manager)


def edited(client: Client, key: APIKey, **changes: Any) -> dict[str, Any]:
    return {
        "name": key.name,
        "description": key.description,
        "expiry": "keep",
        "mode": "custom",
        "permissions": key.permissions,
        "networks": "",
        "version": version_of(client, f"{KEYS}{key.pk}/edit/"),
        "reason": "",
        **changes,
    }


def test_an_edit_is_saved_and_said(kim: Client, key: APIKey) -> None:
    path, before = f"{KEYS}{key.pk}/", key.expires_at
    sent = edited(kim, key, name="Billing export", description="Nightly", networks="203.0.113.0/24", reason="renamed")
    response = kim.post(f"{path}edit/", sent)
    assert (response.status_code, response["Location"]) == (303, path)
    assert "Billing export was changed." in page(kim, path)
    key.refresh_from_db()
    assert (key.name, key.description, key.allowed_networks) == ("Billing export", "Nightly", ["203.0.113.0/24"])
    assert (key.permissions, key.expires_at) == (["view_customer"], before)


def test_a_wrong_edit_keeps_what_was_typed(kim: Client, key: APIKey) -> None:
    response = kim.post(f"{KEYS}{key.pk}/edit/", edited(kim, key, name="", description="Typed just now"))
    text = response.content.decode()
    assert response.status_code == 422
    assert "There is a problem" in text
    assert "Typed just now" in text


def test_an_edit_of_what_somebody_changed_meanwhile_is_refused(kim: Client, key: APIKey) -> None:
    stale = edited(kim, key, description="Mine")
    kim.post(f"{KEYS}{key.pk}/edit/", edited(kim, key, description="Theirs"))
    response = kim.post(f"{KEYS}{key.pk}/edit/", stale)
    assert response.status_code == 422
    assert "Somebody changed this key meanwhile" in response.content.decode()
    key.refresh_from_db()
    assert key.description == "Theirs"


def test_pausing_and_resuming_take_one_click(world: World, key: APIKey) -> None:
    kim, path = world.client(world.admin), f"{KEYS}{key.pk}/"
    for act, words, status in (("pause", "is paused", Status.PAUSED), ("resume", "works again", Status.ACTIVE)):
        assert kim.post(f"{path}{act}/")["Location"] == path
        assert words in page(kim, path)
        key.refresh_from_db()
        assert key.status is status


def test_revoking_asks_first_and_is_final(kim: Client, key: APIKey) -> None:
    path = f"{KEYS}{key.pk}/"
    assert "cannot be undone" in page(kim, f"{path}revoke/")
    key.refresh_from_db()
    assert key.status is Status.ACTIVE
    assert kim.post(f"{path}revoke/", {"version": version_of(kim, f"{path}revoke/")})["Location"] == path
    text = page(kim, path)
    assert "Billing sync was revoked." in text
    assert f"{path}edit/" not in text
    assert "<bdi>Billing sync</bdi></a>" not in page(kim, KEYS)
    assert "<bdi>Billing sync</bdi></a>" in page(kim, f"{KEYS}?status=revoked")


def test_deleting_asks_first_and_removes_the_key(kim: Client, key: APIKey) -> None:
    path = f"{KEYS}{key.pk}/"
    assert "activity records are kept" in page(kim, f"{path}delete/")
    response = kim.post(f"{path}delete/", {"version": version_of(kim, f"{path}delete/"), "reason": "old"})
    assert (response.status_code, response["Location"]) == (303, KEYS)
    assert "Billing sync was deleted." in page(kim, KEYS)
    page(kim, path, 404)


def test_an_act_on_what_somebody_changed_meanwhile_is_refused(kim: Client, key: APIKey) -> None:
    version = version_of(kim, f"{KEYS}{key.pk}/revoke/")
    kim.post(f"{KEYS}{key.pk}/edit/", edited(kim, key, description="Changed"))
    assert kim.post(f"{KEYS}{key.pk}/revoke/", {"version": version}).status_code == 422
    key.refresh_from_db()
    assert key.status is Status.ACTIVE


def test_auditors_see_no_buttons_and_are_refused(world: World, key: APIKey) -> None:
    ari = world.client(world.auditor)
    for path in ("/o/acme/", KEYS, f"{KEYS}{key.pk}/"):
        text = page(ari, path)
        assert "Billing sync" in text
        for act in ("new", "edit", "pause", "regenerate", "revoke", "delete"):
            assert f"/{act}/" not in text, (path, act)
    for act in ("edit", "pause", "resume", "regenerate", "revoke", "delete"):
        assert ari.post(f"{KEYS}{key.pk}/{act}/").status_code == 403
    assert ari.post(f"{KEYS}new/").status_code == 403
    key.refresh_from_db()
    assert key.status is Status.ACTIVE


def test_developers_change_only_their_own(world: World, key: APIKey) -> None:
    own = world.user_key(world.developer).key
    dev = world.client(world.developer)
    assert f"{KEYS}{own.pk}/revoke/" in page(dev, f"{KEYS}{own.pk}/")
    assert dev.post(f"{KEYS}{own.pk}/pause/").status_code == 303
    for act in ("pause", "revoke", "delete", "edit", "regenerate"):
        assert dev.post(f"{KEYS}{key.pk}/{act}/").status_code == 404


def test_the_activity_page_says_who_changed_what(world: World, kim: Client, key: APIKey) -> None:
    kim.post(f"{KEYS}{key.pk}/edit/", edited(kim, key, description="After that", reason="tidy up"))
    ari = world.client(world.auditor)
    text = page(ari, "/o/acme/activity/?action=api_key.updated")
    for words in ("Edited API key", "Kim", "<ins>After that</ins>", "tidy up"):
        assert words in text
    assert "No activity matches." in page(ari, "/o/acme/activity/?target=nothing-like-it")
    assert "<html" not in ari.get("/o/acme/activity/", headers={"HX-Request": "true"}).content.decode()
    assert 'method="post" action="/o/' not in text

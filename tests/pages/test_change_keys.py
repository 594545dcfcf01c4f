"""Editing, pausing, resuming, revoking and deleting a key from its pages."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from keyadmin.activity.models import Event
from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.keys.status import Status
from tests.pages.managing import KEYS, page, version_of
from tests.pages.reading import Page
from tests.world import OPERATOR, World


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
        "mode": "owner" if key.permissions is None else "custom",
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


def test_who_was_faster_is_named_with_what_they_changed_to_whoever_sees_the_key(world: World) -> None:
    own = services.create_key(
        actor=world.actor(world.developer),
        organization=world.acme,
        name="Mine",
        permissions=["apikey.own"],
        expires_at=clock.now() + timedelta(days=60),
    ).key
    dev = world.client(world.developer)
    assert dev.get("/o/acme/activity/").status_code == 403
    stale = edited(dev, own, name="Mine, too")  # the expiry "as it is", of which there is none any more
    services.edit_key(actor=world.actor(world.admin), key_id=own.pk, changes={"permissions": [], "expires_at": None})
    services.pause_key(actor=world.actor(world.manager), key_id=own.pk)
    response = dev.post(f"{KEYS}{own.pk}/edit/", stale)
    text = Page(response).text
    assert response.status_code == 422
    assert "Kim changed this key" in text
    assert "Permissions Manage own API keys → Nothing" in text
    assert "Created API key" not in text, "what happened before the version on the screen"


def test_what_was_saved_is_said(kim: Client, key: APIKey) -> None:
    kim.post(f"{KEYS}{key.pk}/edit/", edited(kim, key, name="Billing export", networks="203.0.113.0/24"))
    text = page(kim, f"{KEYS}{key.pk}/")
    assert "Billing export was changed. Name Billing sync → Billing export; added 203.0.113.0/24." in text
    kim.post(f"{KEYS}{key.pk}/edit/", edited(kim, APIKey.objects.get(), networks="203.0.113.0/24"))
    assert "Nothing was changed." in page(kim, f"{KEYS}{key.pk}/")


def test_patterns_and_missing_rights_survive_an_edit(world: World, kim: Client) -> None:
    """What no box stands for, what the person lacks, and a list that is empty or absent stay as they are."""
    given: tuple[tuple[APIKey, str], ...] = (
        (world.key("apikey.*", "view_customer", name="Patterns").key, "custom"),
        (world.key(name="Empty").key, "custom"),
        (world.user_key(world.robot).key, "owner"),
        (world.key("*", name="Root").key, "admin"),
    )
    for key, mode in given:
        path, before = f"{KEYS}{key.pk}/edit/", key.permissions
        shown = Page(kim.get(path))
        ticked = [box["value"] for box in shown.all("input") if box.get("name") == "permissions" and "checked" in box]
        sent = {**edited(kim, key), "mode": mode, "permissions": ticked, "expiry": "never", "description": "Seen"}
        assert kim.post(path, sent).status_code == 303, key.name
        key.refresh_from_db()
        assert (key.permissions, key.description) == (before, "Seen")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"expiry": "365"}, "id_expiry"),
        ({"networks": "203.0.113.0/24"}, "id_networks"),
        ({"permissions": ["view_customer", "view_invoice"]}, "id_permissions"),
    ],
)
def test_what_would_widen_a_key_beyond_ones_own_rights_is_refused_at_the_field(
    world: World, kim: Client, changes: dict[str, Any], field: str
) -> None:
    end = clock.now() + timedelta(days=60)
    key = world.key("view_customer", name="Mine", expires_at=end, allowed_networks=["10.0.0.0/8"]).key
    sent = edited(kim, key, **{"networks": "10.0.0.0/8", **changes})
    response = kim.post(f"{KEYS}{key.pk}/edit/", sent)
    text = response.content.decode()
    assert response.status_code == 422
    assert f'<a href="#{field}' in text
    assert "do not have" in text


def test_what_cannot_be_changed_is_said_with_why(kim: Client, key: APIKey) -> None:
    text = page(kim, f"{KEYS}{key.pk}/edit/")
    assert "The value cannot be changed." in text
    assert 'name="kind"' not in text
    assert 'name="environment"' not in text


def test_an_edit_of_what_somebody_changed_meanwhile_is_refused(kim: Client, key: APIKey) -> None:
    stale = edited(kim, key, description="Mine")
    kim.post(f"{KEYS}{key.pk}/edit/", edited(kim, key, description="Theirs"))
    response = kim.post(f"{KEYS}{key.pk}/edit/", stale)
    assert response.status_code == 422
    text = response.content.decode()
    assert "You changed this key" in text
    assert "<dt>Description</dt><dd><del>None</del> → <ins>Theirs</ins></dd>" in text
    assert "Mine</textarea>" in text
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
    asked = page(kim, f"{path}delete/")
    assert "Type Billing sync to confirm" in asked
    assert "View customers" in asked
    sent = {"version": version_of(kim, f"{path}delete/"), "cause": "Other", "details": "moved to new vendor"}
    for typed in ("", "billing sync", "Billing"):
        response = kim.post(f"{path}delete/", {**sent, "name": typed})
        assert (response.status_code, "The name does not match." in response.content.decode()) == (422, True)
    response = kim.post(f"{path}delete/", {**sent, "name": " Billing sync "})
    assert (response.status_code, response["Location"]) == (303, KEYS)
    assert "Billing sync was deleted." in page(kim, KEYS)
    page(kim, path, 404)
    (event,) = Event.objects.filter(name="api_key.deleted")
    assert json.loads(event.text)["reason"] == "Other: moved to new vendor"


def test_the_name_is_asked_where_most_is_at_stake(world: World, key: APIKey) -> None:
    dana = world.client(world.admin)
    admin_key = world.key("*", name="Root").key
    of_admin = world.user_key(world.admin, name="Dana's").key
    paused = world.key("view_customer", name="Paused").key
    services.pause_key(actor=OPERATOR, key_id=paused.pk)
    gone = world.key("*", name="Gone").key
    services.revoke_key(actor=OPERATOR, key_id=gone.pk)
    asked = {(key, "delete"), (admin_key, "revoke"), (admin_key, "delete"), (of_admin, "revoke"), (of_admin, "delete")}
    for one in (key, admin_key, of_admin, paused, gone):
        for act in ("revoke", "delete"):
            text = page(dana, f"{KEYS}{one.pk}/{act}/")
            assert ("to confirm" in text) == ((one, act) in asked), (one.name, act)
            assert ("Pause now" in text) == (act == "revoke" and one not in (paused, gone)), (one.name, act)
            assert ("it is an admin key" in text) == (one in (admin_key, of_admin, gone)), (one.name, act)


def test_revoking_an_admin_key_takes_its_name(world: World) -> None:
    key, dana = world.key("*", name="Root").key, world.client(world.admin)
    path = f"{KEYS}{key.pk}/revoke/"
    sent = {"version": version_of(dana, path), "cause": "Leaked", "details": ""}
    assert dana.post(path, sent).status_code == 422
    assert dana.post(path, {**sent, "name": "Root"}).status_code == 303
    (event,) = Event.objects.filter(name="api_key.revoked")
    assert json.loads(event.text)["reason"] == "Leaked"


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

"""The form for a new key, and the one time that its secret is shown."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, NEW, SECRET, fields, nonce_of, page, version_of
from tests.world import World


@pytest.fixture
def kim(world: World) -> Client:
    return world.client(world.manager)


def test_one_typed_name_is_enough(kim: Client) -> None:
    response = kim.post(NEW, fields(nonce=nonce_of(kim)))
    text = response.content.decode()
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    (secret,) = set(SECRET.findall(text))
    key = APIKey.objects.get()
    assert (key.name, key.environment, key.organization_id) == ("Billing sync", "live", key.organization_id)
    assert key.expires_at is not None
    assert timedelta(days=89) < key.expires_at - clock.now() < timedelta(days=91)
    assert key.permissions
    assert "*" not in key.permissions
    assert kim.get("/api/v1/whoami", headers={"X-API-KEY": secret}).status_code == 200


def test_the_secret_is_shown_once(kim: Client) -> None:
    sent = fields(nonce=nonce_of(kim))
    (secret,) = set(SECRET.findall(kim.post(NEW, sent).content.decode()))
    again = kim.post(NEW, sent)
    text = again.content.decode()
    assert again.status_code == 200
    assert "already created" in text
    assert not SECRET.search(text)
    key = APIKey.objects.get()
    for path in (KEYS, f"{KEYS}{key.pk}/", f"{KEYS}{key.pk}/edit/", "/o/acme/", NEW):
        assert secret not in page(kim, path)
    assert secret not in str(dict(kim.session))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "80"),
        ({"expiry": "custom"}, "Enter a date."),
        ({"expiry": "custom", "expiry_date": "2020-01-01"}, "future"),
        ({"expiry": "custom", "expiry_date": "31.12.2030"}, "date"),
        ({"mode": "custom"}, "Choose at least one permission."),
        ({"mode": "template"}, "Choose a template."),
        ({"kind": "user"}, "Choose the user that the key belongs to."),
        ({"networks": "10.0.0.0/33"}, "10.0.0.0/33"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(kim: Client, changes: dict[str, str], words: str) -> None:
    sent = fields(description="Kept as it was typed", nonce=nonce_of(kim), **changes)
    response = kim.post(NEW, sent)
    text = response.content.decode()
    assert response.status_code == 422
    assert "There is a problem" in text
    assert words in text
    assert "Kept as it was typed" in text
    assert sent["nonce"] in text
    assert not APIKey.objects.exists()
    assert kim.post(NEW, fields(nonce=sent["nonce"])).status_code == 200, "a refused form uses its nonce up"


def test_a_custom_date_is_the_end_of_that_day(kim: Client) -> None:
    day = (clock.now() + timedelta(days=40)).date()
    kim.post(NEW, fields(expiry="custom", expiry_date=day.isoformat()))
    key = APIKey.objects.get()
    assert key.expires_at is not None
    assert key.expires_at.isoformat().startswith(f"{day.isoformat()}T23:59:59")


def test_templates_custom_permissions_and_admin(world: World) -> None:
    dana = world.client(world.admin)
    choices: tuple[dict[str, Any], ...] = (
        {"mode": "template", "template": "monitoring"},
        {"mode": "custom", "permissions": ["view_customer", "view_service"]},
        {"mode": "admin"},
    )
    for number, changes in enumerate(choices):
        sent = fields(name=f"Key {number}", nonce=str(number) * 32, **changes)
        assert dana.post(NEW, sent).status_code == 200
    given = [sorted(key.permissions or ()) for key in APIKey.objects.order_by("name")]
    assert given == [["view_provisioning", "view_service"], ["view_customer", "view_service"], ["*"]]


def test_a_user_key_belongs_to_the_user(world: World) -> None:
    kim = world.client(world.manager)
    response = kim.post(NEW, fields(kind="user", owner=str(world.robot.pk)))
    assert response.status_code == 200, response.content.decode()
    assert APIKey.objects.get().owner == world.robot


def test_nobody_gives_what_they_do_not_hold(kim: Client) -> None:
    assert kim.post(NEW, fields(mode="admin")).status_code in (403, 422)
    assert not APIKey.objects.exists()


def test_a_link_fills_the_form_and_sends_nothing(kim: Client) -> None:
    text = page(kim, f"{NEW}?template=billing-sync&name=Night+job")
    assert 'value="Night job"' in text
    assert not APIKey.objects.exists()
    assert kim.get(NEW, {"name": f"ka_live_{'a' * 50}"})["Location"] == NEW


def test_regenerating_shows_a_new_secret_once_and_stops_the_old_one(world: World) -> None:
    issued = world.key(name="Billing sync", expires_at=clock.now() + timedelta(days=9))
    kim, path = world.client(world.manager), f"{KEYS}{issued.key.pk}/regenerate/"
    sent = {"nonce": nonce_of(kim, path), "version": version_of(kim, path), "reason": "leaked"}
    response = kim.post(path, sent)
    (secret,) = set(SECRET.findall(response.content.decode()))
    assert "no-store" in response["Cache-Control"]
    assert kim.get("/api/v1/whoami", headers={"X-API-KEY": secret}).status_code == 200
    assert kim.get("/api/v1/whoami", headers={"X-API-KEY": issued.secret}).status_code == 401
    again = kim.post(path, sent).content.decode()
    assert not SECRET.search(again)
    assert "cannot be shown again" in again

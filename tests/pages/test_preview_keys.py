"""What the form of a key says before anything is saved: as much as will be true afterwards, and no more."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from keyadmin.kernel import clock
from keyadmin.keys import queries, services
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, NEW, fields, page
from tests.pages.test_change_keys import edited
from tests.world import OPERATOR, World

PREVIEW = f"{NEW}preview/"


@pytest.fixture
def dana(world: World) -> Client:
    return world.client(world.admin)


def preview(client: Client, path: str = PREVIEW, **changes: Any) -> str:
    response = client.post(path, fields(**changes) if path == PREVIEW else changes)
    assert response.status_code == 200
    return " ".join(unescape(strip_tags(response.content.decode())).split())


CHOICES: tuple[dict[str, Any], ...] = (
    {"mode": "read_only"},
    {"mode": "template", "template": "provisioning"},
    {"mode": "custom", "permissions": ["view_customer", "apikey.view", "create_payment"]},
    {"mode": "admin", "admin_confirmed": "on"},
    {"mode": "owner", "kind": "user", "owner": "robot"},
    {"mode": "read_only", "kind": "user", "owner": "robot"},
    {"mode": "custom", "permissions": ["apikey.view", "view_customer"], "kind": "user", "owner": "robot"},
    {"mode": "owner", "kind": "user", "owner": "admin"},
)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: "-".join(map(str, choice.values())))
def test_the_key_can_do_what_the_preview_said(world: World, dana: Client, choice: dict[str, Any]) -> None:
    if "owner" in choice:
        choice = {**choice, "owner": str(getattr(world, choice["owner"]).pk)}
    text = preview(dana, **choice)
    assert dana.post(NEW, fields(**choice)).status_code == 200
    given = queries.effective(APIKey.objects.get(), world.acme)
    if given == ["*"]:
        assert "Everything in Acme" in text
    else:
        assert f"{len(given)} permission" in text
        assert all(f" {name}" in text for name in given)


def test_what_the_owner_lacks_is_chosen_but_not_effective(world: World, dana: Client) -> None:
    chosen: dict[str, Any] = {"mode": "custom", "permissions": ["apikey.view", "view_customer"]}
    text = preview(dana, kind="user", owner=str(world.robot.pk), **chosen)
    assert "Chosen but not effective: View customers \N{EN DASH} Robot has no group that allows it." in text
    assert "1 permission in Acme" in text
    assert "not effective" not in preview(dana, **chosen)


def test_a_preview_changes_nothing_and_repeats_no_key(world: World, dana: Client) -> None:
    secret = world.key().secret
    text = preview(dana, name=secret, description=secret)
    assert secret not in text
    assert APIKey.objects.count() == 1


def test_the_end_of_the_key_is_told_before(dana: Client) -> None:
    day = (clock.now() + timedelta(days=40)).date()
    text = preview(dana, expiry="custom", expiry_date=day.isoformat())
    assert f"Expires at the end of {day:%a} {day.day} {day:%b %Y}, 23:59 UTC" in text
    assert "must be in the future" in preview(dana, expiry="custom", expiry_date="2020-01-01")
    assert "Expires" not in preview(dana, expiry="never")


def test_a_namesake_is_noted_if_it_may_be_seen(world: World, dana: Client) -> None:
    world.key(name="Night job")
    old = world.key(name="Old job").key
    services.revoke_key(actor=OPERATOR, key_id=old.pk)
    note = "There is a key of this name already."
    assert note in preview(dana, name="night JOB ")
    assert note not in preview(dana, name="Old job")
    assert note not in preview(world.client(world.developer), name="Night job")


def test_flairs_in_the_name_are_explained(dana: Client) -> None:
    text = preview(dana, name="Sync [bulk] [segment] [nightly]")
    assert "bulk raises the key's rate limit. It has no effect in this version yet." in text
    assert "segment limits the key to what it created itself." in text
    assert "nightly is a plain tag" in text


def test_nobody_learns_what_a_user_may_do_whom_they_may_not_choose(world: World) -> None:
    """Not a user elsewhere, not a colleague, and for who has only own keys not even the API users."""
    for client, user in (
        (world.client(world.manager), world.stranger),
        (world.client(world.manager), world.auditor),
        (world.client(world.developer), world.robot),
    ):
        text = preview(client, kind="user", owner=str(user.pk), mode="owner")
        assert "Choose its permissions, and whose it is" in text
        assert user.name not in text


def test_a_preview_needs_what_its_form_needs(world: World) -> None:
    key = world.key().key
    for person, new, edit in ((world.auditor, 403, 403), (world.developer, 200, 404), (world.stranger, 404, 404)):
        client = world.client(person)
        for path, status in ((PREVIEW, new), (f"{KEYS}{key.pk}/edit/preview/", edit)):
            assert client.post(path, fields()).status_code == status, (person.name, path)


def test_an_edit_says_what_it_is_about_to_change_and_changes_it(world: World, dana: Client) -> None:
    end = clock.now() + timedelta(days=60)
    key = world.key("view_customer", "view_invoice", name="Billing sync", expires_at=end).key
    path = f"{KEYS}{key.pk}/edit/"
    sent = edited(dana, key)
    assert "Nothing is changed yet." in page(dana, path)
    assert "Nothing is changed yet." in preview(dana, f"{path}preview/", **sent)
    sent |= {
        "name": "Billing export",
        "expiry": "never",
        "permissions": ["view_customer", "create_service"],
        "networks": "10.0.0.0/8",
    }
    text = preview(dana, f"{path}preview/", **sent)
    assert "Nothing is changed yet." not in text
    for words in (
        "Change name: Billing sync → Billing export",
        f"Change expiry: {end.day} {end:%b %Y}, {end:%H:%M} UTC → Never",
        "Add Create services",
        "Remove View invoices",
        "Add 10.0.0.0/8 to networks",
        "2 permissions in Acme",
    ):
        assert words in text
    assert APIKey.objects.get().version == 1
    assert dana.post(path, sent).status_code == 303
    key.refresh_from_db()
    assert (key.name, key.expires_at, key.allowed_networks) == ("Billing export", None, ["10.0.0.0/8"])
    assert sorted(key.permissions or ()) == ["create_service", "view_customer"]


def test_an_edit_that_would_be_refused_says_so_before(world: World, dana: Client) -> None:
    key = world.key("view_customer", name="Billing sync").key
    sent = edited(dana, key, expiry="custom", expiry_date="2020-01-01")
    text = preview(dana, f"{KEYS}{key.pk}/edit/preview/", **sent)
    assert "The expiry date must be in the future." in text
    assert "Nothing is changed yet." not in text

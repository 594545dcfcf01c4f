"""What a browser of ours never sends: complete keys in addresses and reasons, broken headers, foreign cookies."""

import pytest
from django.test import Client

from keyadmin.activity.models import Event
from keyadmin.kernel import tokens
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, NEW, fields, nonce_of
from tests.world import World

KEY = tokens.mint("ka", "live").text
BROKEN = "http://["


@pytest.fixture
def dana(world: World) -> Client:
    return world.client(world.admin)


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize(
    "address",
    [
        f"{KEYS}?search={KEY}",
        f"{KEYS}?search={KEY}&search=x",
        f"{KEYS}?flair={KEY}",
        f"{KEYS}?status={KEY}",
        f"{KEYS}?{KEY}=1",
        f"{KEYS}?search={KEY.replace('_', '%5F')}",
        f"{KEYS}new/?name={KEY}",
        f"{KEYS}{KEY}/",
        f"/o/acme/activity/?target={KEY}&target=x",
        f"/o/{KEY}/",
        f"/sign-in/?next={KEY}",
        f"/?x={KEY}",
        f"/nothing/{KEY}",
    ],
)
def test_a_key_does_not_stay_in_an_address(world: World, address: str, signed_in: bool) -> None:
    client = world.client(world.admin) if signed_in else world.client()
    response = client.get(address)
    assert response.status_code == 302
    assert not tokens.looks_like_key(response["Location"])
    landed = client.get(response["Location"], follow=True)
    assert not tokens.looks_like_key(landed.content.decode())
    assert not any(tokens.looks_like_key(address) for address, _ in landed.redirect_chain)
    if signed_in and address.startswith(f"{KEYS}?"):
        assert "That looks like a complete API key." in landed.content.decode()


def test_a_longer_query_than_any_of_ours_is_dropped(dana: Client) -> None:
    assert dana.get(f"{KEYS}?search={'x' * 5000}")["Location"] == KEYS


@pytest.mark.parametrize(
    ("act", "sent"),
    [
        ("edit", {"expiry": "keep", "mode": "custom", "permissions": "view_customer", "version": "1", "name": "other"}),
        ("regenerate", {"version": "1", "nonce": "n" * 32}),
        ("revoke", {"version": "1", "cause": "Other"}),
        ("delete", {"version": "1", "cause": "Other", "name": "Test key"}),
    ],
)
@pytest.mark.parametrize("text", [f"was {KEY}", "a\x1b[31m\u202eevil\u2028x"])
def test_no_reason_is_kept_that_should_not_stand_in_a_log(
    world: World, dana: Client, act: str, sent: dict[str, str], text: str
) -> None:
    key = world.key("view_customer").key
    count = Event.objects.count()
    response = dana.post(f"{KEYS}{key.pk}/{act}/", {**sent, "reason": text, "details": text})
    assert response.status_code == 422
    assert not tokens.looks_like_key(response.content.decode())
    assert Event.objects.count() == count
    assert APIKey.objects.get(pk=key.pk).version == 1


@pytest.mark.parametrize("field", ["name", "description", "networks", "expiry", "owner", "mode"])
def test_a_key_typed_into_a_form_is_not_shown_again(world: World, dana: Client, field: str) -> None:
    response = dana.post(NEW, {**fields(nonce=nonce_of(dana)), field: f" {KEY} "})
    assert response.status_code == 422
    assert not tokens.looks_like_key(response.content.decode())
    assert "That looks like a complete API key." in response.content.decode()
    assert not APIKey.objects.exists()


def test_a_broken_place_to_go_on_does_not_hide_what_was_done(world: World, dana: Client) -> None:
    key = world.key().key
    sent = {"version": "1", "nonce": "n" * 32, "next": BROKEN}
    response = dana.post(f"{KEYS}{key.pk}/regenerate/", sent, headers={"HX-Current-URL": BROKEN})
    assert response.status_code == 200
    assert tokens.looks_like_key(response.content.decode())
    for odd in (BROKEN, f"{KEYS}?{'x' * 20000}"):
        assert dana.post(f"{KEYS}{key.pk}/pause/", {"next": odd}).status_code == 303


@pytest.mark.parametrize("path", ["/", KEYS, "/instance/activity/", "/o/x/"])
def test_a_broken_address_of_htmx_is_no_crash(world: World, path: str) -> None:
    response = world.client().get(path, headers={"HX-Request": "true", "HX-Current-URL": BROKEN})
    assert response.status_code in (200, 302)


def test_one_form_makes_one_key_whatever_the_organisation_is_called(world: World, dana: Client) -> None:
    sent = fields(nonce=nonce_of(dana))
    for name in (world.acme.slug, world.acme.oid, world.acme.oid.hex, str(world.acme.oid).upper()):
        dana.post(f"/o/{name}/keys/new/", sent)
    assert APIKey.objects.count() == 1


def test_what_one_person_did_is_not_said_to_the_next_at_the_same_browser(world: World) -> None:
    mei, ari = world.client(world.manager), world.client(world.auditor)
    assert mei.post(NEW, fields(nonce=nonce_of(mei), name="Private")).status_code == 200
    for name, morsel in mei.cookies.items():
        if name not in ari.cookies:
            ari.cookies[name] = morsel.value
    assert "Key Private created." not in ari.get(KEYS).content.decode()
    assert "Key Private created." in mei.get(KEYS).content.decode()


@pytest.mark.parametrize("name", ["\u200b", "\u2060\u00ad", "a\u202eb", "\u2066a"])
def test_a_name_can_be_seen_and_reads_in_its_own_order(world: World, dana: Client, name: str) -> None:
    assert dana.post(NEW, fields(nonce=nonce_of(dana), name=name)).status_code == 422
    assert dana.post(NEW, fields(nonce=nonce_of(dana), name="\u05d0\u05d1\u200f!")).status_code == 200

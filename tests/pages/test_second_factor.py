"""The authenticator app and recovery codes: set-up, sign-in, each code once, each change an event."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Organization, User
from keyadmin.activity import queries
from keyadmin.activity.events import INSTANCE
from keyadmin.activity.models import Event
from tests.activity.refusing import refuse_events
from tests.pages.reading import Page
from tests.pages.signing_in import by_password, code_of, shown, turn_on_app
from tests.pages.test_passkeys import passkey
from tests.world import PASSWORD, World, confirm

APP, CODES, SECURITY, SECOND = "/me/security/app/", "/me/security/codes/", "/me/security/", "/sign-in/2fa/"


def events(chain: int) -> list[str]:
    return [event.name for event in queries.chain_of(chain)]


def test_the_app_is_set_up_by_qr_code_or_secret_and_a_code(world: World) -> None:
    client = world.client(world.developer)
    response = client.get(APP)
    page = Page(response)
    assert page.all("img")[-1]["src"].startswith("data:image/svg+xml;base64,")
    assert page.field("code")["autocomplete"] == "one-time-code"
    assert page.field("code")["inputmode"] == "numeric"
    assert response["Cache-Control"] == "no-store, no-transform"

    secret, codes = turn_on_app(client)

    assert len(set(codes)) == 10
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert not [code for code in codes if code in stored]
    for chain in (INSTANCE, world.acme.pk):
        assert events(chain)[-2:] == ["person.totp_activated", "person.recovery_codes_made"]


def test_a_secret_that_waits_for_its_code_is_sealed_in_the_session(world: World) -> None:
    client = world.client(world.developer)
    secret = shown(client.get(APP), "totp-secret")

    wrong = client.post(APP, {"code": "000000"})
    assert shown(wrong, "totp-secret") == secret, "a typing error costs no new scan"
    assert not [row for row in Session.objects.all() if secret in json.dumps(row.get_decoded())]


def test_recovery_codes_are_shown_once(world: World) -> None:
    client = world.client(world.developer)
    _, codes = turn_on_app(client)

    again = client.get(CODES).content.decode()
    assert "10 codes are left" in again
    assert not [code for code in codes if code in again]

    fresh = client.post(f"{CODES}new/", follow=True)
    assert not set(shown(fresh, "codes").split()) & set(codes)
    assert events(world.acme.pk)[-1] == "person.recovery_codes_made"


def test_sign_in_asks_for_the_code(world: World) -> None:
    secret, _ = turn_on_app(world.client(world.developer))
    client, response = by_password("dev@example.org")

    assert response["Location"] == SECOND
    assert client.get("/o/acme/")["Location"].startswith("/sign-in/"), "the password alone opens nothing"
    assert client.post(SECOND, {"code": code_of(secret)})["Location"] == "/"
    assert client.get("/o/acme/").status_code == 200


def test_a_code_is_taken_once_also_the_one_that_turned_the_app_on(world: World) -> None:
    client = world.client(world.developer)
    secret = shown(client.get(APP), "totp-secret")
    code = code_of(secret)
    client.post(APP, {"code": code})

    late, _ = by_password("dev@example.org")
    assert late.post(SECOND, {"code": code}).status_code == 200
    following = code_of(secret, steps=1)
    assert late.post(SECOND, {"code": following}).status_code == 302
    other, _ = by_password("dev@example.org")
    assert "has been used" in Page(other.post(SECOND, {"code": following})).text
    assert other.post(SECOND, {"code": code_of(secret)}).status_code == 200, "nor one of an earlier step"


def test_a_recovery_code_signs_in_once_and_is_crossed_out_with_an_event(world: World) -> None:
    _, codes = turn_on_app(world.client(world.developer))
    client, _ = by_password("dev@example.org")

    assert client.post(SECOND, {"code": codes[3]}).status_code == 302
    assert events(world.acme.pk)[-2:] == ["person.signed_in", "person.recovery_code_used"]
    last = queries.chain_of(world.acme.pk).last()
    assert last is not None
    assert json.loads(last.text)["after"] == {"codes_left": 9}
    other, _ = by_password("dev@example.org")
    assert other.post(SECOND, {"code": codes[3]}).status_code == 200


def test_no_event_no_app(world: World) -> None:
    client = world.client(world.developer)
    secret = shown(client.get(APP), "totp-secret")
    refuse_events()

    assert client.post(APP, {"code": code_of(secret)}).status_code == 503
    assert not Authenticator.objects.exists()


def test_no_event_no_sign_in_and_no_code_is_used_up(world: World) -> None:
    _, codes = turn_on_app(world.client(world.developer))
    client, _ = by_password("dev@example.org")
    before = list(Authenticator.objects.order_by("pk").values_list("data", flat=True))
    refuse_events()

    assert client.post(SECOND, {"code": codes[0]}).status_code == 503
    assert list(Authenticator.objects.order_by("pk").values_list("data", flat=True)) == before
    assert client.get("/o/acme/")["Location"].startswith("/sign-in/")


def test_the_app_is_removed_with_its_codes(world: World) -> None:
    client = world.client(world.developer)
    turn_on_app(client)

    assert client.post(f"{APP}remove/")["Location"] == SECURITY
    assert not Authenticator.objects.exists()
    assert events(world.acme.pk)[-1] == "person.totp_deactivated"


@pytest.mark.parametrize("path", [APP, f"{CODES}new/", "/me/security/passkeys/add/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_changes_ask_who_it_is_after_ten_minutes(world: World, path: str, method: str) -> None:
    client = world.client(world.developer)
    confirm(client, world.developer, seconds_ago=601)
    response = getattr(client, method)(path, {"code": "123456"})

    assert response["Location"].startswith("/me/confirm/?next=")
    assert not [row for row in Session.objects.all() if "123456" in json.dumps(row.get_decoded())]
    there = response["Location"]
    assert "is wrong" in Page(client.post(there, {"password": "wrong"})).text
    assert client.post(there, {"password": "correct horse battery"}).status_code == 302
    assert client.get(path).status_code == 200


def demand(organization: Organization) -> None:
    Organization.objects.filter(pk=organization.pk).update(two_factor_required=True)


@pytest.mark.parametrize("who", ["developer", "admin"])
def test_an_organisation_that_demands_a_second_factor_lets_nobody_in_without(world: World, who: str) -> None:
    demand(world.acme)
    client = world.client(getattr(world, who))
    key = world.key().key.pk

    for response in (client.get("/o/acme/"), client.get("/o/acme/keys/"), client.post(f"/o/acme/keys/{key}/pause/")):
        assert response["Location"] == SECURITY
    assert "Acme demands a second factor" in Page(client.get(SECURITY)).text
    refused = client.get("/api/v1/api-keys")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")

    turn_on_app(client)
    there = Page(client.get(SECURITY))
    assert "Go on to Acme" in there.text
    assert "/o/acme/" in {link.get("href") for link in there.all("a")}
    assert client.get("/o/acme/").status_code == 200
    assert "Go on to" not in Page(client.get(SECURITY)).text
    assert client.get("/api/v1/api-keys").status_code == 200
    assert "demands" not in Page(client.get(SECURITY)).text


def test_what_one_organisation_demands_concerns_neither_others_nor_keys(world: World) -> None:
    demand(world.acme)

    assert world.client(world.stranger).get("/o/globex/").status_code == 200
    assert world.client(world.stranger).get("/o/acme/").status_code == 404
    assert world.client(key=world.key("*").secret).get("/api/v1/api-keys").status_code == 200


def test_looking_is_no_event(world: World) -> None:
    client = world.client(world.developer)
    turn_on_app(client)
    before = Event.objects.count()
    for path in (SECURITY, CODES, f"{CODES}new/", f"{APP}remove/", "/me/", "/me/confirm/", "/me/confirm/code/"):
        assert client.get(path).status_code == 200, path

    assert Event.objects.count() == before


def test_the_second_step_is_for_who_gave_the_password(world: World) -> None:
    turn_on_app(world.client(world.developer))
    response: Any = Client().post(SECOND, {"code": "000000"})

    assert response["Location"] == "/sign-in/"


@pytest.mark.parametrize("change", ["no factor", "disabled"])
def test_who_can_not_give_a_second_factor_any_more_begins_again(world: World, change: str) -> None:
    turn_on_app(world.client(world.developer))
    waiting, _ = by_password("dev@example.org")
    if change == "disabled":
        User.objects.filter(pk=world.developer.pk).update(is_active=False)
    else:
        Authenticator.objects.all().delete()

    assert waiting.post(SECOND, {"code": "000000"})["Location"] == "/sign-in/"
    again = waiting.get("/sign-in/")
    assert again.status_code == 200, "no circle"
    assert "Sign in again" in Page(again).text
    sent = waiting.post("/sign-in/", {"login": "dev@example.org", "password": PASSWORD})
    assert sent["Location"] == ("/sign-in/inactive/" if change == "disabled" else "/")


def test_who_has_only_passkeys_is_asked_for_one_then_for_a_recovery_code(world: World) -> None:
    turn_on_app(world.client(world.developer))
    with_app, _ = by_password("dev@example.org", headers={"host": "localhost"})
    page = Page(with_app.get(SECOND))
    assert "autofocus" in page.field("code")
    assert "authenticator app" in page.text

    Authenticator.objects.filter(type="totp").delete()
    passkey(world.developer)
    client, _ = by_password("dev@example.org", headers={"host": "localhost"})
    page = Page(client.get(SECOND))
    assert "authenticator app" not in page.text
    assert page.text.index("Use a passkey") < page.text.index("Recovery code")
    assert "autofocus" in next(one for one in page.all("button") if one.get("id") == "passkey-start")


def test_after_a_recovery_code_the_next_page_says_how_many_are_left(world: World) -> None:
    _, codes = turn_on_app(world.client(world.developer))
    client, _ = by_password("dev@example.org")

    assert "9 codes left" in Page(client.post(SECOND, {"code": codes[0]}, follow=True)).text

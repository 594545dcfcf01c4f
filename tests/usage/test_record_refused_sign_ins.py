"""Each refused password, code, passkey and single sign-on leaves one record, of whom it was if that is a person."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from keyadmin.usage.models import AccessRecord
from tests.pages.managing import NEW, fields, nonce_of
from tests.pages.signing_in import by_password, code_of, turn_on_app
from tests.pages.test_passkeys import MADE_UP, passkey
from tests.pages.test_single_sign_on import Server, come_back, provider
from tests.usage.reading import only, outcomes
from tests.world import PASSWORD, World, confirm

__all__ = ["provider"]

SIGN_IN = "/sign-in/"
Act = Callable[[World, Client], Any]


def test_a_wrong_password_is_recorded_for_its_person(world: World) -> None:
    _, response = by_password("DEV@example.org", "wrong", headers={"user-agent": "Firefox 140"})
    assert response.status_code == 200

    found = only()
    assert (found.method, found.path, found.outcome) == ("POST", SIGN_IN, "wrong_password")
    assert (found.user_id, found.who, found.organization_id) == (world.developer.pk, "Dev", None)
    assert (found.address, found.user_agent) == ("127.0.0.1", "Firefox 140")
    assert found.request_id == response["X-Request-Id"]


def test_of_an_address_that_nobody_has_nothing_typed_is_kept(world: World) -> None:
    by_password(f"{PASSWORD.replace(' ', '.')}@example.org", "wrong")

    assert outcomes() == [("wrong_password", "")]
    found = AccessRecord.objects.values().get()
    assert (found["outcome"], found["user_id"], found["who"]) == ("wrong_password", None, "")
    assert "horse" not in str(found)


def test_sign_ins_that_are_slowed_down_say_so(world: World) -> None:
    for _ in range(6):
        by_password("dev@example.org", "wrong")

    assert outcomes() == [("wrong_password", "")] * 5 + [("rate_limited", "")]
    assert {row.user_id for row in AccessRecord.objects.all()} == {world.developer.pk}


def test_a_disabled_person_is_recorded_as_such(world: World) -> None:
    world.developer.is_active = False
    world.developer.save()
    by_password("dev@example.org")

    assert (only().outcome, only().user_id) == ("person_disabled", world.developer.pk)


def test_sign_ins_that_succeed_and_forms_that_are_empty_leave_none(world: World) -> None:
    client, response = by_password("dev@example.org")
    assert response.status_code == 302
    by_password("", "")
    by_password("no address", "x")
    confirm(client, world.developer, seconds_ago=660)
    assert client.post("/me/confirm/", {"password": PASSWORD}).status_code == 302
    client.post("/sign-out/")

    assert outcomes() == []


def test_wrong_and_used_codes_are_recorded(world: World) -> None:
    secret, codes = turn_on_app(world.client(world.developer))
    for sent, status in (("000000", 200), (codes[0], 302), (codes[0], 200), (code_of(secret), 302)):
        client, _ = by_password("dev@example.org")
        assert client.post("/sign-in/2fa/", {"code": sent}).status_code == status, sent

    assert outcomes() == [("wrong_code", "")] * 2
    assert {(row.user_id, row.who, row.path) for row in AccessRecord.objects.all()} == {
        (world.developer.pk, "Dev", "/sign-in/2fa/")
    }


@pytest.mark.parametrize("path", ["/sign-in/passkey/", "/sign-in/2fa/", "/me/confirm/passkey/"])
def test_passkeys_that_are_made_up_are_recorded(world: World, path: str) -> None:
    passkey(world.developer)
    client = world.client(world.developer) if path.startswith("/me/") else Client(headers={"host": "localhost"})
    if path == "/sign-in/2fa/":
        client.post(SIGN_IN, {"login": "dev@example.org", "password": PASSWORD})
    client.get("/sign-in/passkey/", headers={"accept": "application/json"})
    for credential in ('"x"', MADE_UP[-1]):
        client.post(path, {"credential": credential})

    assert outcomes() == [("wrong_passkey", "")] * 2
    known = None if path == "/sign-in/passkey/" else world.developer.pk
    assert {row.user_id for row in AccessRecord.objects.all()} == {known}


def _confirm(world: World, client: Client) -> Any:
    return client.post("/me/confirm/", {"password": "wrong"})


def _change(world: World, client: Client) -> Any:
    confirm(client, world.admin)
    return client.post("/me/security/password/", {"oldpassword": "wrong", "password1": "seven grey herons wade"})


def _dangerous(world: World, client: Client) -> Any:
    sent = fields(mode="admin", admin_confirmed="on", nonce=nonce_of(client), identity="wrong")
    return client.post(NEW, sent)


@pytest.mark.parametrize("act", [_confirm, _change, _dangerous])
def test_a_wrong_password_of_somebody_signed_in_is_recorded(world: World, act: Act) -> None:
    client = world.client(world.admin)
    confirm(client, world.admin, seconds_ago=660)
    assert act(world, client).status_code in (200, 422)

    assert (only().outcome, only().user_id) == ("wrong_password", world.admin.pk)


def test_single_sign_on_of_nobody_and_of_a_broken_answer(world: World, provider: Server) -> None:
    provider.person = {**Server.person, "email": "nobody@example.org"}  # type: ignore[misc]
    come_back(provider, Client())
    come_back(provider, Client(), state="forged")
    provider.person = Server.person  # type: ignore[misc]
    come_back(provider, Client())

    assert outcomes() == [("sso_unknown_person", ""), ("sso_failed", "")]
    assert not AccessRecord.objects.filter(who__contains="nobody").exists()

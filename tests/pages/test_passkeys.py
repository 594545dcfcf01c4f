"""Passkeys, but for what only a browser can do: where they work, renaming and removing, whose they are."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import cache
from django.test import Client
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from accounts.models import User
from keyadmin.activity import queries
from tests.activity.refusing import refuse_events
from tests.pages.reading import Page
from tests.world import PASSWORD, World

SIGN_IN = "/sign-in/"
PARTS = {"authenticatorData": "AAAA", "clientDataJSON": "e30", "signature": "AAAA", "userHandle": "MQ"}
MADE_UP = [
    *("", "nonsense", "{}", "[]", "1", "null", '"x"', '{"id": 1}', '{"id": "AA", "rawId": "AA"}'),
    *('{"response": {"userHandle": "MQ"}}', '{"id": "AA", "rawId": "AA", "response": {}}'),
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": PARTS}),
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {**PARTS, "authenticatorData": "A" * 60}}),
]


def passkey(user: User, name: str = "Laptop") -> Authenticator:
    """A row as a browser's registration leaves it."""
    public = ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key())  # type: ignore[no-untyped-call]
    flags = AuthenticatorData.FLAG.AT | AuthenticatorData.FLAG.UP
    made = AttestedCredentialData.create(b"\0" * 16, b"id", public)
    data = AuthenticatorData.create(sha256(b"localhost"), flags, 0, made)
    client = CollectedClientData.create("webauthn.create", b"challenge", "http://localhost")
    response = {
        "clientDataJSON": client.b64,
        "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
    }
    credential = {
        "id": websafe_encode(b"id"),
        "rawId": websafe_encode(b"id"),
        "type": "public-key",
        "response": response,
    }
    return Authenticator.objects.create(user=user, type="webauthn", data={"name": name, "credential": credential})


@pytest.mark.parametrize(
    ("host", "secure", "words"),
    [
        ("localhost:8000", False, ""),
        ("keys.example.org", True, ""),
        ("keys.example.org", False, "only over https"),
        ("127.0.0.1:8000", False, "http://localhost:8000/sign-in/"),
        ("[::1]:8000", False, "http://localhost:8000/sign-in/"),
        ("192.0.2.7", True, "by its name, over https"),
    ],
)
def test_the_page_says_where_browsers_refuse_passkeys(
    db: None, settings: Any, host: str, secure: bool, words: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    response = Client().get(SIGN_IN, headers={"host": host}, secure=secure)
    offered = [button for button in Page(response).all("button") if button.get("id") == "passkey-start"]

    assert bool(offered) is not bool(words)
    assert words in Page(response).text


def test_a_passkey_that_is_made_up_opens_nothing(world: World) -> None:
    client = Client(headers={"host": "localhost"})
    for credential in MADE_UP:
        cache.clear()  # ten a minute are heard from one address
        client.get("/sign-in/passkey/", headers={"accept": "application/json"})
        response = client.post("/sign-in/passkey/", {"credential": credential})
        assert (response.status_code, response.get("Location")) == (302, SIGN_IN), credential
    assert client.get("/o/acme/")["Location"].startswith(SIGN_IN)


@pytest.mark.parametrize("path", ["/me/security/passkeys/add/", "/sign-in/2fa/", "/me/confirm/passkey/"])
def test_nor_does_it_elsewhere(world: World, path: str) -> None:
    passkey(world.developer)
    for credential in MADE_UP:
        client = Client() if path == "/sign-in/2fa/" else world.client(world.developer)
        client.post(SIGN_IN, {"login": "dev@example.org", "password": PASSWORD})
        assert client.post(path, {"credential": credential}).status_code in (200, 302, 429), credential
        if path == "/sign-in/2fa/":
            assert client.get("/o/acme/")["Location"].startswith(SIGN_IN)
    assert Authenticator.objects.count() == 1


def test_renaming_and_removing_are_events(world: World) -> None:
    pk, client = passkey(world.developer).pk, world.client(world.developer)
    path = f"/me/security/passkeys/{pk}"
    assert client.post(f"{path}/rename/", {"name": "Work laptop"})["Location"] == "/me/security/"
    assert client.post(f"{path}/remove/")["Location"] == "/me/security/"

    found = list(queries.chain_of(world.acme.pk))[-2:]
    assert [event.name for event in found] == ["person.passkey_renamed", "person.passkey_removed"]
    assert [json.loads(event.text)["after"] for event in found] == [{"passkey": "Work laptop"}] * 2


def test_no_event_no_removal(world: World) -> None:
    pk, client = passkey(world.developer).pk, world.client(world.developer)
    refuse_events()

    assert client.post(f"/me/security/passkeys/{pk}/remove/").status_code == 503
    assert Authenticator.objects.filter(pk=pk).exists()


def test_those_of_others_do_not_exist(world: World) -> None:
    pk = passkey(world.developer).pk
    for act in ("rename", "remove"):
        for method in ("get", "post"):
            response = getattr(world.client(world.admin), method)(f"/me/security/passkeys/{pk}/{act}/", {"name": "x"})
            assert response.status_code == 404

"""Single sign-on by OpenID Connect, with a small real provider: discovery, code, PKCE, RS256 tokens, JWKS."""

import base64
import dataclasses
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from jwt.algorithms import RSAAlgorithm

from accounts.models import User
from keyadmin.activity import queries
from keyadmin.env import EnvError, Oidc, read
from tests.pages.reading import Page
from tests.pages.signing_in import turn_on_app
from tests.world import World, confirm

KEY, OTHER_KEY = (rsa.generate_private_key(65537, 2048) for _ in range(2))
BEGIN = "/sign-in/sso/"


class Handler(BaseHTTPRequestHandler):
    """The provider. `person` is who is signed in there; `key` signs its tokens."""

    server: "Server"
    challenges: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        me = self.server.address
        if self.path.startswith("/.well-known/"):
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo"}
            urls = {name: f"{me}/{path}" for name, path in names.items()}
            methods = ["client_secret_post"]
            found = {"issuer": me, "jwks_uri": f"{me}/jwks", "token_endpoint_auth_methods_supported": methods, **urls}
            self.say(found)
        elif self.path == "/jwks":
            self.say({"keys": [{**RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1", "use": "sig"}]})
        else:
            self.say({**self.server.person, **self.server.userinfo})

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        digest = hashlib.sha256(sent["code_verifier"][0].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.server.challenge
        now = int(time.time())
        claims = {"iss": self.server.address, "aud": "keyadmin", "iat": now, "exp": now + 60, **self.server.person}
        claims |= self.server.claims
        token = jwt.encode(claims, self.server.key, "RS256", headers={"kid": "k1"})
        self.say({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def say(self, body: object) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    key = KEY
    challenge = ""
    claims: ClassVar[dict[str, Any]] = {}
    userinfo: ClassVar[dict[str, Any]] = {}
    person: ClassVar[dict[str, Any]] = {"sub": "77", "email": "dev@example.org", "email_verified": True}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def provider(settings: Any) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    oidc = Oidc(server.address, "keyadmin", "secret", "Acme login")
    settings.ENV = dataclasses.replace(settings.ENV, oidc=oidc)
    app: dict[str, Any] = {"provider_id": "sso", "name": "Acme login", "client_id": "keyadmin", "secret": "secret"}
    app |= {"settings": {"server_url": server.address, "oauth_pkce_enabled": True}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    yield server
    server.shutdown()
    server.server_close()


def come_back(provider: Server, client: Client, **changes: str) -> Any:
    """From the sign-in page to the provider, which sends the browser back with a code."""
    asked = parse_qs(urlsplit(client.get(BEGIN)["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    provider.challenge = asked["code_challenge"][0]
    path = urlsplit(asked["redirect_uri"][0]).path
    return client.get(path, {"code": "c", "state": asked["state"][0], **changes})


def is_in(client: Client) -> bool:
    return client.get("/o/acme/").status_code == 200


def test_somebody_who_exists_signs_in(world: World, provider: Server) -> None:
    client = Client()
    assert "Sign in with Acme login" in Page(client.get("/sign-in/")).text
    users = User.objects.count()

    assert come_back(provider, client)["Location"] == "/"
    assert is_in(client)
    assert User.objects.count() == users
    event = queries.chain_of(world.acme.pk).last()
    assert event is not None
    assert (event.name, event.actor_label) == ("person.signed_in", "Dev")


@pytest.mark.parametrize(
    "person",
    [
        {"email": "nobody@example.org"},
        {"email_verified": False},
        {"email_verified": "false"},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": ""},
        {"email": "robot@example.org"},
    ],
)
def test_nobody_else_does_and_nobody_is_made(world: World, provider: Server, person: dict[str, Any]) -> None:
    User.objects.filter(pk=world.robot.pk).update(contact_email="robot@example.org")
    provider.person = {**Server.person, **person}  # type: ignore[misc]
    client, users = Client(), User.objects.count()

    assert come_back(provider, client)["Location"] == "/sign-in/"
    assert "Nobody here has" in Page(client.get("/sign-in/")).text
    assert not is_in(client)
    assert User.objects.count() == users


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": OTHER_KEY},
        {"claims": {"aud": "another"}},
        {"claims": {"iss": "https://elsewhere.example"}},
        {"claims": {"exp": 1}},
        {"userinfo": {"sub": "78"}},
    ],
    ids=["signature", "audience", "issuer", "expired", "another-person"],
)
def test_a_token_that_is_not_right_opens_nothing(world: World, provider: Server, wrong: dict[str, Any]) -> None:
    for name, value in wrong.items():
        setattr(provider, name, value)
    client = Client()

    assert come_back(provider, client)["Location"] == "/sign-in/"
    assert not is_in(client)


def test_a_foreign_state_opens_nothing(world: World, provider: Server) -> None:
    client = Client()

    assert come_back(provider, client, state="forged")["Location"] == "/sign-in/"
    assert not is_in(client)


def test_a_disabled_person_stays_out(world: World, provider: Server) -> None:
    User.objects.filter(pk=world.developer.pk).update(is_active=False)
    client = Client()
    come_back(provider, client)

    assert not is_in(client)


def test_the_second_factor_is_asked_for_all_the_same(world: World, provider: Server) -> None:
    turn_on_app(world.client(world.developer))
    client = Client()

    assert come_back(provider, client)["Location"] == "/sign-in/2fa/"
    assert not is_in(client)


def test_who_knows_no_password_confirms_by_signing_in_again(world: World, provider: Server) -> None:
    client = Client()
    come_back(provider, client)
    confirm(client, world.developer, seconds_ago=660)
    assert client.get("/me/security/app/").status_code == 302
    assert "Sign in again with Acme login" in Page(client.get("/me/confirm/")).text

    come_back(provider, client)
    assert client.get("/me/security/app/").status_code == 200


def test_a_provider_that_is_down_is_no_dead_end(world: World, provider: Server) -> None:
    provider.shutdown()
    provider.server_close()
    client = Client()

    assert client.get(BEGIN)["Location"] == "/sign-in/"
    assert "did not work" in Page(client.get("/sign-in/")).text


def test_without_the_variables_it_is_off(world: World) -> None:
    assert "Sign in with" not in Page(Client().get("/sign-in/")).text
    assert Client().get(BEGIN).status_code == 404


@pytest.mark.parametrize("issuer", ["http://login.example.org", "login.example.org", "https://", "https://a.org/?x=1"])
def test_nonsense_stops_the_start(tmp_path: Any, issuer: str) -> None:
    sent = {"KEYADMIN_OIDC_ISSUER": issuer, "KEYADMIN_OIDC_CLIENT_ID": "a", "KEYADMIN_OIDC_CLIENT_SECRET": "sesame"}
    with pytest.raises(EnvError, match="KEYADMIN_OIDC_ISSUER"):
        read({"KEYADMIN_DATA_DIR": str(tmp_path), **sent})


@pytest.mark.parametrize("name", ["ISSUER", "CLIENT_ID", "CLIENT_SECRET"])
def test_a_variable_that_is_missing_is_named(tmp_path: Any, name: str) -> None:
    sent = {"ISSUER": "https://login.example.org", "CLIENT_ID": "a", "CLIENT_SECRET": "sesame", "NAME": "Acme"}
    given = {f"KEYADMIN_OIDC_{key}": value for key, value in sent.items() if key != name}
    with pytest.raises(EnvError, match=f"KEYADMIN_OIDC_{name}: missing"):
        read({"KEYADMIN_DATA_DIR": str(tmp_path), **given})

"""The answer that shows a secret: the one that did the work, and no other."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client, override_settings

from keyadmin.activity.models import Event
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, NEW, SECRET, fields, nonce_of, version_of
from tests.world import World

TWINS = 10


class Texts(HTMLParser):
    """The text nodes of a page, and everything else that it says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.others: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.others.append(str(attrs))


@pytest.fixture
def kim(world: World) -> Client:
    return world.client(world.manager)


def revealed(client: Client, **changes: str) -> str:
    """The page that shows the secret of a new key."""
    response = client.post(NEW, fields(nonce=nonce_of(client), **changes))
    assert response.status_code == 200
    return str(response.content.decode())


def confirm(client: Client, key: APIKey, **sent: str) -> int:
    return int(client.post(f"{KEYS}{key.pk}/saved/", {"token_id": key.token_id, **sent}).status_code)


def test_of_ten_equal_forms_at_once_one_makes_a_key(lasting_world: World) -> None:
    client = lasting_world.client(lasting_world.manager)
    sent, barrier = fields(nonce=nonce_of(client)), Barrier(TWINS)

    def send() -> list[str]:
        twin = lasting_world.client(lasting_world.manager)
        barrier.wait()
        try:
            response = twin.post(NEW, sent)
        finally:
            connections.close_all()
        assert response.status_code == 200
        return SECRET.findall(response.content.decode())

    with ThreadPoolExecutor(TWINS) as pool:
        answers = [future.result() for future in [pool.submit(send) for _ in range(TWINS)]]
    shown = {secret for secrets in answers for secret in secrets}
    assert len([secrets for secrets in answers if secrets]) == len(shown) == 1
    assert APIKey.objects.count() == 1
    assert Event.objects.filter(name="api_key.created").count() == 1
    assert client.get("/api/v1/whoami", headers={"X-API-KEY": shown.pop()}).status_code == 200


def test_the_secret_stands_in_three_text_nodes_alone(kim: Client) -> None:
    html = revealed(kim)
    (secret,) = set(SECRET.findall(html))
    page = Texts(html)
    assert len([text for text in page.texts if secret in text]) == 3
    assert not [text for text in page.others if secret in text]
    assert html.count(secret) == 3


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Billing sync", "billing-sync.env"),
        ("orchestration-key[bulk]", "orchestration-key.env"),
        ("../../etc/passwd", "etcpasswd.env"),
        ("[bulk]", "api-key.env"),
        ("مفتاح", "api-key.env"),
        ("x" * 80, f"{'x' * 60}.env"),
    ],
)
def test_the_file_is_named_after_the_key(world: World, name: str, file: str) -> None:
    assert f'data-file="{file}"' in revealed(world.client(world.admin), name=name)


def test_the_examples_name_the_address_that_people_use(kim: Client) -> None:
    assert "  http://testserver/api/v1/whoami" in revealed(kim)
    with override_settings(ENV=dataclasses.replace(settings.ENV, public_url="https://keys.example.org")):
        assert "  https://keys.example.org/api/v1/whoami" in revealed(kim)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "template", "template": "billing-sync"}, "3 permissions"),
        ({"mode": "admin", "admin_confirmed": "on"}, "all permissions"),
        ({"expiry": "never"}, "never expires"),
    ],
)
def test_what_was_made_is_said_above_the_secret(world: World, changes: dict[str, str], words: str) -> None:
    assert f"· {words}" in revealed(world.client(world.admin), **changes)


def test_a_log_that_describes_the_page_does_not_say_the_secret(kim: Client) -> None:
    response = kim.post(NEW, fields(nonce=nonce_of(kim)))
    (secret,) = set(SECRET.findall(response.content.decode()))
    assert secret not in repr(response.context)


def test_saying_that_it_was_saved_is_noted_once(kim: Client) -> None:
    revealed(kim)
    key = APIKey.objects.get()
    assert key.secret_confirmed_at is None
    assert [confirm(kim, key), confirm(kim, key)] == [303, 303]
    assert APIKey.objects.get().secret_confirmed_at
    assert Event.objects.filter(name="api_key.secret_confirmed").count() == 1


def test_an_answer_for_a_script_has_nothing_to_show(kim: Client) -> None:
    revealed(kim)
    key = APIKey.objects.get()
    sent = {"token_id": key.token_id}
    assert kim.post(f"{KEYS}{key.pk}/saved/", sent, headers={"HX-Request": "true"}).status_code == 204


def test_an_edit_form_that_was_open_meanwhile_is_still_good(kim: Client) -> None:
    revealed(kim)
    key = APIKey.objects.get()
    version = version_of(kim, f"{KEYS}{key.pk}/edit/")
    confirm(kim, key)
    assert version_of(kim, f"{KEYS}{key.pk}/edit/") == version


def test_the_former_secret_is_not_confirmed_by_a_page_left_open(kim: Client) -> None:
    revealed(kim)
    old = APIKey.objects.get()
    path = f"{KEYS}{old.pk}/regenerate/"
    kim.post(path, {"nonce": nonce_of(kim, path), "version": version_of(kim, path), "reason": ""})
    assert confirm(kim, old) == 412
    assert APIKey.objects.get().secret_confirmed_at is None


def test_a_form_from_elsewhere_confirms_nothing(world: World) -> None:
    key = world.key(confirmed=False).key
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.admin)
    assert confirm(strict, key) == 403
    assert APIKey.objects.get().secret_confirmed_at is None

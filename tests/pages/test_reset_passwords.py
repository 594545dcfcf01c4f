"""A forgotten password: the link in the mail, which works once and says nothing of who exists; changing it while in."""

import dataclasses
import json
import logging
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.mail import wait as wait_for_mail
from accounts.models import User
from keyadmin.activity import queries
from keyadmin.activity.events import INSTANCE
from keyadmin.instance import mail
from keyadmin.web.logs import masked
from tests.activity.refusing import refuse_events
from tests.pages.reading import Page
from tests.pages.signing_in import by_password, forget_mail, link_in_mail
from tests.pages.test_sign_in import without_what_differs
from tests.world import PASSWORD, World, confirm

RESET, NEW = "/sign-in/reset/", "twelve brown foxes"


@pytest.fixture(autouse=True)
def empty_letter_box(settings: Any) -> None:
    settings.EMAIL_BACKEND = "keyadmin.instance.mail.KeepingBackend"
    forget_mail()


def ask(email: str) -> Any:
    return Client().post(RESET, {"email": email}, follow=True)


def link_for(email: str) -> str:
    ask(email)
    return link_in_mail(email)


def test_the_link_sets_a_new_password_once_and_ends_all_sessions(world: World) -> None:
    signed_in = world.client(world.developer)
    link = link_for("dev@example.org")
    client = Client()
    page = client.get(link)
    assert page.status_code == 200
    assert page["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page["Cache-Control"]

    assert client.post(link, {"password1": NEW})["Location"] == "/sign-in/reset/done/"

    assert signed_in.get("/o/acme/")["Location"].startswith("/sign-in/")
    assert by_password("dev@example.org")[1].status_code == 200
    assert by_password("dev@example.org", NEW)[1].status_code == 302
    assert client.get(link).status_code == client.post(link, {"password1": NEW}).status_code == 404
    names = [event.name for event in queries.chain_of(world.acme.pk)]
    assert names[-2:] == ["person.password_reset", "person.signed_in"]


def test_a_weak_password_keeps_the_link_alive(world: World) -> None:
    link = link_for("dev@example.org")

    for weak in ("", "short", "password1234", "dev@example.org"):
        response = Client().post(link, {"password1": weak})
        assert response.status_code == 422
        assert Page(response).title.startswith("Error: ")
    assert Client().post(link, {"password1": NEW}).status_code == 302


def test_unknown_addresses_are_answered_alike_and_get_no_mail(world: World) -> None:
    known, unknown = ask("dev@example.org"), ask("nobody@example.org")
    wait_for_mail()

    assert known.redirect_chain == unknown.redirect_chain == [("/sign-in/reset/sent/", 302)]
    assert without_what_differs(known, "") == without_what_differs(unknown, "")
    assert [letter.to for letter in mail.kept()] == ["dev@example.org"]


def test_a_disabled_person_gets_no_link_and_an_old_one_is_dead(world: World) -> None:
    link = link_for("dev@example.org")
    User.objects.filter(pk=world.developer.pk).update(is_active=False)
    forget_mail()
    ask("dev@example.org")
    wait_for_mail()

    assert mail.kept() == []
    assert Client().get(link).status_code == 404


@pytest.mark.parametrize("key", ["x", "1-", "1-x", "-", "zzzzzzzzzzzzzzzz-x", "1-die0sd-ef6c", "%00", "x" * 3000])
def test_a_wrong_link_says_what_to_do(world: World, key: str) -> None:
    for method in ("get", "post"):
        response = getattr(Client(), method)(f"{RESET}{key}/", {"password1": NEW})
        assert response.status_code == 404
        assert "Ask for a new one" in Page(response).text


def test_the_token_stands_neither_in_sessions_nor_in_logs(world: World) -> None:
    link = link_for("dev@example.org")
    client = Client()
    client.get(link)

    assert not [row for row in Session.objects.all() if link[-20:] in json.dumps(row.get_decoded())]
    for path in (link, "/invitation/abc_DEF-1/", "/setup/abc/"):
        assert masked(f"GET {path} failed").endswith("/*** failed") or masked(f"GET {path} failed").endswith(
            "/***/ failed"
        )


def test_the_link_leads_to_the_public_address(world: World, settings: Any) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, public_url="https://keys.example.org")
    ask("dev@example.org")
    wait_for_mail()

    assert "https://keys.example.org/sign-in/reset/" in mail.kept()[0].body
    assert "testserver" not in mail.kept()[0].body


def test_no_event_no_new_password(world: World) -> None:
    link = link_for("dev@example.org")
    refuse_events()

    assert Client().post(link, {"password1": NEW}).status_code == 503
    assert by_password("dev@example.org", NEW)[1].status_code == 200


def test_asking_is_throttled_for_each_address(world: World) -> None:
    statuses = [Client().post(RESET, {"email": "dev@example.org"}).status_code for _ in range(6)]

    assert statuses == [302] * 5 + [429]


def test_a_password_is_changed_with_the_current_one(world: World) -> None:
    here, elsewhere = world.client(world.developer), world.client(world.developer)
    change = "/me/security/password/"

    assert "current password is wrong" in Page(here.post(change, {"oldpassword": "x", "password1": NEW})).text
    assert here.post(change, {"oldpassword": PASSWORD, "password1": NEW})["Location"] == "/me/security/"

    assert here.get("/o/acme/").status_code == 200, "this session goes on"
    assert elsewhere.get("/o/acme/")["Location"].startswith("/sign-in/")
    for chain in (INSTANCE, world.acme.pk):
        assert [event.name for event in queries.chain_of(chain)][-1] == "person.password_changed"


def test_no_event_no_change_of_the_password(world: World) -> None:
    client = world.client(world.developer)
    refuse_events()

    assert client.post("/me/security/password/", {"oldpassword": PASSWORD, "password1": NEW}).status_code == 503
    assert User.objects.get(pk=world.developer.pk).check_password(PASSWORD)


def test_kept_mail_is_for_instance_administrators(world: World, settings: Any) -> None:
    link = link_for("dev@example.org")
    client = world.client(world.admin)
    (letter,) = mail.kept()

    listed = client.get("/instance/mail/")
    assert "Reset your password" in Page(listed).text
    assert link not in listed.content.decode(), "no secret in the list"
    assert link in client.get(f"/instance/mail/{letter.name}/").content.decode()
    assert world.client(world.manager).get(f"/instance/mail/{letter.name}/").status_code == 403
    assert client.get("/instance/mail/..%2Fmaster/").status_code == 404
    assert settings.MAIL_DIR.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in settings.MAIL_DIR.iterdir()] == [0o600]


def test_a_mail_server_that_fails_is_logged_without_the_address(
    world: World, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with caplog.at_level(logging.ERROR):
        ask("dev@example.org")
        wait_for_mail()

    assert "could not be sent" in caplog.text
    assert "dev@" not in caplog.text


def test_changing_needs_no_second_confirmation(world: World) -> None:
    client = world.client(world.developer)
    confirm(client, world.developer, seconds_ago=3600)

    assert client.get("/me/security/password/").status_code == 200, "the form asks for the current one itself"

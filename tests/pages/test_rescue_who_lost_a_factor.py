"""A lost second factor: an administrator of the instance removes it, by page, REST or command; not their own."""

import dataclasses
import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client

from accounts.mail import wait as wait_for_mail
from accounts.services import people
from keyadmin.activity import queries
from keyadmin.activity.events import INSTANCE
from keyadmin.instance import mail
from tests.activity.refusing import refuse_events
from tests.pages.reading import Page
from tests.pages.signing_in import by_password, forget_mail, turn_on_app
from tests.world import OPERATOR, PASSWORD, World, confirm

DEV = "dev@example.org"


@pytest.fixture(autouse=True)
def empty_letter_box(settings: Any) -> None:
    settings.EMAIL_BACKEND = "keyadmin.instance.mail.KeepingBackend"
    forget_mail()


def page_of(world: World, act: str = "second-factor/remove/") -> str:
    return f"/o/acme/settings/members/{world.developer.pk}/{act}"


def by_page(world: World) -> None:
    assert world.client(world.admin).post(page_of(world)).status_code == 303


def by_rest(world: World) -> None:
    path = f"/api/v1/members/{world.developer.pk}/second-factor"
    assert world.client(world.admin).delete(path, headers={"X-Organization": "acme"}).status_code == 204


def by_command(world: World) -> None:
    call_command("members", "remove-second-factor", DEV)


@pytest.mark.parametrize("remove", [by_page, by_rest, by_command])
def test_all_of_it_goes_with_all_sessions_one_event_and_a_mail(
    world: World, remove: Any, django_capture_on_commit_callbacks: Any
) -> None:
    lost, _ = by_password(DEV)
    turn_on_app(lost)
    assert by_password(DEV)[1]["Location"] == "/sign-in/2fa/"
    with django_capture_on_commit_callbacks(execute=True):
        remove(world)
        remove(world)

    assert not Authenticator.objects.exists()
    assert lost.get("/o/acme/")["Location"].startswith("/sign-in/")
    for chain in (INSTANCE, world.acme.pk):
        found = [one for one in queries.chain_of(chain) if one.name == "person.second_factor_removed"]
        assert [json.loads(one.text)["before"] for one in found] == [
            {"second_factor": ["authenticator app", "recovery codes"]}
        ]
    wait_for_mail()
    (letter,) = mail.kept()
    assert (letter.to, letter.subject) == (DEV, "Your second factor was removed")
    assert ("operator of the machine" if remove is by_command else "Dana") in letter.body
    assert by_password(DEV)[1]["Location"] == "/", "the password alone opens the account"


def test_no_event_nothing_is_removed_and_no_mail_is_sent(world: World) -> None:
    lost, _ = by_password(DEV)
    turn_on_app(lost)
    refuse_events()
    path = f"/api/v1/members/{world.developer.pk}/second-factor"

    assert world.client(world.admin).delete(path, headers={"X-Organization": "acme"}).status_code == 503
    assert Authenticator.objects.count() == 2
    wait_for_mail()
    assert not mail.kept()


def test_one_s_own_is_removed_under_security_alone(world: World) -> None:
    client = world.client(world.admin)
    turn_on_app(client)
    page = page_of(world).replace(str(world.developer.pk), str(world.admin.pk))

    assert "under Security" in Page(client.post(page)).text
    refused = client.delete(f"/api/v1/members/{world.admin.pk}/second-factor", headers={"X-Organization": "acme"})
    assert refused.status_code == 422
    assert Authenticator.objects.exists()
    assert "Second factor" not in Page(client.get(f"/o/acme/settings/members/{world.admin.pk}/")).text


def test_the_page_of_a_person_shows_it_to_who_may_change_it(world: World) -> None:
    turn_on_app(world.client(world.developer))
    path = f"/o/acme/settings/members/{world.developer.pk}/"

    assert "Authenticator app , Recovery codes" in Page(world.client(world.admin).get(path)).text
    assert "Authenticator app" not in Page(world.client(world.manager).get(path)).text


@pytest.mark.parametrize("act", ["second-factor/remove/", "sessions/end/"])
def test_it_asks_who_one_is(world: World, act: str) -> None:
    turn_on_app(world.client(world.developer))
    client = world.client(world.admin)
    confirm(client, world.admin, seconds_ago=660)

    assert client.post(page_of(world, act)).status_code == 422
    assert Authenticator.objects.count() == 2
    assert client.post(page_of(world, act), {"identity": PASSWORD}).status_code == 303


def test_an_administrator_signs_a_person_out_everywhere(world: World) -> None:
    first, second = by_password(DEV)[0], by_password(DEV)[0]
    admin = world.client(world.admin)
    assert "Signed in on 2 browsers" in Page(admin.get(page_of(world, ""))).text

    assert admin.post(page_of(world, "sessions/end/")).status_code == 303

    for client in (first, second):
        assert client.get("/o/acme/")["Location"].startswith("/sign-in/")
    (event,) = [one for one in queries.chain_of(world.acme.pk) if one.name == "person.sessions_ended"]
    assert (event.actor_label, event.target_label) == ("Dana", "Dev")
    call_command("members", "end-sessions", DEV)
    assert (
        admin.delete(f"/api/v1/members/{world.developer.pk}/sessions", headers={"X-Organization": "acme"}).status_code
        == 204
    )


def test_who_is_disabled_and_enabled_again_has_to_sign_in_again(world: World) -> None:
    client: Client = by_password(DEV)[0]
    client.get("/o/acme/")
    people.disable_person(actor=OPERATOR, user=world.developer)
    assert client.get("/o/acme/")["Location"].startswith("/sign-in/")
    people.enable_person(actor=OPERATOR, user=world.developer)

    assert client.get("/o/acme/")["Location"].startswith("/sign-in/")


def test_the_dialog_promises_no_mail_where_no_server_is_set_up(world: World, settings: Any) -> None:
    turn_on_app(world.client(world.developer))
    for server, text in ((None, "waits under Mail"), (object(), "They get a mail")):
        settings.ENV = dataclasses.replace(settings.ENV, mail=server)
        assert text in Page(world.client(world.admin).get(page_of(world))).text

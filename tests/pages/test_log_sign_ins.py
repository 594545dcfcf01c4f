"""Signing in and out is logged, in the instance and in each organisation of the person; unlogged it does not happen."""

import json
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from accounts.services.organizations import add_membership
from accounts.services.setup import load_first_packs
from keyadmin.activity import queries
from keyadmin.activity.events import INSTANCE
from keyadmin.activity.models import Event
from keyadmin.instance.services import bind_master_key, issue_setup_token
from tests.activity.refusing import refuse_events
from tests.world import OPERATOR, PASSWORD, World

CREDENTIALS = {"login": "dev@example.org", "password": PASSWORD}


def last(chain: int, name: str) -> Event:
    found = queries.chain_of(chain).last()
    assert found is not None
    assert found.name == name
    return found


def test_a_sign_in_is_an_event_of_the_instance_and_of_each_organisation(world: World) -> None:
    add_membership(actor=OPERATOR, organization=world.globex, user=world.developer)
    client = Client(headers={"user-agent": "Firefox 140"})
    assert client.post("/sign-in/", CREDENTIALS).status_code == 302

    for chain in (INSTANCE, world.acme.pk, world.globex.pk):
        event = last(chain, "person.signed_in")
        assert (event.actor_kind, event.actor_id, event.target_id) == ("person", world.developer.pk, world.developer.pk)
        assert event.address == "127.0.0.1"
        assert event.request_id.startswith("req_")
        assert json.loads(event.text)["after"] == {"user_agent": "Firefox 140"}
        assert queries.check(chain).consistent
    assert client.post("/sign-out/").status_code == 302
    for chain in (INSTANCE, world.acme.pk, world.globex.pk):
        assert last(chain, "person.signed_out").actor_label == "Dev"


def test_only_sign_ins_that_succeed_are_events(world: World) -> None:
    before = Event.objects.count()
    Client().post("/sign-in/", {**CREDENTIALS, "password": "wrong"})
    Client().post("/sign-out/")

    assert Event.objects.count() == before


def test_what_a_browser_calls_itself_is_cut_and_cleaned(world: World) -> None:
    secret = world.key().secret
    agent = f"Odd\x07\u0085 {secret} " + "x" * 1000
    Client().post("/sign-in/", CREDENTIALS, headers={"user-agent": agent})

    text = last(world.acme.pk, "person.signed_in").text
    kept = json.loads(text)["after"]["user_agent"]
    assert kept.startswith("Odd\\x07 ka_live_")
    assert kept.isprintable()
    assert len(kept) == 300
    assert secret[20:40] not in text
    assert PASSWORD not in text


def test_no_event_no_sign_in(world: World) -> None:
    refuse_events()
    client = Client()
    response = client.post("/sign-in/", CREDENTIALS)

    assert response.status_code == 503
    assert not Session.objects.exists()
    assert client.get("/")["Location"].startswith("/sign-in/")


def test_no_event_no_end_of_the_session(world: World) -> None:
    client = Client()
    client.post("/sign-in/", CREDENTIALS)
    refuse_events()

    assert client.post("/sign-out/").status_code == 503
    assert Session.objects.count() == 1


def test_the_sign_in_after_set_up_is_an_event_too(db: None, settings: Any) -> None:
    bind_master_key(settings.ENV.master.fingerprint)
    load_first_packs()
    fields = {"organization": "Acme", "name": "Dana", "email": "dana@example.org", "password": PASSWORD}
    client = Client()
    client.post(f"/setup/{issue_setup_token()}/", fields)

    dana = User.objects.get()
    (membership,) = dana.memberships.all()
    assert last(membership.organization_id, "person.signed_in").actor_id == dana.pk
    assert client.get("/o/acme/").status_code == 200


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_the_sign_out_page_is_no_event(world: World, method: str) -> None:
    before = Event.objects.count()
    getattr(world.client(world.developer), method)("/sign-out/")

    assert Event.objects.count() == before

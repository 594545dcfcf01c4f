"""Where one is signed in: the list, and ending sessions from elsewhere."""

import json
import re

from django.test import Client

from keyadmin.activity import queries
from keyadmin.activity.events import INSTANCE
from tests.activity.refusing import refuse_events
from tests.pages.reading import Page
from tests.pages.signing_in import by_password
from tests.world import World

SECURITY = "/me/security/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Mobile/15E148 Safari/604.1"


def two(email: str = "dev@example.org") -> tuple[Client, Client]:
    here, _ = by_password(email, headers={"user-agent": FIREFOX})
    there, _ = by_password(email, headers={"user-agent": SAFARI})
    for client in (here, there):
        client.get("/o/acme/")
    return here, there


def test_the_list_says_what_and_where_from(world: World) -> None:
    here, _ = two()
    text = Page(here.get(SECURITY)).text

    assert "Firefox on Linux This browser" in text
    assert "Safari on iPhone 127.0.0.1, last seen" in text


def test_one_session_is_ended_from_elsewhere(world: World) -> None:
    here, there = two()
    (path,) = re.findall(r'action="(/me/security/sessions/\d+/end/)"', here.get(SECURITY).content.decode())

    assert here.post(path)["Location"] == SECURITY
    assert there.get("/o/acme/")["Location"].startswith("/sign-in/")
    assert here.get("/o/acme/").status_code == 200
    for chain in (INSTANCE, world.acme.pk):
        event = queries.chain_of(chain).last()
        assert event is not None
        assert event.name == "person.sessions_ended"
        assert "iPhone" in json.loads(event.text)["after"]["sessions"][0]
    assert here.post(path).status_code == 404


def test_all_others_are_ended_at_once(world: World) -> None:
    here, there = two()
    third, _ = by_password("dev@example.org")
    here.post("/me/security/sessions/end-others/")

    assert here.get("/o/acme/").status_code == 200
    for client in (there, third):
        assert client.get("/o/acme/")["Location"].startswith("/sign-in/")


def test_nobody_ends_the_sessions_of_others(world: World) -> None:
    here, _ = two()
    (path,) = re.findall(r'action="(/me/security/sessions/\d+/end/)"', here.get(SECURITY).content.decode())

    assert world.client(world.admin).post(path).status_code == 404
    world.client(world.admin).post("/me/security/sessions/end-others/")
    assert here.get("/o/acme/").status_code == 200


def test_no_event_no_end(world: World) -> None:
    here, there = two()
    refuse_events()

    assert here.post("/me/security/sessions/end-others/").status_code == 503
    assert there.get("/o/acme/").status_code == 200

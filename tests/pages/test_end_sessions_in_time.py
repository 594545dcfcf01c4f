"""A session ends twelve hours after its last use, and fourteen days after sign-in; each sign-in makes a new one."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from keyadmin.kernel import clock
from tests.pages.signing_in import by_password, code_of, turn_on_app
from tests.world import PASSWORD, World

DEV, HERE = "dev@example.org", "/me/session/"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Move the clock of our own code on."""
    real = clock.now

    def move(**by: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(**by))

    return move


def left(client: Client) -> int:
    return int(client.get(HERE).json()["left"])


def stale(client: Client) -> None:
    """As if the session had been seen some minutes ago."""
    session = client.session
    session["seen"] = 0
    session.save()


def test_it_lives_on_while_it_is_used(world: World, later: Any) -> None:
    client, _ = by_password(DEV)
    client.get("/o/acme/")
    assert 43_000 < left(client) <= 43_200
    later(hours=8)
    assert left(client) < 4 * 3600 + 1, "asking is no use"
    stale(client)
    assert left(client) < 4 * 3600 + 1, "asking is no use"
    client.get("/o/acme/")
    assert left(client) > 43_000


def test_a_button_prolongs_it(world: World, later: Any) -> None:
    client, _ = by_password(DEV)
    client.get("/o/acme/")
    later(hours=11)

    assert client.post(HERE).json()["left"] > 43_000
    assert left(client) > 43_000


def test_nothing_prolongs_it_beyond_fourteen_days_but_signing_in(world: World, later: Any) -> None:
    client, _ = by_password(DEV)
    client.get("/o/acme/")
    later(days=13, hours=23)
    assert client.post(HERE).json()["left"] <= 3600
    stale(client)
    client.get("/o/acme/")
    assert left(client) <= 3600

    client.post("/sign-out/")
    client.post("/sign-in/", {"login": DEV, "password": PASSWORD})
    client.get("/o/acme/")
    assert left(client) > 43_000


def test_what_has_ended_is_over(world: World, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = settings.SESSION_LONGEST_AGE = 0
    client, _ = by_password(DEV)
    assert client.get("/o/acme/")["Location"].startswith("/sign-in/")


def test_every_page_knows_how_long_is_left(world: World) -> None:
    client, _ = by_password(DEV)
    client.get("/o/acme/")
    page = client.get("/o/acme/").content.decode()

    assert 'id="session-end"' in page
    assert 'data-left="431' in page


def test_the_second_step_and_a_new_password_change_the_key_of_the_session(world: World) -> None:
    client, _ = by_password(DEV)
    secret, _ = turn_on_app(client)
    late, _ = by_password(DEV)
    before = late.cookies["keyadmin"].value
    late.post("/sign-in/2fa/", {"code": code_of(secret)})
    after = late.cookies["keyadmin"].value
    assert after != before
    assert Client(headers={"cookie": f"keyadmin={before}"}).get("/me/").status_code == 302

    late.post("/me/security/password/", {"oldpassword": PASSWORD, "password1": "twelve brown foxes"})
    assert late.cookies["keyadmin"].value != after
    assert late.get("/me/").status_code == 200
    assert client.get("/me/").status_code == 302

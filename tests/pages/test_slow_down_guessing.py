"""Guessing is slowed down: for an account from one address, for an address, for an account; never for its owner."""

from typing import Any

import pytest
from django.test import Client

from tests.pages.reading import Page
from tests.pages.signing_in import by_password, code_of, turn_on_app
from tests.pages.test_sign_in import without_what_differs
from tests.world import PASSWORD, World

DEV, SECOND, WAIT = "dev@example.org", "/sign-in/2fa/", "Too many attempts. Try again in 5 minutes."
HOME, STREET = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def small(settings: Any) -> None:
    """The wide limits with numbers that are soon reached."""
    wide = {"guess_address": "6/5m/ip", "guess_account": "6/h/key"}
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, **wide}


def try_from(address: str, password: str, email: str = DEV) -> Any:
    return by_password(email, password, REMOTE_ADDR=address)[1]


def guess(times: int, address: str = STREET, email: str = DEV) -> None:
    for _ in range(times):
        assert try_from(address, "wrong", email).status_code == 200


def guess_from_everywhere(times: int, email: str = DEV) -> None:
    for number in range(times):
        guess(1, f"192.0.2.{number}", email)


def test_five_wrong_passwords_stop_one_address_and_not_the_owner(world: World) -> None:
    guess(5)

    assert try_from(STREET, PASSWORD).status_code == 429
    assert try_from(HOME, PASSWORD).status_code == 302


def test_the_answer_says_when_to_try_again_and_keeps_the_address_that_was_typed(world: World) -> None:
    guess(5)
    refused = try_from(STREET, PASSWORD)

    assert refused["Retry-After"] == "300"
    page = Page(refused)
    assert WAIT in page.text
    assert page.title.startswith("Error: ")
    assert page.field("login")["value"] == DEV
    assert "value" not in page.field("password")


def test_a_program_gets_a_problem(world: World) -> None:
    guess(5)
    sent = {"login": DEV, "password": PASSWORD}
    refused = Client(REMOTE_ADDR=STREET, headers={"accept": "application/json"}).post("/sign-in/", sent)

    assert (refused.status_code, refused["Retry-After"]) == (429, "300")
    assert refused["Content-Type"] == "application/problem+json"
    assert (refused.json()["code"], refused.json()["detail"]) == ("rate_limited", WAIT)


@pytest.mark.usefixtures("small")
def test_accounts_that_do_not_exist_are_answered_alike(world: World) -> None:
    for email in (DEV, "nobody@example.org"):
        guess_from_everywhere(6, email)
    known, unknown = (try_from(STREET, PASSWORD, email) for email in (DEV, "nobody@example.org"))

    assert known.status_code == unknown.status_code == 429
    assert without_what_differs(known, DEV) == without_what_differs(unknown, "nobody@example.org")


def test_the_addresses_of_one_ipv6_network_count_as_one(world: World) -> None:
    for number in range(5):
        guess(1, f"2001:db8:1:2::{number}")

    assert try_from("2001:db8:1:2:ffff::1", PASSWORD).status_code == 429
    assert try_from("2001:db8:1:3::1", PASSWORD).status_code == 302


@pytest.mark.usefixtures("small")
def test_one_address_is_stopped_over_all_accounts(world: World) -> None:
    for number in range(6):
        guess(1, email=f"somebody{number}@example.org")

    assert try_from(STREET, PASSWORD).status_code == 429
    assert try_from(HOME, PASSWORD).status_code == 302


@pytest.mark.usefixtures("small")
def test_an_account_is_closed_to_addresses_that_are_new_to_it_alone(world: World) -> None:
    assert try_from(HOME, PASSWORD).status_code == 302
    guess_from_everywhere(6)

    assert try_from(STREET, PASSWORD).status_code == 429, "a right guess too"
    assert try_from(HOME, PASSWORD).status_code == 302
    assert try_from(STREET, PASSWORD, "kim@example.org").status_code == 302


def test_signing_in_is_no_guess(world: World) -> None:
    guess(4, HOME)
    assert try_from(HOME, PASSWORD).status_code == 302
    assert try_from(HOME, PASSWORD).status_code == 302
    guess(1, HOME)
    assert try_from(HOME, PASSWORD).status_code == 429, "a right one does not make wrong ones good"


def test_wrong_codes_stop_one_address_and_not_the_owner(world: World) -> None:
    secret, _ = turn_on_app(world.client(world.developer))
    for _ in range(5):
        client, _ = by_password(DEV, REMOTE_ADDR=STREET)
        client.post(SECOND, {"code": "000000"})
    client, _ = by_password(DEV, REMOTE_ADDR=STREET)
    refused = client.post(SECOND, {"code": code_of(secret)})
    assert (refused.status_code, refused["Retry-After"]) == (429, "300")
    assert WAIT in Page(refused).text

    client, _ = by_password(DEV, REMOTE_ADDR=HOME)
    assert client.post(SECOND, {"code": code_of(secret)}).status_code == 302


def test_who_tries_too_fast_gets_a_page_that_says_so(world: World, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    refused = [try_from(STREET, PASSWORD) for _ in range(2)][-1]

    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert "Wait a minute" in Page(refused).text

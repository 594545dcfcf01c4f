"""The page behind an invitation: for who is signed in, who has an account, and who is new."""

import re

import pytest
from django.test import Client

from accounts.models import Membership, User
from accounts.services import invitations
from tests.pages.reading import Page
from tests.world import OPERATOR, PASSWORD, World

NEW = {"name": "Nia", "password": PASSWORD}


def invite(world: World, email: str) -> str:
    _, token = invitations.invite(actor=OPERATOR, organization=world.globex, email=email)
    return f"/invitation/{token}/"


def in_globex(email: str) -> bool:
    return Membership.objects.filter(organization__slug="globex", user__email=email).exists()


def test_somebody_new_gets_an_account_and_is_taken_in(world: World) -> None:
    link = invite(world, "nia@example.org")
    client = Client(enforce_csrf_checks=True)
    page = client.get(link)
    assert page["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page["Cache-Control"]
    assert "Join Globex" in Page(page).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert token

    sent = {**NEW, "csrfmiddlewaretoken": token[1]}
    response = client.post(link, sent, headers={"origin": "http://testserver"})

    assert response["Location"] == "/o/globex/"
    assert in_globex("nia@example.org")
    assert client.get("/me/security/app/").status_code == 200, "who has just chosen a password is not asked for it"
    assert client.get(link).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("name", "", "Your name is missing"), ("password", "short", "at least 12"), ("password", "", "missing")],
)
def test_a_mistake_keeps_the_invitation(world: World, field: str, value: str, words: str) -> None:
    link = invite(world, "nia@example.org")
    response = Client().post(link, {**NEW, field: value})

    assert response.status_code == 422
    assert words in Page(response).text
    assert PASSWORD not in response.content.decode()
    assert not User.objects.filter(email="nia@example.org").exists()


def test_who_has_an_account_signs_in_and_presses_one_button(world: World) -> None:
    link = invite(world, "dev@example.org")
    client = Client()
    assert "Sign in as dev@example.org" in Page(client.get(link)).text
    assert client.post(link, NEW).status_code == 200, "no second account"

    response = client.post("/sign-in/", {"login": "dev@example.org", "password": PASSWORD, "next": link})
    assert response["Location"] == link
    assert not in_globex("dev@example.org"), "looking accepts nothing"
    client.get(link)
    assert client.post(link)["Location"] == "/o/globex/"
    assert in_globex("dev@example.org")


def test_an_invitation_is_for_its_address_alone(world: World) -> None:
    link = invite(world, "nia@example.org")
    client = world.client(world.developer)

    assert "is for nia@example.org. You are signed in as dev@example.org." in Page(client.get(link)).text
    assert client.post(link).status_code == 200
    assert not in_globex("dev@example.org")


def test_a_withdrawn_used_or_wrong_link_says_why(world: World) -> None:
    link = invite(world, "nia@example.org")
    invite(world, "nia@example.org")  # replaces the first
    for path in (link, "/invitation/wrong/", "/invitation/%00/"):
        for method in ("get", "post"):
            response = getattr(Client(), method)(path, NEW)
            assert response.status_code == 404
            assert "withdrawn" in Page(response).text
            assert response["Referrer-Policy"] == "strict-origin"

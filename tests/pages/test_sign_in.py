"""Sign in and out by password; who can't, and that a refusal says nothing about who exists."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests.pages.reading import Page
from tests.world import PASSWORD, World


def sign_in(login: str, password: str = PASSWORD, client: Client | None = None) -> Any:
    return (client or Client()).post("/sign-in/", {"login": login, "password": password})


def without_what_differs(response: Any, login: str) -> str:
    """A page without the address that was typed and the CSRF token."""
    text = response.content.decode().replace(login, "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)


def test_home_needs_sign_in(world: World) -> None:
    response = Client().get("/")

    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in/")


def test_home_is_for_people_not_for_keys(world: World) -> None:
    assert world.client(key=world.user_key(world.admin).secret).get("/")["Location"].startswith("/sign-in/")


def test_a_person_signs_in_and_out(world: World) -> None:
    client = Client()
    response = sign_in("dev@example.org", client=client)
    assert (response.status_code, response["Location"]) == (302, "/")
    home = client.get("/", follow=True)
    assert home.status_code == 200
    assert "no-store" in home["Cache-Control"]
    assert "Dev" in Page(home).text

    assert client.get("/sign-out/").status_code == 200
    assert client.get("/o/acme/").status_code == 200, "only the button signs out"
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/")["Location"].startswith("/sign-in/")


def test_the_session_is_a_new_one_after_sign_in(world: World) -> None:
    client = Client()
    client.get("/sign-in/")
    sign_in("dev@example.org", client=client)
    first = client.cookies["keyadmin"].value
    client.post("/sign-out/")
    sign_in("dev@example.org", client=client)

    assert client.cookies["keyadmin"].value != first
    assert client.cookies["keyadmin"]["httponly"]


def test_the_address_is_taken_in_any_letter_case(world: World) -> None:
    assert sign_in("DEV@Example.org").status_code == 302


@pytest.mark.parametrize("next_page", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_sign_in_leads_to_no_other_site(world: World, next_page: str) -> None:
    response = Client().post(
        "/sign-in/?next=" + next_page, {"login": "dev@example.org", "password": PASSWORD, "next": next_page}
    )

    assert (response.status_code, response["Location"]) == (302, "/")


def test_a_wrong_password_and_an_unknown_address_look_alike(world: World) -> None:
    wrong, unknown = sign_in("dev@example.org", "wrong"), sign_in("nobody@example.org", "wrong")

    assert wrong.status_code == unknown.status_code == 200
    assert without_what_differs(wrong, "dev@example.org") == without_what_differs(unknown, "nobody@example.org")
    page = Page(wrong)
    assert page.title.startswith("Error: ")
    assert "There is a problem" in page.text
    assert "not correct" in page.text or "is wrong" in page.text
    assert page.field("login")["value"] == "dev@example.org"
    assert "value" not in page.field("password")


def test_an_empty_form_names_both_fields(world: World) -> None:
    page = Page(sign_in("", ""))

    assert {"#id_login", "#id_password"} <= {attributes["href"] for attributes in page.all("a")}
    assert page.field("password")["aria-invalid"] == "true"


def test_a_disabled_person_can_not_sign_in(world: World) -> None:
    world.developer.is_active = False
    world.developer.save()
    client = Client()
    sign_in("dev@example.org", client=client)

    assert client.get("/")["Location"].startswith("/sign-in/")


def test_disabling_a_person_ends_their_session(world: World) -> None:
    client = world.client(world.developer)
    assert client.get("/o/acme/").status_code == 200
    world.developer.is_active = False
    world.developer.save()

    assert client.get("/")["Location"].startswith("/sign-in/")


def test_who_is_in_several_organisations_chooses(world: World) -> None:
    page = Page(world.client(world.admin).get("/"))
    assert {"/o/acme/", "/o/globex/"} <= {attributes["href"] for attributes in page.all("a")}
    assert "Choose an organisation" in page.text


def test_who_is_in_none_is_told_what_to_do(world: World) -> None:
    world.developer.memberships.all().delete()
    client = world.client(world.developer)
    page = Page(client.get("/"))
    assert "You are in no organisation" in page.text
    assert "/sign-out/" in [attributes["action"] for attributes in page.all("form")]
    assert client.get("/o/acme/").status_code == 404


@pytest.mark.parametrize("login", ["Robot", "robot@example.org", ""])
def test_an_api_user_can_not_sign_in(world: World, login: str) -> None:
    world.robot.contact_email = "robot@example.org"
    world.robot.save()
    client = Client()
    for password in (PASSWORD, "", world.robot.password):
        assert sign_in(login, password, client).status_code == 200
        assert client.get("/")["Location"].startswith("/sign-in/")


def test_guessing_is_slowed_down_without_a_word_about_who_exists(world: World) -> None:
    for _ in range(5):
        sign_in("dev@example.org", "wrong")
        sign_in("nobody@example.org", "wrong")
    known, unknown = sign_in("dev@example.org"), sign_in("nobody@example.org")

    assert known.status_code == unknown.status_code == 429
    assert without_what_differs(known, "dev@example.org") == without_what_differs(unknown, "nobody@example.org")


@pytest.mark.parametrize("path", ["/sign-up/", "/signup/", "/accounts/signup/", "/sign-in/signup/", "/register/"])
def test_sign_up_is_closed(world: World, path: str) -> None:
    assert Client().get(path).status_code == 404
    assert Client().post(path, {"email": "new@example.org", "password1": PASSWORD}).status_code == 404


def test_no_page_signs_people_up(world: World) -> None:
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
    assert not [link for link in Page(Client().get("/sign-in/")).all("a") if "sign-up" in link["href"]]

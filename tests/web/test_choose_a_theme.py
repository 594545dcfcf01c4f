"""The theme is written into the page by the server, so that nothing flashes."""

import pytest
from django.test import Client

from keyadmin.web.theme import COOKIE


def chosen(client: Client, theme: str, back: str = "/sign-in/") -> str:
    return str(client.post("/theme/", {"theme": theme, "next": back})["Location"])


def test_the_choice_is_kept_and_can_be_taken_back(db: None) -> None:
    client = Client()
    assert chosen(client, "dark") == "/sign-in/"
    assert '<html lang="en" data-bs-theme="dark">' in client.get("/sign-in/").content.decode()

    chosen(client, "auto")
    assert '<html lang="en">' in client.get("/sign-in/").content.decode()


def test_an_unknown_theme_in_the_cookie_is_none(db: None) -> None:
    client = Client()
    client.cookies[COOKIE] = '"><script>'
    assert '<html lang="en">' in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_it_leads_to_no_other_site(db: None, back: str) -> None:
    assert chosen(Client(), "dark", back) == "/"

"""The set-up page: the one-time link, what a mistake keeps and what it never keeps, and the link once it is used."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Organization, User
from accounts.services.setup import load_first_packs
from keyadmin.instance.services import bind_master_key, issue_setup_token
from tests.pages.reading import Page
from tests.world import PASSWORD, World

FIELDS = {"organization": "Acme", "name": "Dana", "email": "dana@example.org", "password": PASSWORD}


@pytest.fixture
def link(db: None, settings: Any) -> str:
    """The set-up link of a new installation."""
    bind_master_key(settings.ENV.master.fingerprint)
    load_first_packs()
    return f"/setup/{issue_setup_token()}/"


def csrf_token(response: Any) -> str:
    """The token of any form of the page."""
    return next(field["value"] for field in Page(response).all("input") if field.get("name") == "csrfmiddlewaretoken")


def assert_private(response: Any) -> None:
    """Neither a cache nor another address may learn the token in the path."""
    assert "no-store" in response["Cache-Control"]
    # A form on a page with "no-referrer" is sent with `Origin: null`, which the CSRF check refuses.
    assert response["Referrer-Policy"] == "strict-origin"


def test_the_link_opens_an_empty_form(link: str) -> None:
    response = Client().get(link)

    assert response.status_code == 200
    assert_private(response)
    page = Page(response)
    assert {"organization", "name", "email", "password"} <= {field.get("name") for field in page.all("input")}
    assert page.field("password")["type"] == "password"
    assert page.field("password")["autocomplete"] == "new-password"
    assert "id_password_helptext" in page.field("password")["aria-describedby"]


def test_set_up_makes_the_administrator_and_signs_them_in(link: str) -> None:
    client = Client(enforce_csrf_checks=True)
    token = csrf_token(client.get(link))

    response = client.post(link, {**FIELDS, "csrfmiddlewaretoken": token}, headers={"origin": "http://testserver"})

    assert (response.status_code, response["Location"]) == (302, "/")
    assert_private(response)
    landed = client.get("/", follow=True)
    assert landed.redirect_chain == [("/o/acme/", 302)]
    assert "Create your first API key" in Page(landed).text
    assert User.objects.get().is_instance_admin
    assert Organization.objects.get().name == "Acme"


def test_a_browser_that_hides_its_origin_is_refused(link: str) -> None:
    """Why the policy of the page is not no-referrer."""
    client = Client(enforce_csrf_checks=True)
    token = csrf_token(client.get(link))

    response = client.post(link, {**FIELDS, "csrfmiddlewaretoken": token}, headers={"origin": "null"})

    assert response.status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("organization", "", "Organisation is missing."),
        ("organization", "x" * 151, "at most 150 characters"),
        ("name", "  ", "Your name is missing."),
        ("name", "a\x07b", "U+0007"),
        ("email", "nonsense", "Write the e-mail address in full"),
        ("password", "", "Password is missing."),
        ("password", "too short", "at least 12 characters"),
        ("password", "password1234", "too common"),
        ("password", "dana@example.org", "too similar"),
    ],
)
def test_a_mistake_keeps_what_was_typed_but_never_the_password(link: str, field: str, value: str, words: str) -> None:
    client = Client()
    response = client.post(link, {**FIELDS, field: value})

    assert response.status_code == 422
    assert_private(response)
    page = Page(response)
    assert page.title.startswith("Error: ")
    assert words in page.text
    for name in {"organization", "name", "email"} - {field}:
        assert page.field(name)["value"] == FIELDS[name]
    assert "value" not in page.field("password")
    assert PASSWORD not in response.content.decode()
    wrong = page.field(field)
    assert wrong["aria-invalid"] == "true"
    assert f"id_{field}_error" in wrong["aria-describedby"].split()
    assert f"#id_{field}" in [attributes["href"] for attributes in page.all("a")]
    (summary,) = [attributes for attributes in page.all("div") if attributes.get("role") == "alert"]
    assert {"autofocus", "tabindex"} <= summary.keys()
    assert not User.objects.exists()
    assert client.post(link, FIELDS).status_code == 302, "the link works on"


def test_nothing_at_all_is_a_mistake_too(link: str) -> None:
    response = Client().post(link)

    assert response.status_code == 422
    assert Page(response).text.count("is missing.") == 8  # four fields, each in the summary and beside itself


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_wrong_link_says_what_to_do(link: str, method: str) -> None:
    for wrong in ("/setup/wrong/", link[:-2] + "/", "/setup/%00/", "/setup/" + "x" * 3000 + "/"):
        response = getattr(Client(), method)(wrong, FIELDS)

        assert response.status_code == 404
        assert_private(response)
        assert "Open the link that was printed last" in Page(response).text
        assert wrong.split("/")[2] not in response.content.decode()
    assert not User.objects.exists()


def test_a_newer_link_replaces_the_older_one(link: str) -> None:
    newer = f"/setup/{issue_setup_token()}/"

    assert Client().get(link).status_code == 404
    assert Client().get(newer).status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_used_link_leads_to_sign_in(link: str, method: str) -> None:
    Client().post(link, FIELDS)

    response = getattr(Client(), method)(link, {**FIELDS, "email": "second@example.org"})

    assert response.status_code == 409
    assert_private(response)
    page = Page(response)
    assert "Already set up" in page.text
    assert "/sign-in/" in [attributes["href"] for attributes in page.all("a")]
    assert User.objects.count() == 1


def test_no_link_opens_once_an_administrator_exists(world: World) -> None:
    assert Client().get(f"/setup/{issue_setup_token()}/").status_code == 409


def test_names_of_any_script_hold_and_are_escaped(link: str) -> None:
    name = 'شركة <b onclick="x">&amp; Söhne</b>'
    client = Client()
    client.post(link, {**FIELDS, "name": name})

    page = Page(client.get("/", follow=True))
    assert " ".join(name.split()) in page.text
    assert not page.all("b")
    assert page.all("bdi"), "set apart, so that its direction moves nothing around it"

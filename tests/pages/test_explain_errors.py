"""The docs of the error codes: a page for each, with an example that real answers look like."""

import json
from html import unescape
from typing import Any

import pytest
from django.test import Client

from keyadmin.kernel.errors import KINDS
from tests.pages.reading import Page
from tests.world import World


def example_on(code: str) -> dict[str, Any]:
    """The example body that the page of a code shows."""
    page = unescape(Client().get(f"/docs/errors/{code}").content.decode())
    found: dict[str, Any] = json.loads(page[page.index("{\n") : page.rindex("\n}") + 2])
    return found


@pytest.mark.parametrize("code", KINDS)
def test_each_code_says_status_meaning_and_remedy(db: None, code: str) -> None:
    kind = KINDS[code]
    page = Page(Client().get(f"/docs/errors/{code}"))

    assert code in page.title
    for words in (code, kind.title, kind.meaning, kind.remedy, f"HTTP {kind.status}"):
        assert " ".join(words.split()) in page.text
    assert {"code": code, "status": kind.status, "type": f"/docs/errors/{code}"}.items() <= example_on(code).items()


def test_the_index_leads_to_each_code(db: None) -> None:
    page = Page(Client().get("/docs/errors/"))
    links = {attributes["href"] for attributes in page.all("a")}

    assert {f"/docs/errors/{code}" for code in KINDS} <= links


@pytest.mark.parametrize("code", ["missing_key", "invalid_key", "insufficient_scope", "validation_error", "not_found"])
def test_the_example_has_the_shape_of_a_real_answer(world: World, code: str) -> None:
    client = world.client(key=world.key("apikey.ctrl").secret)
    past = {"name": "Old", "expiry_date": "2001-01-01"}
    real = {
        "missing_key": Client().get("/api/v1/whoami"),
        "invalid_key": world.client(key="nonsense").get("/api/v1/whoami"),
        "insufficient_scope": client.get("/crm/customers"),
        "validation_error": client.post("/api/v1/api-keys", past, content_type="application/json"),
        "not_found": client.get("/api/v1/api-keys/999999"),
    }[code]
    body, example = real.json(), example_on(code)

    assert (real.status_code, body["code"]) == (KINDS[code].status, code)
    assert list(body) == list(example)
    assert body["type"] == example["type"]
    assert Client().get(body["type"]).status_code == 200
    if code == "validation_error":
        assert body["errors"] == example["errors"]


def test_the_headers_shown_are_those_sent(db: None) -> None:
    sent = Client().get("/api/v1/whoami")["WWW-Authenticate"]

    assert f"WWW-Authenticate: {sent}" in Page(Client().get("/docs/errors/missing_key")).text

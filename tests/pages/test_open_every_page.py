"""What holds on every page: who may open it, headers, one h1, nothing inline, nothing from elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection
from django.test import Client

from keyadmin.instance.services import issue_setup_token
from keyadmin.kernel.errors import KINDS
from tests.pages.reading import Page
from tests.world import World

DOCS = ("/docs/", "/docs/how-keys-work", "/docs/keeping-keys-safe", "/docs/errors/")
PUBLIC = (*DOCS, *(f"/docs/errors/{code}" for code in KINDS), "/sign-in/", "/sign-in/inactive/")
PUBLIC = (*PUBLIC, "/sign-in/reset/", "/sign-in/reset/sent/", "/sign-in/reset/done/")
LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "form": "action", "a": "href"}


def assert_sound(response: Any) -> None:
    """One page as it must be, whatever it says."""
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "unsafe-" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Request-Id"]

    page = Page(response)
    assert page.title.strip().endswith(("Keyadmin", "Keyadmin docs", "Set up keyadmin"))
    assert page.headings.count(1) == 1
    before_h1, after_h1 = page.headings[: page.headings.index(1)], page.headings[page.headings.index(1) :]
    assert not before_h1
    assert all(later <= earlier + 1 for earlier, later in pairwise(after_h1)), page.headings
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.ids) == len(set(page.ids)), page.ids

    assert not page.all("style")
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], (tag, attributes)
        address = attributes.get(LOADS.get(tag, ""), "")
        assert not urlsplit(address).netloc, address
        assert not address.startswith("javascript:")
        if tag == "script":
            assert attributes.get("src"), "an inline script"
    for attributes in page.all("label"):
        assert attributes["for"] in page.ids
    for attributes in page.all("input"):
        for described_by in attributes.get("aria-describedby", "").split():
            assert described_by in page.ids


@pytest.mark.parametrize("path", PUBLIC)
def test_anybody_opens_a_public_page(db: None, path: str) -> None:
    response = Client().get(path)

    assert response.status_code == 200
    assert_sound(response)


@pytest.mark.parametrize("path", DOCS)
def test_docs_open_also_for_people_keys_and_wrong_keys(world: World, path: str) -> None:
    for client in (world.client(world.developer), world.client(key=world.key().secret), world.client(key="nonsense")):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/docs/nothing", "/docs/errors/nothing", "/docs/how-keys-work/", "/nothing", "/%00"])
def test_what_is_not_there_is_a_404_page(db: None, path: str) -> None:
    response = Client().get(path)

    assert response.status_code == 404
    assert_sound(response)
    assert response["X-Request-Id"] in Page(response).text


@pytest.mark.parametrize("path", DOCS)
def test_docs_can_only_be_read(db: None, path: str) -> None:
    assert Client().post(path).status_code == 405


def open_set_up(world: World) -> Any:
    world.admin.is_instance_admin = False
    world.admin.save()
    return Client().get(f"/setup/{issue_setup_token()}/")


@pytest.mark.parametrize(
    ("status", "get"),
    [
        (200, lambda world: world.client(world.developer).get("/o/acme/")),
        (200, lambda world: world.client(world.manager).get("/o/acme/keys/?search=x&status=all")),
        (200, lambda world: world.client(world.manager).get("/o/acme/keys/new/")),
        (200, lambda world: world.client(world.manager).get(f"/o/acme/keys/{world.key().key.pk}/")),
        (200, lambda world: world.client(world.manager).get(f"/o/acme/keys/{world.key().key.pk}/edit/")),
        (200, lambda world: world.client(world.manager).get(f"/o/acme/keys/{world.key().key.pk}/revoke/")),
        (422, lambda world: world.client(world.manager).post("/o/acme/keys/new/", {"mode": "custom"})),
        (200, lambda world: world.client(world.auditor).get("/o/acme/activity/")),
        (200, lambda world: world.client(world.auditor).get("/o/acme/activity/1/")),
        (200, lambda world: world.client(world.admin).get("/instance/activity/")),
        (200, lambda world: world.client(world.admin).get("/")),
        (403, lambda world: world.client(world.auditor).get("/o/acme/keys/new/")),
        (200, lambda world: world.client(world.developer).get("/sign-out/")),
        (200, lambda world: world.client(world.admin).get("/me/")),
        (200, lambda world: world.client(world.admin).get("/me/security/")),
        (200, lambda world: world.client(world.admin).get("/me/security/app/")),
        (200, lambda world: world.client(world.admin).get("/me/security/passkeys/add/", headers={"host": "localhost"})),
        (200, lambda world: world.client(world.admin).get("/me/confirm/")),
        (200, lambda world: world.client(world.admin).get("/instance/mail/")),
        (200, lambda world: world.client(world.admin).get("/instance/rounds/")),
        (200, lambda world: world.client(world.admin).get("/instance/site-key/")),
        (200, lambda world: world.client(world.admin).get("/instance/site-key/replace/")),
        (200, open_set_up),
        (409, lambda world: Client().get("/setup/anything/")),
        (200, lambda world: Client().post("/sign-in/", {"login": "", "password": ""})),
        (400, lambda world: Client(headers={"host": "elsewhere.example"}).get("/docs/")),
        (403, lambda world: Client(enforce_csrf_checks=True).post("/sign-in/", {})),
    ],
    ids=(
        "overview list new key edit revoke errors activity entry instance choice denied sign-out profile security app "
        "passkey confirm mail rounds site-key replace set-up used wrong foreign-host csrf"
    ).split(),
)
def test_other_pages_are_sound_too(world: World, status: int, get: Callable[[World], Any]) -> None:
    response = get(world)

    assert response.status_code == status
    assert_sound(response)


@pytest.mark.parametrize("path", ["/static/css/tokens.css", "/static/css/page.css", "/static/img/key.svg"])
def test_what_pages_load_is_there(db: None, path: str) -> None:
    assert Client().get(path).status_code == 200


def test_every_link_of_a_public_page_leads_somewhere(world: World) -> None:
    client = Client()
    links = {attributes["href"] for path in PUBLIC for attributes in Page(client.get(path)).all("a")}
    paths = {urlsplit(link).path for link in links} - {""}

    assert {"/", "/docs/", "/sign-in/", "/api/v1/permissions", "/api/v1/openapi.json"} <= paths
    for path in paths:
        assert client.get(path).status_code in (200, 302), path


@contextmanager
def database_down() -> Iterator[None]:
    def refuse(*ignored: object) -> NoReturn:
        raise OperationalError("the database is down")

    with connection.execute_wrapper(refuse):
        yield


def test_the_error_page_stands_while_the_database_is_down(world: World) -> None:
    client = world.client(world.developer, raise_request_exception=False)
    with database_down():
        response = client.get("/o/acme/")

    assert response.status_code == 503
    assert response["Retry-After"]
    assert_sound(response)
    assert client.get("/o/acme/").status_code == 200, "the control: it is up again"

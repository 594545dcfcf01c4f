"""What the first visit to the list of keys costs over the network, from the server that people run."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser

from tests.e2e.watching import Watch
from tests.running.installation import ADMINISTRATOR, CLIENT, PASSWORD, Installation, prepared

KILOBYTE = 1000
ROWS = 50


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with an administrator and 50 keys beside the one that made them."""
    with prepared(tmp_path_factory.mktemp("weight")) as made:
        made.start()
        admin = made.secret("create_key", "--name", "Automation", "--admin")
        with httpx.Client(base_url=made.address, headers={"X-API-KEY": admin}, **CLIENT) as client:
            for number in range(ROWS):
                fields = {
                    "name": f"{('Billing sync', 'Provisioning system', 'Monitoring')[number % 3]} {number}",
                    "description": "Reads invoices every night; its owner keeps it in the vault of the office.",
                    "expiry_date": ("2099-01-31", None)[number % 2],
                    "permissions": ["view_customer", "view_invoice"],
                }
                assert client.post("/api/v1/api-keys", json=fields).status_code == 201
        yield made


def test_the_first_visit_is_light(browser: Browser, filled: Installation) -> None:
    context = browser.new_context(base_url=filled.address)
    watch = Watch(context)
    page = context.new_page()
    page.goto("/sign-in/")
    page.locator("[name=login]").fill(ADMINISTRATOR["KEYADMIN_ADMIN_EMAIL"])
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name=re.compile("sign in", re.I)).click()
    page.wait_for_url("**/o/acme/")
    page.close()

    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    address: dict[str, str] = {}
    received: dict[str, int] = {}
    network.on("Network.responseReceived", lambda e: address.__setitem__(e["requestId"], e["response"]["url"]))
    network.on("Network.loadingFinished", lambda e: received.__setitem__(e["requestId"], e["encodedDataLength"]))
    page.goto(f"/o/acme/keys/?page_size={ROWS}", wait_until="networkidle")
    assert page.locator("tbody tr").count() == ROWS

    weights = {urlsplit(address[one]): size for one, size in received.items() if address[one].startswith("http")}
    listed = {url.path: size for url, size in weights.items()}
    assert {f"{url.scheme}://{url.netloc}" for url in weights} == {filled.address}
    assert sum(weights.values()) <= 110 * KILOBYTE, listed
    assert listed["/o/acme/keys/"] <= 25 * KILOBYTE, listed
    own = {path: size for path, size in listed.items() if path.startswith("/static/js/")}
    assert own, listed
    assert sum(own.values()) <= 10 * KILOBYTE, own
    assert not [path for path in listed if path.endswith((".woff", ".woff2", ".ttf"))]
    assert watch.errors == []
    context.close()

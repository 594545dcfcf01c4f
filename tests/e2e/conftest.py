"""A real Chromium: the system's, found by $CHROMIUM or on PATH (scripts/setup dev brings it)."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.e2e.office import Office, chromium
from tests.world import World

# Playwright's synchronous API runs an event loop in this thread; Django would refuse to touch the database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# Beyond what any machine needs: a busy one is no fault of the code.
expect.set_options(timeout=30_000)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each opens contexts of its own."""
    program = chromium()
    if program is None:
        # Where nobody reads a list of skipped tests, a missing browser is a failure.
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Chromium is missing; scripts/setup dev brings it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def remembering_browser(browser: Browser) -> Iterator[Browser]:
    """One that keeps pages alive for Back and Forward, as people's browsers do and Playwright's do not."""
    ignored = ["--disable-back-forward-cache"]
    path = chromium(with_windows=True)
    started = browser.browser_type.launch(executable_path=path, args=ARGUMENTS, ignore_default_args=ignored)
    yield started
    started.close()


@pytest.fixture
def office(browser: Browser, live_server: LiveServer, lasting_world: World) -> Iterator[Office]:
    served = Office(browser, live_server.url, lasting_world)
    yield served
    for watch in served.watches:
        watch.context.close()
    assert [watch.errors for watch in served.watches] == [[] for _ in served.watches]

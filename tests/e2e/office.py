"""The product as a person has it open in a browser."""

import os
import re
import shutil
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect

from keyadmin.web.theme import COOKIE
from tests.e2e.watching import Watch, sign_in
from tests.servers import OURS
from tests.world import World

# The kit is looked at in both themes at both widths, a page in one look, with the full numbers in all of them.
SOAK = os.environ.get(OURS) == "1"
ALL_LOOKS = [("light", 1280), ("dark", 360), ("light", 360), ("dark", 1280)]
LIGHT, DARK = (ALL_LOOKS, ALL_LOOKS) if SOAK else (ALL_LOOKS[:1], ALL_LOOKS[1:2])
OVERVIEW, KEYS = "/o/acme/", "/o/acme/keys/"
# Chromium notes every refused form and every refused key in its console.
EXPECTED = ("status of 422", "status of 401")


def chromium(*, with_windows: bool = False) -> str | None:
    """Where the browser is. The headless shell is the same one without windows: half the work, and less focus."""
    names = ["chromium-headless-shell", "chromium", "google-chrome"]
    if with_windows:
        names.reverse()
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@dataclass
class Office:
    """The product, served; opens browser windows, and fails in the end if one of them was unhappy."""

    browser: Browser
    server: str
    world: World
    watches: list[Watch] = field(default_factory=list)

    def open(
        self,
        path: str,
        *,
        theme: str = "light",
        width: int = 1280,
        user: Any = None,
        signed_in: bool = True,
        **options: Any,
    ) -> Page:
        context = self.browser.new_context(base_url=self.server, viewport={"width": width, "height": 800}, **options)
        self.watches.append(Watch(context, expected=EXPECTED))
        if signed_in:
            sign_in(context, self.world, user or self.world.admin, self.server)
        context.add_cookies([{"name": COOKIE, "value": theme, "url": self.server}])
        page = context.new_page()
        page.goto(path)
        return page


def make_first_key(page: Page) -> str:
    """From the empty overview to a visible secret: two clicks and one typed field."""
    page.get_by_role("link", name="Create your first API key").click()
    page.locator("form[data-guard]").get_by_label("Name").fill("Billing sync")
    page.get_by_role("button", name="Generate Key").click()
    expect(page.locator("#secret")).to_have_text(re.compile(r"^ka_live_\w{50,}$"))
    return page.locator("#secret").inner_text()


def close(page: Page) -> None:
    page.get_by_label("I have saved this key").check()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("main .ka-note", has_text="Key Billing sync created.")).to_be_visible()

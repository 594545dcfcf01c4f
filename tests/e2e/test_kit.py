"""The kit in a real browser: readable by everybody in both themes, under the strict CSP, and careful with secrets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Dialog, Page, expect
from pytest_django.live_server_helper import LiveServer

from keyadmin.web.theme import COOKIE
from tests.e2e.kitchen_sink import OVERRIDES, SECRET
from tests.e2e.office import DARK, LIGHT
from tests.e2e.watching import Watch, findings, sign_in
from tests.world import World

WIDTHS = 1280, 360
SINK = "/o/acme/keys/"
REFUSED_FORM = "status of 422"  # Chromium notes every such answer in its console


@dataclass
class Sink:
    """The kitchen sink, served; opens browser windows on it, and fails in the end if one of them was unhappy."""

    browser: Browser
    server: str
    world: World
    watches: list[Watch]

    def open(self, path: str = SINK, *, theme: str = "light", width: int = 1280, javascript: bool = True) -> Page:
        context = self.browser.new_context(
            base_url=self.server, viewport={"width": width, "height": 800}, java_script_enabled=javascript
        )
        self.watches.append(Watch(context, expected=(REFUSED_FORM,)))
        sign_in(context, self.world, self.world.admin, self.server)
        context.add_cookies([{"name": COOKIE, "value": theme, "url": self.server}])
        page = context.new_page()
        page.goto(path)
        return page


@pytest.fixture
def sink(browser: Browser, live_server: LiveServer, lasting_world: World) -> Iterator[Sink]:
    served = Sink(browser, live_server.url, lasting_world, [])
    with override_settings(**OVERRIDES):
        yield served
        for watch in served.watches:
            watch.context.close()
    assert [watch.errors for watch in served.watches] == [[] for _ in served.watches]


def fill_in(page: Page) -> None:
    """The form as it is accepted."""
    form = page.locator("form[data-guard]")
    form.get_by_label("Name").fill("Billing sync")
    form.get_by_label("90 days").check()
    form.get_by_label("I need an admin key").check()
    form.get_by_role("button", name="Generate Key").click()


def open_reveal(page: Page) -> None:
    """From the list to a secret in the modal."""
    page.get_by_role("link", name="Add API Key").click()
    fill_in(page)
    expect(page.locator("#secret")).to_have_text(SECRET)


@pytest.mark.parametrize(("theme", "width"), sorted({*LIGHT, *DARK}))
def test_every_state_is_accessible(sink: Sink, theme: str, width: int) -> None:
    page = sink.open(f"{SINK}?status=active&many=1&message=1", theme=theme, width=width)
    found = {"page": findings(page)}
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_role("button", name="Actions for Grafana").first.click()
    found["menu"] = findings(page)
    page.keyboard.press("Escape")
    page.goto(f"{SINK}?search=nothing")
    found["empty"] = findings(page)
    page.get_by_role("link", name="Add API Key").click()
    expect(page.get_by_role("heading", name="Create API key")).to_be_visible()
    found["form"] = findings(page)
    page.get_by_role("button", name="Generate Key").click()
    expect(page.locator("#errors")).to_be_focused()
    found["errors"] = findings(page)
    fill_in(page)
    expect(page.locator("#secret")).to_have_text(SECRET)
    found["reveal"] = findings(page)
    page.get_by_role("button", name="Close without saving").click()
    expect(page.get_by_role("button", name="Go back")).to_be_focused()
    found["question"] = findings(page)

    assert found == {state: [] for state in found}
    assert not wide, "the page scrolls sideways"


def test_dark_follows_the_system_until_a_theme_is_chosen(sink: Sink) -> None:
    page = sink.open(theme="auto")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(background)
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Light").click()

    assert page.evaluate(background) == light != dark
    expect(page.locator("#status")).to_have_text("Theme: Light.")
    page.reload()
    assert page.evaluate(background) == light, "the server wrote it into the page"


@pytest.mark.parametrize("width", WIDTHS)
def test_an_unsaved_secret_is_not_lost_by_accident(sink: Sink, width: int) -> None:
    page = sink.open(width=width)
    open_reveal(page)
    expect(page.get_by_role("button", name="Copy to Clipboard")).to_be_focused()

    for _ in range(5):
        page.keyboard.press("Escape")
    page.mouse.click(5, 400)
    page.get_by_role("button", name="Close", exact=True).click()

    expect(page.locator("#secret")).to_have_text(SECRET)
    expect(page.locator("#status")).to_contain_text("Tick 'I have saved this key' to close.")
    page.get_by_label("I have saved this key").check()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#secret")).to_have_count(0)
    assert SECRET not in page.content()


def test_leaving_asks_and_wipes(sink: Sink) -> None:
    page = sink.open()
    open_reveal(page)
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)

    page.goto("/docs/")
    page.go_back()

    assert asked == ["beforeunload"]
    assert SECRET not in page.content()
    assert SECRET not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


@pytest.mark.parametrize("denied", [True, False])
def test_copying_works_or_says_what_to_press(sink: Sink, denied: bool) -> None:
    page = sink.open()
    if denied:
        page.evaluate("document.execCommand = () => false")
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    else:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_reveal(page)
    page.get_by_role("button", name="Copy to Clipboard").click()

    if denied:
        expect(page.locator("#status")).to_contain_text("press Ctrl+C")
        assert page.evaluate("getSelection().toString()") == SECRET
    else:
        expect(page.locator("#status")).to_have_text("API key copied to clipboard.")
        assert page.evaluate("navigator.clipboard.readText()") == SECRET


def test_typed_values_are_not_discarded_unasked(sink: Sink) -> None:
    page = sink.open()
    add = page.get_by_role("link", name="Add API Key")
    name = page.locator("#modal").get_by_label("Name")
    add.click()
    expect(name).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#modal form")).to_have_count(0)
    expect(add).to_be_focused()

    add.click()
    name.fill("Billing")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keep editing").click()
    expect(name).to_have_value("Billing")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#modal form")).to_have_count(0)


def test_focus_stays_where_it_was_in_a_list(sink: Sink) -> None:
    page = sink.open(f"{SINK}?many=1")
    header = page.get_by_role("columnheader", name="Name").get_by_role("link")
    header.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sort="))
    expect(header).to_be_focused()
    page.get_by_role("link", name="Page 2").click()
    expect(page.locator("[aria-current=page]", has_text="2")).to_be_focused()


def test_a_whole_key_is_not_sent_as_a_search(sink: Sink) -> None:
    page = sink.open()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    field = page.get_by_label("Search by name, description, or partial key")
    field.fill("ka_live_" + "a" * 50)
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert").filter(has_text="complete API key")).to_be_visible()
    expect(field).to_have_value("")
    assert not [url for url in asked if "aaaa" in url]


def test_a_failure_says_that_nothing_changed(sink: Sink) -> None:
    page = sink.open()
    sink.watches[0].expected = ("status of 500", "htmx:responseError", "Response Status Error Code 500")
    page.get_by_role("link", name="Export").click()

    expect(
        page.get_by_role("alert").filter(has_text=re.compile("Nothing was changed. Request id req_"))
    ).to_be_visible()


def test_it_works_without_javascript(sink: Sink) -> None:
    page = sink.open(f"{SINK}?many=1", width=360, javascript=False)
    page.get_by_role("button", name="Menu", exact=True).click()
    page.get_by_role("link", name="Activity").click()
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/form/")
    page.get_by_role("button", name="Generate Key").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    fill_in(page)
    expect(page.locator("#secret")).to_have_text(SECRET)
    expect(page.get_by_role("button", name="Copy to Clipboard")).to_be_hidden()
    page.get_by_role("link", name="Back to API keys").click()
    assert SECRET not in page.content()

"""The one time that a secret is shown: copied, used, not lost by accident, confirmed, and then nowhere."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Dialog, Error, Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from keyadmin.activity.models import Event
from keyadmin.keys.models import APIKey
from tests.e2e import residue
from tests.e2e.office import KEYS, OVERVIEW, SOAK, Office, close
from tests.world import World

OPENINGS = {"modal": KEYS, "page": f"{KEYS}new/"}


def reveal(page: Page, name: str = "Billing sync") -> str:
    """From the list (in the modal) or from the form (as a page) to a visible secret."""
    if page.url.endswith(KEYS):
        page.locator("a", has_text=re.compile("Add API Key|Create your first API key")).first.click()
    page.locator("form[data-guard]").get_by_label("Name").fill(name)
    page.get_by_role("button", name="Generate Key").click()
    expect(page.locator("#secret")).to_have_text(re.compile(r"^ka_live_\w{50}$"))
    return page.locator("#secret").inner_text()


def copy_button(page: Page) -> None:
    page.get_by_role("button", name="Copy to Clipboard").click()


def announced(page: Page, text: str) -> None:
    expect(page.locator("#status")).to_contain_text(text)


def confirmed() -> bool:
    return APIKey.objects.get().secret_confirmed_at is not None


# --- copying ----------------------------------------------------------------------------------------------------


def clipboard(page: Page) -> str:
    """What another page of the same person would paste."""
    other = page.context.new_page()
    other.goto(KEYS)
    text = str(other.evaluate("navigator.clipboard.readText()"))
    other.close()
    return text


@pytest.mark.parametrize("obstacle", ["none", "no clipboard", "denied"])
def test_the_key_is_copied_with_or_without_the_clipboard_api(office: Office, obstacle: str) -> None:
    page = office.open(OVERVIEW)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(KEYS)
    if obstacle == "no clipboard":  # as over plain HTTP
        page.add_init_script("delete Navigator.prototype.clipboard")
        page.goto(KEYS)
    secret = reveal(page)
    if obstacle == "denied":
        page.evaluate("void (Clipboard.prototype.writeText = () => Promise.reject(new Error('not allowed')))")
    page.get_by_role("button", name="Hide").click()
    copy_button(page)
    announced(page, "API key copied to clipboard.")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == ""
    close(page)
    assert clipboard(page) == secret


def test_where_copying_is_blocked_the_key_is_selected(office: Office) -> None:
    page = office.open(KEYS)
    secret = reveal(page)
    page.evaluate("document.execCommand = () => false")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.get_by_role("button", name="Hide").click()
    copy_button(page)
    announced(page, "Copying is blocked by your browser. The key is selected: press Ctrl+C (Cmd+C).")
    expect(page.locator(".ka-tell")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == secret
    expect(page.get_by_role("button", name="Hide")).to_be_visible()


# --- using ------------------------------------------------------------------------------------------------------


def test_the_examples_work_as_they_stand(office: Office, tmp_path: Path) -> None:
    page = office.open(KEYS)
    secret = reveal(page, "Café sync[bulk]")
    command = page.locator("#snippet-curl").inner_text().replace("\\\n", " ")
    curl, flag, header, url = shlex.split(command)
    assert (curl, flag, header) == ("curl", "-H", f"X-API-KEY: {secret}")
    assert httpx.get(url, headers=dict([header.split(": ")])).status_code == 200

    page.get_by_role("tab", name=".env").click()
    with page.expect_download() as started:
        page.get_by_role("button", name="Download .env").click()
    assert started.value.suggested_filename == "cafe-sync.env"
    started.value.save_as(tmp_path / "downloaded.env")
    line = (tmp_path / "downloaded.env").read_text()
    assert line == f'CRM_API_KEY="{secret}"\n'
    assert page.locator("#snippet-env").inner_text() == line.strip()

    page.get_by_role("tab", name="Python").click()
    code = page.locator("#snippet-python").inner_text()
    assert secret not in code
    env = {**os.environ, "CRM_API_KEY": secret}
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert "Café sync[bulk]" in ran.stdout


def test_the_examples_are_tabs_for_the_keyboard_too(office: Office) -> None:
    page = office.open(KEYS)
    reveal(page)
    tab = page.get_by_role("tab")
    expect(page.get_by_role("tabpanel")).to_have_count(1)
    tab.first.focus()
    for key, name in (("ArrowRight", ".env"), ("ArrowRight", "Python"), ("ArrowRight", "curl"), ("End", "Python")):
        page.keyboard.press(key)
        expect(page.get_by_role("tab", name=name, selected=True)).to_be_focused()
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()
        expect(page.get_by_role("tabpanel")).to_have_count(1)
    assert page.locator('[role=tab][tabindex="0"]').count() == 1


# --- not lost ---------------------------------------------------------------------------------------------------


def stay(page: Page) -> list[str]:
    """Answer each question of the browser by staying; returns what was asked."""
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", answer)
    return asked


@pytest.mark.parametrize("where", OPENINGS)
def test_nothing_closes_it_by_accident(office: Office, where: str) -> None:
    page = office.open(OPENINGS[where])
    secret = reveal(page)
    asked = stay(page)
    if where == "modal":
        for _ in range(5):
            page.keyboard.press("Escape")
        announced(page, "The key is still open. Tick 'I have saved this key' to close.")
        page.mouse.click(5, 400)
    expect(page.locator("#secret")).to_have_text(secret)
    page.get_by_role("button", name="Close", exact=True).click()
    announced(page, "The key is still open. Tick 'I have saved this key' to close.")
    expect(page.locator(".ka-shake [data-reveal]")).to_have_count(1)
    expect(page.get_by_label("I have saved this key")).to_be_focused()
    assert asked == []

    leaving = ("history.back()", "location.reload()", "location.assign('/docs/')")
    for number, act in enumerate(leaving, 1):
        page.evaluate(f"setTimeout(() => {act})")
        page.wait_for_timeout(400)
        assert asked == ["beforeunload"] * number, act
    page.close(run_before_unload=True)
    page.wait_for_timeout(400)
    assert asked == ["beforeunload"] * 4
    expect(page.locator("#secret")).to_have_text(secret)

    page.get_by_role("button", name="Close without saving").click()
    expect(page.get_by_text("You have not confirmed.")).to_be_visible()
    page.get_by_role("button", name="Go back").click()
    expect(page.locator("#secret")).to_have_text(secret)
    assert APIKey.objects.count() == 1
    assert not confirmed()
    close(page)
    assert confirmed()


def test_back_over_a_filter_does_not_close_it(office: Office) -> None:
    """The entry before is the same document, which the list would restore by itself."""
    office.world.key(name="Other")
    page = office.open(KEYS)
    page.get_by_label("Status", exact=True).select_option("All Keys")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile("status=all"))
    page.get_by_role("link", name="Add API Key").click()
    page.locator("form[data-guard]").get_by_label("Name").fill("Billing sync")
    page.get_by_role("button", name="Generate Key").click()
    secret = page.locator("#secret").inner_text()
    asked = stay(page)
    page.evaluate("setTimeout(() => history.back())")
    page.wait_for_timeout(400)
    assert asked == ["beforeunload"]
    expect(page.locator("#secret")).to_have_text(secret)
    close(page)


@pytest.mark.parametrize("where", OPENINGS)
def test_who_reloads_all_the_same_learns_what_happened(office: Office, where: str) -> None:
    page = office.open(OPENINGS[where])
    secret = reveal(page)
    page.get_by_role("button", name="Hide").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("main .ka-note", has_text="Key Billing sync created.")).to_be_visible()
    if where == "page":
        expect(page.get_by_role("heading", name="This key was already created")).to_be_visible()
        expect(page.get_by_role("link", name="Regenerate it")).to_be_visible()
    assert secret not in page.content()
    assert APIKey.objects.count() == 1
    assert not confirmed()


def test_a_second_enter_makes_no_second_key(office: Office) -> None:
    page = office.open(KEYS)
    page.get_by_role("link", name="Create your first API key").click()
    page.locator("#modal").get_by_label("Name").fill("Billing sync")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#secret")).to_be_visible()
    assert APIKey.objects.count() == 1


# --- closed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [KEYS, OVERVIEW, f"{KEYS}?status=expired", f"{KEYS}new/"])
def test_after_closing_one_stands_at_the_new_row(office: Office, start: str) -> None:
    office.world.key(name="Other")
    page = office.open(start)
    if not start.endswith("new/"):
        page.get_by_role("link", name="Add API Key").or_(page.get_by_role("link", name="Create API Key")).first.click()
    page.locator("form[data-guard]").get_by_label("Name").fill("Billing sync")
    page.get_by_role("button", name="Generate Key").click()
    expect(page.locator("#secret")).to_be_visible()
    close(page)
    expect(page.get_by_role("link", name="Billing sync", exact=True)).to_be_focused()
    expect(page).to_have_url(re.compile(f"{KEYS}#key-{APIKey.objects.get(name='Billing sync').pk}$"))
    announced(page, "Key Billing sync created.")
    assert page.evaluate("scrollY") == 0, "past the message"


def test_after_a_regeneration_one_stands_where_one_was(office: Office) -> None:
    key = office.world.key(name="Billing sync").key
    for start, end in ((f"{KEYS}?sort=name", f"{KEYS}?sort=name#key-{key.pk}"), (f"{KEYS}{key.pk}/",) * 2):
        page = office.open(start)
        page.get_by_role("button", name="Actions for Billing sync").click()
        page.get_by_role("link", name="Regenerate Key").click()
        page.locator("#modal").get_by_role("button", name="Regenerate Key").click()
        expect(page.locator("#secret")).to_be_visible()
        assert not confirmed()
        page.get_by_label("I have saved this key").check()
        page.get_by_role("button", name="Close", exact=True).click()
        expect(page.locator("main .ka-note", has_text="Key Billing sync has a new secret.")).to_be_visible()
        assert page.url == f"{office.server}{end}"
        assert confirmed()


def test_closing_without_saving_is_remembered(office: Office) -> None:
    page = office.open(KEYS)
    sent: list[str] = []
    reveal(page)
    page.on("request", lambda request: sent.append(request.method))
    page.get_by_role("button", name="Close without saving").click()
    page.get_by_role("button", name="Close anyway").click()
    expect(page.get_by_role("link", name="Billing sync", exact=True)).to_be_focused()
    assert "POST" not in sent
    assert not confirmed()


def test_leaving_after_the_tick_counts_as_saved(office: Office) -> None:
    page = office.open(OPENINGS["page"])
    reveal(page)
    page.get_by_label("I have saved this key").check()
    page.get_by_role("link", name="Activity").click()
    expect(page.get_by_role("heading", name="Activity", level=1)).to_be_visible()
    page.wait_for_timeout(300)
    assert confirmed()
    assert Event.objects.filter(name="api_key.secret_confirmed").count() == 1


@pytest.mark.parametrize("where", OPENINGS if SOAK else ["modal"])
@pytest.mark.parametrize("failure", ["network", "server", "signed out"])
def test_who_is_not_heard_gets_out_and_is_told(office: Office, where: str, failure: str) -> None:
    page = office.open(OPENINGS[where])
    office.watches[0].expected += ("Failed to load resource",)
    secret = reveal(page)
    if failure == "signed out":
        page.context.clear_cookies()
    else:
        page.route("**/saved/", lambda route: route.abort() if failure == "network" else route.fulfill(status=503))
    page.get_by_label("I have saved this key").check()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="The key is closed, but not confirmed.")).to_be_visible()
    assert secret not in page.content()
    assert not confirmed()
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"keys/#key|sign-in"))


# --- nowhere ----------------------------------------------------------------------------------------------------


def by_closing(page: Page) -> None:
    close(page)


def by_closing_anyway(page: Page) -> None:
    page.get_by_role("button", name="Close without saving").click()
    page.get_by_role("button", name="Close anyway").click()
    expect(page.get_by_role("link", name="Billing sync", exact=True)).to_be_focused()


def by_leaving(page: Page) -> None:
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto("/o/acme/activity/")


def walk(page: Page, move: Callable[..., object]) -> None:
    """Back or forward, also to the answer to a form: for that the browser asks before it sends the form again."""
    try:
        move(page, wait_until="commit")
    except Error as error:
        if "ERR_CACHE_MISS" not in str(error):
            raise
        page.wait_for_timeout(300)
        page.reload()
    page.wait_for_timeout(200)


@pytest.fixture
def remembering_office(remembering_browser: Browser, live_server: LiveServer, lasting_world: World) -> Iterator[Office]:
    """An office in a browser that keeps pages for Back."""
    served = Office(remembering_browser, live_server.url, lasting_world)
    yield served
    for watch in served.watches:
        watch.context.close()


ENDS = [("modal", by_closing), ("page", by_closing_anyway), ("modal", by_leaving)]
MORE_ENDS = [("page", by_closing), ("modal", by_closing_anyway), ("page", by_leaving)]


@pytest.mark.parametrize(("where", "end"), [*ENDS, *(MORE_ENDS if SOAK else [])])
def test_a_closed_secret_is_nowhere(remembering_office: Office, end: Callable[[Page], None], where: str) -> None:
    with residue.log() as log, override_settings(DEBUG=True):  # so that SQL is logged
        page = remembering_office.open("/o/acme/activity/")
        page.goto(OPENINGS[where])
        secret = reveal(page)
        copy_button(page)
        page.get_by_role("tab", name=".env").click()
        sent: list[Request] = []
        page.context.on("request", lambda request: sent.append(request))
        end(page)

        seen = [page.content()]
        for move in (Page.go_back, Page.go_back, Page.go_forward, Page.go_forward):
            walk(page, move)
            seen += [page.content(), residue.of_page(page)]
        page.goto(f"{KEYS}{APIKey.objects.get().pk}/")
        seen += [residue.of_page(page), str(page.context.cookies()), residue.of_requests(sent)]
    assert sent
    assert "SELECT" in log.getvalue()
    found = [residue.in_text(secret, text) for text in [*seen, log.getvalue(), residue.of_database()]]
    assert found == [[] for _ in found]


def test_a_page_that_is_kept_for_back_has_no_secret(remembering_office: Office) -> None:
    """No browser keeps our pages today, because they say no-store; this is for those that will."""

    def without_no_store(route: Route) -> None:
        response = route.fetch()
        headers = {name: value for name, value in response.headers.items() if name != "cache-control"}
        route.fulfill(response=response, headers=headers)

    page = remembering_office.open("/o/acme/activity/")
    page.add_init_script("""addEventListener('pageshow', (event) => {
      if (event.persisted) sessionStorage.kept = document.documentElement.outerHTML;
    })""")
    page.route("**/keys/**", without_no_store)
    page.goto(KEYS)
    secret = reveal(page)
    by_leaving(page)
    page.go_back(wait_until="commit")
    expect(page.get_by_role("link", name="Billing sync", exact=True)).to_be_focused()
    kept = page.evaluate("sessionStorage.kept")
    assert "data-reveal-foot" in kept
    assert residue.in_text(secret, kept + page.content()) == []

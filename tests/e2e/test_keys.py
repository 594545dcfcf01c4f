"""The journeys of the main user in a real browser: make a key, see it once, find it, stop it."""

import re

import httpx
import pytest
from playwright.sync_api import Dialog, expect

from keyadmin.keys.models import APIKey
from tests.e2e.office import KEYS, OVERVIEW, Office, close, make_first_key

STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}])"


@pytest.mark.parametrize("width", [1280, 360])
def test_a_first_key_works_until_it_is_revoked(office: Office, width: int) -> None:
    page = office.open(OVERVIEW, width=width)
    secret = make_first_key(page)
    words = page.locator("#snippet-curl").inner_text()
    command = re.fullmatch(r'curl (\S+) -H "X-API-KEY: (\w+)"', words.strip())
    assert command, words
    assert command[2] == secret
    assert httpx.get(command[1], headers={"X-API-KEY": command[2]}).status_code == 200

    close(page)
    page.get_by_role("button", name="Actions for Billing sync").click()
    page.get_by_role("link", name="Revoke…").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_text("Billing sync was revoked.")).to_be_visible()
    assert httpx.get(command[1], headers={"X-API-KEY": command[2]}).status_code == 401


def test_a_closed_secret_is_nowhere(office: Office) -> None:
    page = office.open(OVERVIEW)
    asked: list[str] = []
    secret = make_first_key(page)
    page.on("request", lambda request: asked.append(f"{request.url} {request.post_data} {request.headers}"))
    close(page)
    visited = []
    for act in (page.reload, page.go_back, page.reload, page.go_forward):
        visited.append(page.url)
        assert secret not in page.content()
        assert secret not in page.evaluate(STORED)
        act()
    assert secret not in page.content()
    assert not [text for text in [*asked, *visited] if secret in text]
    assert secret not in str(page.context.storage_state())


def test_an_unsaved_secret_is_not_lost_by_accident(office: Office) -> None:
    page = office.open(OVERVIEW)
    secret = make_first_key(page)
    for _ in range(5):
        page.keyboard.press("Escape")
    page.mouse.click(5, 400)
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#secret")).to_have_text(secret)

    dialogs: list[str] = []

    def stay(dialog: Dialog) -> None:
        dialogs.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.evaluate("setTimeout(() => location.reload())")
    page.wait_for_timeout(500)
    assert dialogs == ["beforeunload"]
    expect(page.locator("#secret")).to_have_text(secret)
    page.get_by_role("button", name="Close without saving").click()
    expect(page.get_by_text("You have not confirmed.")).to_be_visible()
    page.get_by_role("button", name="Go back").click()
    close(page)
    assert APIKey.objects.count() == 1


def test_reloading_the_reveal_makes_no_second_key(office: Office) -> None:
    page = office.open(f"{KEYS}new/", java_script_enabled=False)
    page.get_by_label("Name").fill("Billing sync")
    page.get_by_role("button", name="Generate Key").click()
    secret = page.locator("#secret").inner_text()
    page.reload()
    expect(page.get_by_role("heading", name="This key was already created")).to_be_visible()
    assert secret not in page.content()
    assert APIKey.objects.count() == 1


def test_two_quick_clicks_make_one_key(office: Office) -> None:
    page = office.open(OVERVIEW)
    page.get_by_role("link", name="Create your first API key").click()
    page.locator("#modal").get_by_label("Name").fill("Billing sync")
    page.get_by_role("button", name="Generate Key").dblclick()
    expect(page.locator("#secret")).to_be_visible()
    assert APIKey.objects.count() == 1


def test_errors_keep_what_was_typed(office: Office) -> None:
    page = office.open(KEYS)
    page.get_by_role("link", name="Add API Key").click()
    form = page.locator("#modal form")
    form.get_by_label("Description").fill("Nightly export")
    form.get_by_label("Custom", exact=True).check()
    page.get_by_role("button", name="Generate Key").click()
    expect(page.locator("#errors")).to_be_focused()
    expect(form.get_by_label("Description")).to_have_value("Nightly export")
    expect(form.get_by_label("Custom", exact=True)).to_be_checked()
    assert not APIKey.objects.exists()


def test_choices_show_what_they_need(office: Office) -> None:
    page = office.open(f"{KEYS}new/")
    owner, date = page.get_by_label("User", exact=True), page.get_by_label("Custom date", exact=True).last
    matrix = page.get_by_label("View customers")
    warning = page.get_by_text("An admin key can do everything")
    for hidden in (owner, date, matrix, warning):
        expect(hidden).to_be_hidden()
    page.get_by_label("A user", exact=True).check()
    expect(owner).to_be_visible()
    page.get_by_role("radio", name="Custom date").check()
    expect(date).to_be_visible()
    page.get_by_label("Custom", exact=True).check()
    expect(matrix).to_be_visible()
    page.get_by_label("The organisation", exact=True).check()
    page.get_by_label("Admin (all permissions)").check()
    expect(warning).to_be_visible()


def test_the_keyboard_is_enough(office: Office) -> None:
    page = office.open(OVERVIEW)
    page.evaluate("for (const name of ['mousedown', 'pointerdown']) addEventListener(name, () => { window.used = 1 })")
    press = page.keyboard.press
    page.get_by_role("link", name="Create your first API key").focus()
    press("Enter")
    expect(page.locator("#modal").get_by_label("Name")).to_be_focused()
    page.keyboard.type("Billing sync")
    press("Enter")
    expect(page.get_by_role("button", name="Copy to Clipboard")).to_be_focused()
    saved = page.get_by_label("I have saved this key")
    for _ in range(15):
        press("Tab")
        if saved.evaluate("node => node === document.activeElement"):
            break
    press("Space")
    expect(saved).to_be_checked()
    press("Tab")
    press("Tab")
    assert page.evaluate("window.used") is None
    press("Enter")
    expect(page.get_by_role("heading", name="Billing sync")).to_be_visible()


def test_it_works_without_javascript(office: Office) -> None:
    page = office.open(OVERVIEW, width=360, java_script_enabled=False)
    secret = make_first_key(page)
    page.get_by_role("link", name="Back to API keys").click()
    assert secret not in page.content()
    page.goto(f"{KEYS}{APIKey.objects.get().pk}/")
    page.get_by_role("button", name="Actions for Billing sync").click()
    page.get_by_role("link", name="Revoke…").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_text("Billing sync was revoked.")).to_be_visible()
    page.goto(KEYS)
    page.get_by_label("Status", exact=True).select_option("Revoked")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Billing sync", exact=True)).to_be_visible()

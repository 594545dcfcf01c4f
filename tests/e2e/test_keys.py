"""The journeys of the main user in a real browser: make a key, see it once, find it, stop it."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from keyadmin.keys.models import APIKey
from tests.e2e.hands import OUTLINE, Hands
from tests.e2e.office import KEYS, OVERVIEW, Office, close, make_first_key
from tests.world import PASSWORD


def status_of(office: Office, secret: str) -> int:
    """What a program with this key gets."""
    return httpx.get(f"{office.server}/api/v1/whoami", headers={"X-API-KEY": secret}).status_code


@pytest.mark.parametrize("width", [1280, 360])
def test_a_first_key_works_until_it_is_revoked(office: Office, width: int) -> None:
    page = office.open(OVERVIEW, width=width)
    secret = make_first_key(page)
    assert status_of(office, secret) == 200

    close(page)
    page.get_by_role("button", name="Actions for Billing sync").click()
    page.get_by_role("link", name="Revoke…").click()
    page.get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_text("Billing sync was revoked.")).to_be_visible()
    assert status_of(office, secret) == 401


def test_a_key_of_ones_own_is_made_under_the_profile(office: Office) -> None:
    page = office.open("/me/keys/", user=office.world.developer)
    page.get_by_role("link", name="Create API key").first.click()
    page.locator("#modal").get_by_label("Name").fill("Billing sync")
    page.get_by_role("button", name="Generate Key").click()
    secret = page.locator("#secret").inner_text()
    close(page)
    expect(page).to_have_url(re.compile("/me/keys/"))
    expect(page.get_by_role("link", name="Billing sync")).to_be_focused()
    assert status_of(office, secret) == 200


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
    """From the sign-in page to the row of the new key, without a mouse and without a detour."""
    page = office.open(f"/sign-in/?next={OVERVIEW}", signed_in=False)
    page.add_init_script("for (const name of ['mousedown', 'pointerdown']) addEventListener(name, () => { used = 1 })")
    page.reload()
    hands = Hands(page)
    login = page.get_by_label("E-mail address")
    if not login.evaluate("node => node === document.activeElement"):
        hands.tab_to(login)
    page.keyboard.type(office.world.manager.email or "")
    hands.tab_to(page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    hands.press("Enter")
    expect(page).to_have_url(re.compile(f"{OVERVIEW}$"))
    hands.press("Tab")
    hands.press("Enter")  # skips to the content
    hands.tab_to(page.get_by_role("link", name="Create your first API key"))
    hands.press("Enter")
    expect(page.locator("#modal").get_by_label("Name")).to_be_focused()
    page.keyboard.type("Billing sync")
    hands.press("Enter")
    expect(page.get_by_role("button", name="Copy to Clipboard")).to_be_focused()
    assert page.evaluate(OUTLINE)
    hands.press("Enter")
    expect(page.locator("#status")).to_contain_text("API key copied to clipboard.")
    hands.tab_to(page.get_by_label("I have saved this key"))
    hands.press("Space")
    hands.tab_to(page.get_by_role("button", name="Close", exact=True))
    hands.press("Enter")
    expect(page.get_by_role("link", name="Billing sync", exact=True)).to_be_focused()
    assert page.evaluate(OUTLINE)
    assert page.evaluate("window.used") is None
    assert len(hands.pressed) <= 25, hands.pressed


def test_it_works_without_javascript(office: Office) -> None:
    """Sign in, list, search, filter, sort, turn pages, create, confirm, edit, regenerate, revoke, delete."""
    for number in range(26):
        office.world.key(name=f"Key {number:02}")
    page = office.open("/sign-in/", signed_in=False, java_script_enabled=False)
    page.get_by_label("E-mail address").fill(office.world.manager.email or "")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("link", name="API keys", exact=True).first.click()
    page.get_by_role("link", name="Page 2").click()
    expect(page.get_by_role("link", name=re.compile("^Key "))).to_have_count(1)
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Search by name").fill("Key 07")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name=re.compile("^Key "))).to_have_count(1)

    page.get_by_role("link", name="Add API Key").click()
    page.locator("form[data-guard]").get_by_label("Name").fill("Billing sync")
    page.get_by_role("button", name="Generate Key").click()
    secret = page.locator("#secret").inner_text()
    expect(page.locator("#snippet-curl, #snippet-env, #snippet-python")).to_have_count(3)
    for snippet in ("curl", "env", "python"):
        expect(page.locator(f"#snippet-{snippet}")).to_be_visible()
    page.get_by_role("button", name="I have saved this key").click()
    expect(page.locator("main .ka-note", has_text="Key Billing sync created.")).to_be_visible()
    key = APIKey.objects.get(name="Billing sync")
    assert key.secret_confirmed_at
    assert secret not in page.content()
    assert status_of(office, secret) == 200

    page.get_by_role("link", name="Billing sync", exact=True).click()
    act(page, "Edit")
    page.get_by_label("Description").fill("Nightly export")
    page.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_role("definition").filter(has_text="Nightly export")).to_be_visible()
    act(page, "Regenerate Key")
    page.get_by_role("button", name="Regenerate Key").click()
    fresh = page.locator("#secret").inner_text()
    page.get_by_role("link", name="Back to the key").click()
    key.refresh_from_db()
    assert key.secret_confirmed_at is None
    assert (status_of(office, secret), status_of(office, fresh)) == (401, 200)
    act(page, "Revoke")
    page.get_by_role("button", name="Revoke", exact=True).click()
    assert status_of(office, fresh) == 401
    page.goto(KEYS)
    page.get_by_label("Status", exact=True).select_option("Revoked")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Billing sync", exact=True).click()
    act(page, "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Billing sync was deleted.")).to_be_visible()
    assert not APIKey.objects.filter(name="Billing sync").exists()


def act(page: Page, name: str) -> None:
    """Choose from the menu of the key."""
    page.get_by_role("button", name="Actions for Billing sync").click()
    page.locator(".ka-menu:popover-open").get_by_role("link", name=re.compile(f"^{name}")).click()

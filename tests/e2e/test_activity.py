"""The log, and the pages outside of any organisation, in a real browser: readable by everybody, filtered in place."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.services.people import create_person
from keyadmin.keys import services
from tests.e2e.office import LIGHT, Office
from tests.e2e.watching import findings
from tests.world import OPERATOR, PASSWORD

ACTIVITY = "/o/acme/activity/"


@pytest.fixture
def busy(office: Office) -> Office:
    """A log with a long name, a change of many fields, a deleted target, and a right-to-left name."""
    key = office.world.key("view_invoice", "view_customer", name="x" * 80).key
    changes: services.KeyChanges = {"permissions": ["view_service"], "allowed_networks": ["10.0.0.0/8"], "name": "Sync"}
    actor = office.world.actor(office.world.manager)
    gone = office.world.key(name="\u0645\u0641\u062a\u0627\u062d 12 <b>&").key
    services.delete_key(actor=OPERATOR, key_id=gone.pk)
    services.edit_key(actor=OPERATOR, key_id=key.pk, changes=changes)
    services.pause_key(actor=actor, key_id=key.pk)
    return office


def toggle(page: Page, number: int) -> None:
    page.locator(".ka-log-more > details > summary").nth(number).click()


@pytest.mark.parametrize(("theme", "width"), LIGHT)
def test_every_page_is_accessible(busy: Office, theme: str, width: int) -> None:
    found: dict[str, list[str]] = {}
    wide: list[str] = []

    def look(state: str) -> None:
        found[state] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(state)

    page = busy.open(ACTIVITY, theme=theme, width=width)
    look("activity")
    toggle(page, 1)
    page.get_by_text("Entry as JSON").locator("visible=true").click()
    look("an open entry")
    page.get_by_text("More filters").click()
    look("more filters")
    page.get_by_role("link", name=re.compile("Open entry")).locator("visible=true").click()
    look("entry")
    paths = {
        "filtered": f"{ACTIVITY}?action=api_keys&period=7&actor_kind=operator",
        "nothing found": f"{ACTIVITY}?target=zzzz",
        "instance": "/instance/activity/",
        "choice": "/",
        "sign-out": "/sign-out/",
    }
    for state, path in paths.items():
        page.goto(path)
        look(state)
    page.get_by_role("button", name="Sign out").click()
    look("sign-in")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#errors")).to_be_focused()
    look("errors")
    alone = create_person(
        actor=OPERATOR, organization=busy.world.acme, name="Lee", email="lee@example.org", encoded_password="!"
    )
    alone.memberships.all().delete()
    page = busy.open("/", theme=theme, width=width, user=alone)
    expect(page.get_by_role("heading", name="You are in no organisation")).to_be_visible()
    look("no organisation")

    assert found == {state: [] for state in found}
    assert not wide, "scrolls sideways"


def test_filters_change_the_results_in_place(busy: Office) -> None:
    page = busy.open(ACTIVITY)
    page.get_by_label("Action", exact=True).select_option(label="Paused API key")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"/activity/\?action=api_key\.paused$"))
    expect(page.locator(".ka-log > tbody > tr")).to_have_count(1)
    expect(page.locator("#status")).to_have_text("1 entry")

    page.get_by_role("link", name="Remove filter Action: Paused API key").click()
    expect(page).to_have_url(re.compile(r"/activity/\??$"))
    page.get_by_label("Target").fill("sync")
    expect(page.locator(".ka-log > tbody > tr")).to_have_count(2)
    page.get_by_label("Target").fill(busy.world.key().secret)
    expect(page.get_by_text("That looks like a complete API key.")).to_be_visible()
    assert "ka_live" not in page.url


@pytest.mark.parametrize("scripts", [True, False])
def test_an_entry_opens_where_it_stands(busy: Office, scripts: bool) -> None:
    page = busy.open(ACTIVITY, java_script_enabled=scripts)
    before = page.get_by_text("view_customer", exact=True).locator("visible=true")
    expect(before).to_have_count(0)
    toggle(page, 1)
    expect(before).to_have_count(1)
    assert before.evaluate("node => node.tagName") == "DEL" if scripts else True
    expect(page.get_by_role("button", name="Copy").locator("visible=true")).to_have_count(0)
    page.get_by_text("Entry as JSON").locator("visible=true").click()
    expect(page.get_by_role("button", name="Copy").locator("visible=true")).to_have_count(1 if scripts else 0)


def test_an_entry_is_copied_as_json(busy: Office) -> None:
    page = busy.open(ACTIVITY, permissions=["clipboard-read", "clipboard-write"])
    toggle(page, 0)
    page.get_by_text("Entry as JSON").locator("visible=true").click()
    page.get_by_role("button", name="Copy").locator("visible=true").click()
    expect(page.locator("#status")).to_have_text("Entry copied to clipboard.")
    assert '"name": "api_key.paused"' in page.evaluate("navigator.clipboard.readText()")


def test_a_person_signs_in_by_keyboard_and_chooses(busy: Office) -> None:
    page = busy.open("/sign-out/")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail address").focus()
    page.keyboard.type("dana@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Acme").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto(f"{ACTIVITY}?show=sign_ins")
    expect(page.locator(".ka-log > tbody > tr")).to_have_count(2)

"""The list, the overview and a key's page in a real browser: focus, words, filters, acts, and what long names do."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.e2e.office import KEYS, LIGHT, OVERVIEW, Office
from tests.e2e.watching import findings
from tests.world import OPERATOR, World

AWKWARD = ("x" * 80, "\u200f\u0645\u0641\u062a\u0627\u062d 12", "<b>bold</b> & [bulk] [segment] [three] [four]")


def fill(world: World) -> None:
    """Keys in every state, with names that try the layout."""
    for name in AWKWARD:
        world.key("*", name=name, environment="test", description="y" * 200)
    soon = clock.now() + timedelta(days=5)
    services.create_key(
        actor=world.actor(world.admin),
        organization=world.acme,
        name="z" * 80,
        permissions=["view_customer"],
        expires_at=soon,
        confirmed=False,
    )
    for name in ("Paused", "Revoked", "Expired"):
        world.key("view_customer", name=name, expires_at=soon)
    APIKey.objects.filter(name="Expired").update(
        created_at=clock.now() - timedelta(days=9), expires_at=clock.now() - timedelta(days=2)
    )
    services.pause_key(actor=OPERATOR, key_id=APIKey.objects.get(name="Paused").pk)
    services.revoke_key(actor=OPERATOR, key_id=APIKey.objects.get(name="Revoked").pk)
    world.user_key(world.robot, ["apikey.view", "view_customer"], name="Of the robot")


def many(world: World, number: int = 30) -> None:
    for count in range(number):
        world.key(name=f"Key {count:02}")


@pytest.mark.parametrize(("theme", "width"), LIGHT)
def test_every_state_is_accessible_and_holds_its_layout(office: Office, theme: str, width: int) -> None:
    fill(office.world)
    page = office.open(OVERVIEW, theme=theme, width=width)
    office.watches[0].expected = ("status of 404", "does not conform to the required format")
    found, wide = {}, []

    def look(state: str) -> None:
        found[state] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(state)

    for table in page.get_by_text("View as table").all():
        table.click()
    look("overview")
    page.goto(f"{KEYS}?status=all&expires_from=soon&admin=yes")
    look("filtered")
    page.get_by_role("button", name="Actions for").first.click()
    look("menu")
    page.goto(KEYS)
    page.locator("summary", has_text="More filters").click()
    look("filters")
    for name in (*AWKWARD, "z" * 80, "Paused", "Revoked", "Expired", "Of the robot"):
        page.goto(f"{KEYS}{APIKey.objects.get(name=name).pk}/")
        look(name)
    page.goto(f"{KEYS}9999/")
    look("not found")

    assert found == {state: [] for state in found}
    assert not wide, "scrolls sideways"


def test_focus_and_words_follow_each_step(office: Office) -> None:
    many(office.world)
    page = office.open(KEYS)
    status = page.locator("#status")

    def focused() -> str:
        return str(page.evaluate("document.activeElement.id"))

    page.locator("#sort-name").press("Enter")
    expect(status).to_have_text("30 API keys, sorted by Name, A to Z (page 1 of 2)")
    assert focused() == "sort-name"
    page.locator("#page-2").press("Enter")
    expect(status).to_have_text("30 API keys, sorted by Name, A to Z (page 2 of 2)")
    assert focused() == "page-2"
    page.locator("#page-size-50").press("Enter")
    expect(status).to_have_text("30 API keys, sorted by Name, A to Z")
    assert focused() == "page-size-50"
    search = page.get_by_label("Search by name, description, or partial key")
    search.press_sequentially("Key 07")
    expect(status).to_have_text("1 API key, sorted by Name, A to Z")
    expect(page).to_have_url(re.compile("search=Key.+07.*sort=name"))
    expect(search).to_be_focused()
    page.get_by_role("link", name="Remove filter Search").press("Enter")
    expect(status).to_have_text("30 API keys, sorted by Name, A to Z")
    expect(search).to_have_value("")
    assert focused() == "results-title"
    expect(page.locator("[aria-sort]")).to_have_count(1)


def test_filters_show_what_the_address_says(office: Office) -> None:
    many(office.world, 3)
    office.world.key("*", name="Mighty")
    page = office.open(f"{KEYS}?status=active&admin=yes&sort=name")
    status, admin = page.get_by_label("Status", exact=True), page.get_by_label("Admin key")
    expect(admin).to_be_visible()
    page.get_by_role("link", name="Remove filter Status").click()
    expect(status).to_have_value("")
    expect(admin).to_have_value("yes")
    expect(page.locator("#cards [aria-current]")).to_have_count(0)
    page.get_by_role("link", name="Remove filter Admin").click()
    expect(admin).to_have_value("")
    admin.select_option("Other keys")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page).to_have_url(f"{office.server}{KEYS}?admin=no&sort=name")


def test_an_act_in_the_list_stays_there(office: Office) -> None:
    many(office.world, 3)
    page = office.open(f"{KEYS}?sort=name")
    row = page.get_by_role("row", name="Key 01")
    row.get_by_role("button", name="Actions").click()
    row.get_by_role("button", name="Pause").click()
    expect(page.locator("#status")).to_have_text("Key 01 is paused. Requests with it now get 401.")
    expect(row.get_by_text("Paused")).to_be_visible()
    expect(page.locator("#cards")).to_contain_text("0 revoked, 1 paused")
    expect(row.get_by_role("button", name="Actions")).to_be_focused()
    expect(page).to_have_url(f"{office.server}{KEYS}?sort=name")
    row.get_by_role("button", name="Actions").click()
    row.get_by_role("button", name="Resume").click()
    expect(row.get_by_text("Active")).to_be_visible()


def test_the_list_reads_itself_anew_and_goes_to_the_new_row(office: Office) -> None:
    many(office.world, 3)
    page = office.open(KEYS)
    world = office.world
    key = services.create_key(actor=world.actor(world.admin), organization=world.acme, name="Born", permissions=[]).key
    page.evaluate(f"keyadmin.focusNext = 'key-{key.pk}-name'; document.body.dispatchEvent(new Event('keys-changed'))")
    expect(page.get_by_role("link", name="Born")).to_be_focused()
    expect(page.get_by_role("row", name="Born").get_by_text("New")).to_be_visible()
    expect(page.locator("#cards")).to_contain_text("4")


def test_a_column_of_the_timeline_leads_to_its_keys(office: Office) -> None:
    for days in (40, 41, 200):
        office.world.key(name=f"In {days}", expires_at=clock.now() + timedelta(days=days))
    page = office.open(OVERVIEW)
    page.locator(".ka-chart a").first.click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_role("link", name="In 40")).to_be_visible()


def see(page: Page, *names: str) -> None:
    """The rows of the list, in order."""
    expect(page.locator("tbody th a")).to_have_text(list(names))


@pytest.mark.parametrize("javascript", [True, False])
def test_a_phone_sorts_filters_and_acts(office: Office, javascript: bool) -> None:
    many(office.world, 2)
    office.world.key("*", name="Mighty")
    page = office.open(KEYS, width=360, java_script_enabled=javascript)
    see(page, "Mighty", "Key 01", "Key 00")
    page.get_by_label("Sort by").select_option("Name: A to Z")
    page.get_by_role("button", name="Sort").click()
    see(page, "Key 00", "Key 01", "Mighty")
    page.locator("summary", has_text="More filters").click()
    page.get_by_label("Admin key").select_option("Other keys")
    page.get_by_role("button", name="Apply").click()
    see(page, "Key 00", "Key 01")
    page.get_by_role("button", name="Actions for Key 01").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("row", name="Key 01").get_by_text("Paused")).to_be_visible()
    see(page, "Key 00", "Key 01")

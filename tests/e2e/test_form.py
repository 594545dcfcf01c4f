"""What the form of a key does while it is filled in."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.e2e.office import DARK, KEYS, OVERVIEW, Office
from tests.e2e.watching import findings

NEW = f"{KEYS}new/"


def choose_custom(page: Page) -> None:
    page.get_by_label("Custom", exact=True).check()


def test_all_of_a_row_and_of_a_column_have_three_states(office: Office) -> None:
    page = office.open(NEW)
    choose_custom(page)
    row, column = page.get_by_label("All of Services"), page.get_by_label("All in column Create")
    count = page.locator("[data-count]")
    row.check()
    for label in ("View services", "View own services", "Create services", "Update services"):
        expect(page.get_by_label(label, exact=True)).to_be_checked()
    expect(count).to_have_text("4 of 32 selected")
    expect(column).to_have_js_property("indeterminate", True)
    column.check()
    expect(page.get_by_label("Create payments")).to_be_checked()
    page.get_by_label("View services", exact=True).uncheck()
    expect(row).to_have_js_property("indeterminate", True)
    expect(column).to_be_checked()
    page.get_by_role("button", name="Clear").click()
    expect(count).to_have_text("0 of 32 selected")
    expect(row).to_have_js_property("indeterminate", False)


def test_the_filter_shows_and_ticks_only_what_matches(office: Office) -> None:
    page = office.open(NEW)
    asked: list[str] = []
    choose_custom(page)
    page.wait_for_timeout(500)
    page.on("request", lambda request: asked.append(request.url))
    search = page.get_by_label("Filter permissions")
    search.fill("create_p")
    expect(page.get_by_label("Create payments")).to_be_visible()
    expect(page.get_by_label("Create customers")).to_be_hidden()
    search.press("Enter")
    page.wait_for_timeout(500)
    assert asked == [], "the filter is no part of the form"
    page.get_by_label("All in column Create").check()
    search.fill("")
    expect(page.get_by_label("Create customers")).to_be_visible()
    expect(page.get_by_label("Create customers")).not_to_be_checked()
    expect(page.get_by_label("Create payments")).to_be_checked()
    search.fill("zzz")
    expect(page.get_by_text("No permission matches.")).to_be_visible()


@pytest.mark.parametrize("in_modal", [False, True])
def test_the_preview_follows_what_is_typed(office: Office, in_modal: bool) -> None:
    office.world.key("view_customer", name="Night job")
    page = office.open(KEYS if in_modal else NEW)
    if in_modal:
        page.get_by_role("link", name="Add API Key").click()
    box = page.locator("#effective")
    expect(box).to_contain_text("permissions in Acme")
    choose_custom(page)
    page.get_by_label("View customers", exact=True).check()
    expect(box).to_contain_text("1 permission in Acme")
    page.get_by_label("A user", exact=True).check()
    page.locator("#id_owner").select_option("Robot")
    expect(box).to_contain_text("Chosen but not effective: View customers")
    name = page.get_by_role("textbox", name="Name", exact=True)
    name.fill("Night job")
    expect(page.get_by_text("There is a key of this name already.")).to_be_visible()
    expect(name).to_be_focused()
    page.get_by_label("No expiry").check()
    expect(page.get_by_text("Expires at the end of")).to_have_count(0)
    assert APIKey.objects.count() == 1


def test_an_old_preview_does_not_look_like_the_answer(office: Office) -> None:
    page = office.open(NEW)
    office.watches[-1].expected += ("net::ERR_FAILED", "htmx:sendError", "htmx:afterRequest", "/preview/")
    page.route("**/preview/", lambda route: route.abort())
    choose_custom(page)
    expect(page.locator("#effective")).to_have_text("This can't be shown now: the server did not answer.")
    expect(page.locator(".ka-failure")).to_have_count(0)
    page.unroute("**/preview/")
    page.get_by_label("View customers", exact=True).check()
    expect(page.locator("#effective")).to_contain_text("1 permission in Acme")


def test_a_choice_that_is_hidden_does_not_count(office: Office) -> None:
    page = office.open(NEW)
    page.get_by_label("Admin (all permissions)").check()
    page.get_by_label("A user", exact=True).check()
    expect(page.get_by_label("Admin (all permissions)")).to_be_hidden()
    expect(page.get_by_label("Read only")).to_be_checked()
    page.get_by_label("All that the user may do").check()
    page.get_by_label("The organisation").check()
    expect(page.get_by_label("Read only")).to_be_checked()


def test_a_template_is_one_click_from_the_warning(office: Office) -> None:
    page = office.open(NEW)
    page.get_by_label("Admin (all permissions)").check()
    expect(page.get_by_role("alert").get_by_text("An admin key can do everything")).to_be_visible()
    page.get_by_role("button", name="Use a template instead").click()
    expect(page.get_by_label("From a template")).to_be_focused()
    expect(page.get_by_text("An admin key can do everything")).to_be_hidden()


ZONES = {
    "UTC": "",
    "Pacific/Kiritimati": " (13:59 on 1 Jul where you are)",
    "Pacific/Pago_Pago": " (12:59 on 30 Jun where you are)",
    "Europe/Paris": " (01:59 on 1 Jul where you are)",
    "America/St_Johns": " (21:29 on 30 Jun where you are)",
    "Asia/Kathmandu": " (05:44 on 1 Jul where you are)",
}


def test_a_date_is_the_end_of_that_day_wherever_one_is(office: Office) -> None:
    for number, (zone, local) in enumerate(ZONES.items()):
        page = office.open(NEW, timezone_id=zone)
        page.get_by_label("Name").fill(f"Key {number}")
        page.get_by_role("radio", name="Custom date").check()
        page.get_by_label("Custom date", exact=True).last.fill("2031-06-30")
        said = f"Expires at the end of Mon 30 Jun 2031, 23:59 UTC{local}."
        expect(page.locator("#expiry-note")).to_have_text(said)
        page.get_by_role("button", name="Generate Key").click()
        expect(page.locator("#secret")).to_be_visible()
        page.close(run_before_unload=False)
    ends = {key.expires_at.isoformat() for key in APIKey.objects.all() if key.expires_at}
    assert ends == {"2031-06-30T23:59:59+00:00"}


def test_ones_own_address_is_one_click(office: Office) -> None:
    page = office.open(NEW)
    page.get_by_text("More options").click()
    field = page.get_by_label("Allowed networks")
    field.fill("10.0.0.0/8")
    for _ in range(2):
        page.get_by_role("button", name="Use my current address 127.0.0.1").click()
    expect(field).to_have_value("10.0.0.0/8\n127.0.0.1")


def test_an_edit_shows_its_difference_and_meets_another_one(office: Office) -> None:
    world = office.world
    key = world.key("view_customer", name="Billing sync", expires_at=clock.now() + timedelta(days=60)).key
    page = office.open(f"{KEYS}{key.pk}/")
    page.get_by_role("link", name="Edit").click()
    box = page.locator("#effective")
    expect(box).to_contain_text("Nothing is changed yet.")
    page.get_by_label("Create services").check()
    expect(box).to_contain_text("Add Create services")
    services.edit_key(actor=world.actor(world.manager), key_id=key.pk, changes={"description": "Nightly"})
    page.get_by_role("button", name="Save Changes").click()
    expect(page.locator("#errors")).to_be_focused()
    expect(page.locator("#errors")).to_contain_text("Kim changed this key just now.")
    assert findings(page) == []
    page.get_by_text("See changes").click()
    expect(page.locator("#errors")).to_contain_text("Nightly")
    page.get_by_role("link", name="Reload").click()
    expect(page.get_by_label("Description")).to_have_value("Nightly")
    page.get_by_label("Create services").check()
    expect(box).to_contain_text("Add Create services")
    page.get_by_role("button", name="Save Changes").click()
    expect(page.get_by_text("Billing sync was changed. Added Create services.")).to_be_visible()


def test_a_leak_can_be_stopped_before_deciding(office: Office) -> None:
    key = office.world.key("view_customer", name="Billing sync").key
    page = office.open(f"{KEYS}{key.pk}/revoke/")
    page.get_by_label("Details (optional)").press("Enter")
    expect(page.get_by_text("Billing sync was revoked.")).to_be_visible()
    key = office.world.key("view_customer", name="Night job").key
    page.goto(f"{KEYS}{key.pk}/revoke/")
    page.get_by_role("button", name="Pause now").click()
    expect(page.get_by_text("Night job is paused.")).to_be_visible()


def test_deleting_a_working_key_takes_its_name(office: Office) -> None:
    office.world.key("view_customer", name="Billing sync")
    page = office.open(KEYS)
    page.get_by_role("button", name="Actions for Billing sync").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#errors")).to_contain_text("The name does not match.")
    page.get_by_label("Type Billing sync to confirm").fill(" Billing sync ")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Billing sync was deleted.")).to_be_visible()
    assert not APIKey.objects.exists()


@pytest.mark.parametrize(("theme", "width"), DARK)
def test_every_state_of_the_form_is_accessible(office: Office, theme: str, width: int) -> None:
    office.world.key("*", name="Root")
    page = office.open(NEW, theme=theme, width=width, user=office.world.admin)
    found = {}

    def look(state: str) -> None:
        page.evaluate("scrollTo(0, 0)")
        found[state] = findings(page)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), state

    page.get_by_label("From a template").check()
    look("templates")
    choose_custom(page)
    page.get_by_label("View customers", exact=True).check()
    page.get_by_label("Name").fill("Root [bulk]")
    page.get_by_text("More options").click()
    expect(page.locator("#effective")).to_contain_text("1 permission in Acme")
    look("custom")
    page.get_by_label("Admin (all permissions)").check()
    page.get_by_role("button", name="Generate Key").click()
    expect(page.locator("#errors")).to_be_focused()
    look("admin without its tick")
    page.goto(f"{KEYS}{APIKey.objects.get().pk}/revoke/")
    look("revoke")
    if width == 1280:
        page.goto(OVERVIEW)
        page.get_by_role("link", name="Add API Key").click()
        choose_custom(page)
        found["modal"] = findings(page)
    assert found == {state: [] for state in found}

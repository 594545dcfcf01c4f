"""The page about rounds in a real browser: readable in every state, and one journey from measuring to a new hash."""

import re
import threading
import time

import pytest
from playwright.sync_api import expect
from pytest_django import Settings

from keyadmin.keys.models import APIKey
from keyadmin.keys.services import assign_key
from tests.e2e.hands import Hands
from tests.e2e.office import DARK, Office
from tests.e2e.watching import findings
from tests.instance.saving import WEAK, give_by_environment, rounds_of
from tests.world import OPERATOR

ROUNDS = "/instance/rounds/"
RESULT = re.compile(r"^(?:For 20 ms use about|Nearest to 20 ms:) ([0-9,]+) rounds$")  # the latter if others are busy


@pytest.mark.parametrize(("theme", "width"), DARK)
def test_every_state_is_accessible(office: Office, theme: str, width: int, settings: Settings) -> None:
    page = office.open(ROUNDS, theme=theme, width=width)
    found, wide = {}, []

    def look(state: str) -> None:
        found[state] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(state)

    page.get_by_text("Where the number is read from").click()
    look("as it comes")
    target, number = page.locator("#measure_target_ms"), page.locator("#save_api_key_rounds_no")
    target.fill("0")
    page.get_by_role("button", name="Measure on this server").click()
    expect(page.locator("#errors")).to_be_focused()
    look("a wrong target")
    target.fill("2")
    page.get_by_role("button", name="Measure on this server").click()
    expect(page.locator("#result")).to_be_focused()
    look("measured")
    number.fill("100000000")
    page.get_by_role("button", name="Save rounds").click()
    expect(page.locator("#errors")).to_contain_text("At most 2 s are allowed")
    look("too many")
    number.fill("9" * 100)
    page.get_by_role("button", name="Save rounds").click()
    expect(page.locator("#errors")).to_contain_text("from 1 to 100,000,000")
    look("far too many")
    number.fill("9999")
    page.get_by_role("button", name="Save rounds").click()
    expect(page.locator("#errors")).to_contain_text("Tick the box if you mean it.")
    look("weak, not meant")
    page.get_by_label("I know that this is weak").check()
    page.get_by_role("button", name="Save rounds").click()
    expect(page.get_by_text("Below 10,000 rounds is weak.")).to_be_visible()
    look("weak")
    page.locator("#measure_hash_name").select_option("hmac_sha256")
    page.get_by_role("button", name="Measure on this server").click()
    expect(page.locator("#result")).to_have_text("There is nothing to choose")
    look("without rounds")
    give_by_environment(settings, 70_000)
    page.goto(ROUNDS)
    look("set elsewhere")

    assert found == {state: [] for state in found}
    assert not wide, "scrolls sideways"


@pytest.mark.parametrize("scripts", [True, False])
def test_from_measuring_to_a_new_hash(office: Office, scripts: bool) -> None:
    """By keyboard: measure, save; a new weak key has the number, an old one gets it when it is used next."""
    old = assign_key(actor=OPERATOR, owner=office.world.robot, secret=WEAK).key
    caller = office.world.client(key=WEAK)
    assert caller.get("/api/v1/whoami").status_code == 200
    assert rounds_of(old) == 30_000

    page = office.open(ROUNDS, java_script_enabled=scripts)
    page.locator("#measure_target_ms").fill("20")
    page.locator("#measure_target_ms").press("Enter")
    heading = page.locator("#result")
    expect(heading).to_have_text(RESULT)
    said = RESULT.match(heading.inner_text())
    assert said is not None
    rounds = int(said[1].replace(",", ""))
    expect(page.get_by_role("rowheader", name=f"{rounds:,} (suggested)")).to_be_visible()
    number = page.locator("#save_api_key_rounds_no")
    number.fill(str(rounds))
    number.press("Enter")
    expect(page.get_by_role("status").filter(has_text=f"New hashes have {rounds:,} rounds.")).to_be_visible()
    expect(page.get_by_text("the number saved on this page").first).to_be_visible()

    new = assign_key(actor=OPERATOR, owner=office.world.developer, secret=f"{WEAK}-b").key
    assert rounds_of(new) == rounds
    assert caller.get("/api/v1/whoami").status_code == 200
    deadline = time.monotonic() + 20
    while rounds_of(old) != rounds and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    assert rounds_of(old) == rounds
    assert caller.get("/api/v1/whoami").status_code == 200
    assert APIKey.objects.count() == 2


def test_the_focus_is_seen_on_the_way(office: Office) -> None:
    page = office.open(ROUNDS)
    hands = Hands(page)
    hands.press("Tab")
    hands.press("Enter")  # skips to the content
    hands.tab_to(page.get_by_text("Where the number is read from"))
    hands.press("Enter")
    expect(page.get_by_text("The first of these that has one decides:")).to_be_visible()
    hands.tab_to(page.locator("#measure_target_ms"))
    hands.tab_to(page.get_by_role("button", name="Measure on this server"))
    hands.tab_to(page.get_by_role("button", name="Save rounds"))

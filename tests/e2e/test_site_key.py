"""The site key in a real browser: made, demanded, replaced; in both themes and on a phone; without scripts too."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from keyadmin.kernel.actor import operator
from keyadmin.sitekey import services
from keyadmin.sitekey.models import SiteKey
from keyadmin.verify import memory
from tests.e2e import residue
from tests.e2e.office import DARK, LIGHT, Office
from tests.e2e.watching import findings

HERE = "/instance/site-key/"
SECRET = re.compile(r"^kasite_live_\w{50}$")
LONG = "W" * 150
WEAK = "correct-horse-battery-staple-2024"


def shown(page: Page) -> str:
    expect(page.locator("#secret")).to_have_text(SECRET)
    return page.locator("#secret").inner_text()


def test_from_nothing_to_a_demand(office: Office) -> None:
    key = office.world.key("view_customer").secret
    page = office.open(HERE)

    def status(site_key: str = "") -> int:
        memory.forget()
        sent = {"X-API-KEY": key, **({"X-SITE-KEY": site_key} if site_key else {})}
        return httpx.get(f"{office.server}/api/v1/whoami", headers=sent).status_code

    with residue.log() as logged:
        page.get_by_role("link", name="Make a site key").click()
        page.get_by_role("button", name="Make it").click()
        site_key = shown(page)
        page.keyboard.press("Escape")
        expect(page.locator("#secret")).to_be_visible()
        page.get_by_label("I have saved this key").check()
        page.get_by_role("button", name="Close", exact=True).click()
        expect(page.locator("main .ka-note", has_text="The site key was made.")).to_be_visible()
    assert residue.in_text(site_key, residue.of_page(page)) == []
    assert residue.in_text(site_key, residue.of_database()) == []
    assert residue.in_text(site_key, logged.getvalue()) == []
    assert SiteKey.objects.get().secret_confirmed_at

    assert status() == 200
    page.get_by_role("link", name="Demand it…").click()
    expect(page.locator("#modal")).to_contain_text("0 API keys were used in the last 7 days.")
    page.get_by_role("button", name="Demand it").click()
    expect(page.locator("main")).to_contain_text("the setting saved here")
    assert (status(), status(site_key)) == (401, 200)

    page.get_by_role("link", name="Replace…").click()
    page.get_by_label("None", exact=True).check()
    page.get_by_role("button", name="Replace it").click()
    other = shown(page)
    assert (status(site_key), status(other)) == (401, 200)


def test_the_examples_work_as_they_stand(office: Office) -> None:
    page = office.open(f"{HERE}replace/")
    page.get_by_role("button", name="Make it").click()
    site_key = shown(page)
    command = page.locator("#snippet-curl").inner_text()
    assert f'-H "X-SITE-KEY: {site_key}"' in command
    assert '-H "X-API-KEY: $CRM_API_KEY"' in command
    assert page.locator("#snippet-env").text_content() == f'CRM_SITE_KEY="{site_key}"'
    code = page.locator("#snippet-python").text_content() or ""
    assert '"X-SITE-KEY": os.environ["CRM_SITE_KEY"]' in code
    compile(code, "example", "exec")


def test_it_goes_without_scripts(office: Office) -> None:
    page = office.open(HERE, java_script_enabled=False)
    page.get_by_role("link", name="Make a site key").click()
    page.get_by_role("button", name="Make it").click()
    shown(page)
    page.get_by_role("button", name="I have saved this key").click()
    expect(page.get_by_role("heading", name="Present site key")).to_be_visible()
    page.get_by_role("link", name="Demand it…").click()
    page.get_by_role("button", name="Demand it").click()
    page.get_by_role("link", name="Replace…").click()
    page.get_by_label("Enter one made elsewhere").check()
    page.get_by_label("Site key made elsewhere").fill(WEAK)
    page.get_by_role("button", name="Replace it").click()
    expect(page.get_by_text("This site key is weak.")).to_be_visible()
    page.get_by_role("link", name="End overlap now…").click()
    page.get_by_role("button", name="End it now").click()
    page.get_by_role("link", name="Stop demanding…").click()
    page.get_by_role("button", name="Stop demanding it").click()
    page.get_by_role("link", name="Revoke…").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("heading", name="No site key yet")).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), sorted({*LIGHT, *DARK}))
def test_every_state_is_accessible(office: Office, theme: str, width: int) -> None:
    page = office.open(HERE, theme=theme, width=width)
    found, wide = {}, []

    def look(state: str) -> None:
        found[state] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(state)

    look("none")
    for act in ("replace", "demand"):
        page.goto(f"{HERE}{act}/")
        look(f"none, {act}")
    page.get_by_role("button", name="Demand it").click()
    expect(page.locator("#errors")).to_be_focused()
    look("refused")
    actor = operator(label=LONG)
    services.replace_site_key(actor=actor, secret=WEAK)
    services.replace_site_key(actor=actor, confirmed=False)
    page.goto(HERE)
    look("two, not confirmed")
    for act in ("replace", "demand", "end-overlap", "revoke"):
        page.goto(f"{HERE}{act}/")
        look(act)
    services.set_demand(actor=actor, demanded=True)
    for state, path in (
        ("demanded", HERE),
        ("stop", f"{HERE}stop-demanding/"),
        ("replace demanded", f"{HERE}replace/"),
    ):
        page.goto(path)
        look(state)
    page.get_by_label("Enter one made elsewhere").check()
    page.get_by_role("button", name="Replace it").click()
    expect(page.locator("#errors")).to_be_focused()
    look("errors")
    page.goto(HERE)
    page.get_by_role("link", name="Replace…").click()
    page.get_by_role("button", name="Replace it").click()
    shown(page)
    look("reveal")
    page.get_by_label("I have saved this key").check()
    assert found == {state: [] for state in found}
    assert not wide, "scrolls sideways"

"""Every page about keys, readable by everybody in both themes and on a phone."""

import pytest
from playwright.sync_api import expect

from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.e2e.office import KEYS, LIGHT, OVERVIEW, Office, close, make_first_key
from tests.e2e.watching import findings
from tests.world import OPERATOR


@pytest.mark.parametrize(("theme", "width"), LIGHT)
def test_every_page_is_accessible(office: Office, theme: str, width: int) -> None:
    page = office.open(OVERVIEW, theme=theme, width=width)
    found, wide = {}, []

    def look(state: str) -> None:
        found[state] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(state)

    look("empty overview")
    make_first_key(page)
    look("reveal")
    close(page)
    look("key")
    for number, name in enumerate(("x" * 80, "\u0645\u0641\u062a\u0627\u062d 12 <b>&", "Test")):
        office.world.key("*" if number else "view_customer", name=name, environment="test")
    paths = {"overview": OVERVIEW, "list": KEYS, "nothing found": f"{KEYS}?search=zzzz", "create": f"{KEYS}new/"}
    key = APIKey.objects.get(name="x" * 80)
    paths |= {act: f"{KEYS}{key.pk}/{act}/" for act in ("edit", "revoke", "regenerate", "delete")}
    own = office.world.user_key(office.world.admin, name="y" * 80).key
    services.block_key(actor=OPERATOR, key_id=own.pk, organization=office.world.acme)
    paths |= {"simulation": f"{KEYS}{key.pk}/simulate/?permission=view_invoice&address=203.0.113.7"}
    paths |= {"own keys": "/me/keys/", "own key": "/me/keys/new/"}
    paths |= {"block": f"{KEYS}{own.pk}/block/", "blocked": f"{KEYS}{own.pk}/"}
    paths |= {"long name": f"{KEYS}{key.pk}/", "activity": "/o/acme/activity/"}
    for state, path in paths.items():
        page.goto(path)
        look(state)
    page.locator("details").first.locator("summary").click()
    look("an entry of the activity")
    page.goto(f"{KEYS}new/")
    page.get_by_label("A user", exact=True).check()
    page.get_by_label("Custom", exact=True).check()
    look("create, custom")
    page.get_by_role("button", name="Generate Key").click()
    expect(page.locator("#errors")).to_be_focused()
    look("errors")

    assert found == {state: [] for state in found}
    assert not wide, "scrolls sideways"

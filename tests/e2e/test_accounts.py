"""The pages about people, groups, policies and settings in a real browser: by keyboard, in both themes, on a phone."""

import re

import pytest
from playwright.sync_api import expect

from accounts import queries
from accounts.models import Group, Policy, User
from accounts.services.api_users import create_api_user, disable_api_user
from accounts.services.groups import add_member, create_group
from accounts.services.invitations import invite
from accounts.services.policies import create_policy, edit_policy
from keyadmin.keys.models import APIKey
from keyadmin.keys.services import assign_key
from tests.e2e.hands import Hands
from tests.e2e.office import DARK, Office
from tests.e2e.watching import findings
from tests.world import OPERATOR, World

ACME = "/o/acme/"
LONG, MARKUP = "W" * 150, "\u0645\u0641\u062a\u0627\u062d 12 <b>&"


def furnish(world: World) -> tuple[User, Group, Policy]:
    """One of everything, with names that try the layout."""
    acme = world.acme
    policy = create_policy(
        actor=OPERATOR, organization=acme, name="Billing", patterns=["view_customer", "create_payment", "apikey.*"]
    )
    group = create_group(actor=OPERATOR, organization=acme, name="Billing", policies=[policy])
    user = create_api_user(actor=OPERATOR, organization=acme, name="billing-sync", groups=[group])
    world.user_key(user, name="Nightly")
    assign_key(actor=OPERATOR, owner=user, secret="correct-horse-battery-staple-2024")
    mighty = create_policy(actor=OPERATOR, organization=acme, name="P" * 80, patterns=["*"])
    many = [create_group(actor=OPERATOR, organization=acme, name=f"G{n}" * 26, policies=[mighty]) for n in range(12)]
    create_api_user(actor=OPERATOR, organization=acme, name=LONG, description="<i>" * 100, groups=many)
    off = create_api_user(actor=OPERATOR, organization=acme, name=MARKUP, groups=[group])
    disable_api_user(actor=OPERATOR, organization=acme, user=off)
    add_member(actor=OPERATOR, group=group, user=world.manager)
    invite(actor=OPERATOR, organization=acme, email="new@example.org", groups=[group])
    return user, group, policy


@pytest.mark.parametrize(("theme", "width"), DARK)
def test_every_page_is_accessible(office: Office, theme: str, width: int) -> None:
    user, group, policy = furnish(office.world)
    long = queries.visible_members(OPERATOR).get(user__name=LONG).user
    off = queries.visible_members(OPERATOR).get(user__name=MARKUP).user
    mighty = Policy.objects.get(name="P" * 80)
    edit_policy(actor=OPERATOR, policy=policy, changes={"patterns": ["view_customer", "apikey.*"]})
    one, two, three = f"api-users/{user.pk}", f"groups/{group.pk}", f"policies/{policy.pk}"
    parts = ["api-users", "api-users/new", "groups", "groups/new", "policies", "policies/new", "permissions"]
    parts += [f"api-users/{long.pk}", f"api-users/{off.pk}", "permissions/new", "settings", one, two, three]
    parts += [f"{one}/{act}" for act in ("edit", "disable", "delete", "read-only", "groups/add")]
    parts += [f"{one}/groups/{group.pk}/remove", f"{three}/edit"]
    parts += [f"{one}/api-key", f"api-users/{long.pk}/api-key", f"settings/members/{office.world.admin.pk}/api-key"]
    parts += [f"{two}/{act}" for act in ("delete", "members/add", "policies/add")]
    settings = ("key-policy", "members", "members/invite", "suspend", f"members/{office.world.manager.pk}")
    parts += [f"settings/{part}" for part in settings]
    paths = [
        *(f"{ACME}{part}/" for part in parts),
        f"{ACME}api-users/?search=zzz",
        f"{ACME}keys/?owner={user.pk}",
        f"{ACME}policies/{mighty.pk}/",
        f"{ACME}{three}/edit/?version=1",
        f"{ACME}groups/{Group.objects.filter(policies=mighty)[0].pk}/",
        "/orgs/",
        "/instance/organizations/",
        "/instance/site-key/",
    ]

    page = office.open(ACME, theme=theme, width=width)
    found, wide = {}, []
    for path in paths:
        page.goto(path)
        found[path] = findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)
    page.goto(f"{ACME}policies/new/")
    page.get_by_role("button", name="Create policy").click()
    expect(page.locator("#errors")).to_be_focused()
    found["errors"] = findings(page)

    assert found == {path: [] for path in found}
    assert not wide, "scrolls sideways"


def test_an_api_user_in_a_group_gets_a_key_by_keyboard(office: Office) -> None:
    """From the list to the secret, without a mouse: the focus is seen at each stop, and stands where one goes on."""
    page = office.open(f"{ACME}api-users/")
    hands, modal = Hands(page), page.locator("#modal")
    hands.press("Tab")
    hands.press("Enter")  # skips to the content
    hands.tab_to(page.get_by_role("link", name="Add API user"))
    hands.press("Enter")
    expect(modal.get_by_label("Name")).to_be_focused()
    page.keyboard.type("crm-sync")
    hands.tab_to(modal.get_by_label("Readers"))
    hands.press("Space")
    hands.press("Enter")
    expect(page.get_by_role("heading", name="crm-sync", level=1)).to_be_visible()
    expect(page.get_by_text("API user crm-sync was created.")).to_be_visible()

    hands.press("Tab")
    hands.press("Enter")
    hands.tab_to(page.get_by_role("link", name="Create API key"))
    hands.press("Enter")
    expect(modal.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Nightly")
    hands.press("Enter")
    expect(page.get_by_role("button", name="Copy to Clipboard")).to_be_focused()
    hands.tab_to(page.get_by_label("I have saved this key"))
    hands.press("Space")
    hands.tab_to(page.get_by_role("button", name="Close", exact=True))
    hands.press("Enter")
    expect(page.locator("main .ka-note", has_text="Key Nightly created.")).to_be_visible()
    assert len(hands.pressed) <= 50, hands.pressed
    (key,) = APIKey.objects.select_related("owner")
    assert (key.owner and key.owner.name) == "crm-sync"


def test_a_given_key_is_entered_by_keyboard(office: Office) -> None:
    page = office.open(f"{ACME}api-users/{office.world.robot.pk}/", user=office.world.manager)
    page.get_by_role("link", name="API key", exact=True).press("Enter")
    field = page.get_by_label("Key made elsewhere", exact=True)
    expect(field).to_be_hidden()
    page.get_by_label("Generate one").press("ArrowDown")
    field.press_sequentially("too short")
    field.press("Enter")
    expect(page.locator("#errors")).to_be_focused()
    expect(field).to_have_value("")
    assert findings(page) == []
    field.fill("mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg")
    field.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Robot has the key that you entered.")).to_be_visible()
    page.get_by_role("button", name="Replace key").click()
    expect(page.locator("#secret")).to_have_text(re.compile(r"^ka_live_\w{50,}$"))
    page.get_by_label("I have saved this key").check()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page).to_have_url(re.compile(r"/api-key/$"))
    expect(page.locator("main .ka-note", has_text="Key Robot (assigned) has a new secret.")).to_be_visible()


def test_a_refused_form_stays_in_the_modal_with_the_focus_on_what_is_wrong(office: Office) -> None:
    page = office.open(f"{ACME}api-users/")
    page.get_by_role("link", name="Add API user").click()
    page.locator("#modal").get_by_label("Name").fill("Robot")
    page.get_by_role("button", name="Create API user").click()
    expect(page.locator("#modal #errors")).to_be_focused()
    expect(page.locator("#modal #errors")).to_contain_text("an API user of this name already")


def test_a_policy_shows_what_a_change_does_while_it_is_typed(office: Office) -> None:
    user, _, policy = furnish(office.world)
    page = office.open(f"{ACME}policies/{policy.pk}/edit/")
    expect(page.locator("#effective")).to_contain_text("It touches nobody")

    page.get_by_role("button", name="Remove rule 2").click()
    expect(page.get_by_label("Rule 3", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Remove rule 2")).to_be_focused()
    expect(page.locator("#effective")).to_contain_text("lose:")
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Rules")).to_be_focused()
    page.get_by_role("button", name="Add rule").click()
    page.keyboard.type("view_customer")
    for _ in range(3):  # nobody waits for the server
        page.get_by_role("button", name="Add rule").click()
        page.keyboard.type("view_inventory")
    for _ in range(3):
        page.get_by_role("button", name="Remove rule 3").click()
    page.get_by_role("button", name="Add rule").click()
    last = page.get_by_label("Rule 3", exact=True)
    expect(last).to_be_focused()
    last.fill("view_invoice")
    expect(page.locator("#effective")).to_contain_text("View invoices")
    page.get_by_label("Show for").select_option(f"user-{user.pk}")
    expect(page.locator(".ka-standings .ka-moved")).to_have_count(2)

    page.get_by_role("button", name="Source").click()
    expect(page.get_by_label("Source", exact=True)).to_have_value(re.compile('"view_invoice"'))
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("#errors")).to_contain_text("say why")
    page.get_by_label("Reason").fill("Invoices moved")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Billing was changed: version 2.")).to_be_visible()
    expect(page.get_by_text("Invoices moved")).to_be_visible()


def test_without_scripts_a_policy_is_made_row_by_row(office: Office) -> None:
    page = office.open(f"{ACME}policies/new/", java_script_enabled=False)
    page.get_by_label("Name").fill("Looks")
    page.get_by_label("Rule 1", exact=True).fill("view_customer")
    page.get_by_role("button", name="Add rule").click()
    page.get_by_label("Rule 2", exact=True).fill("view_invoice")
    page.get_by_role("button", name="Show what it does").click()
    expect(page.locator("#effective")).to_contain_text("View invoices")
    page.get_by_role("button", name="Create policy").click()
    expect(page.get_by_role("heading", name="Looks", level=1)).to_be_visible()
    assert Policy.objects.get(name="Looks").patterns == ["view_customer", "view_invoice"]


def test_members_are_searched_for_in_the_modal_and_added(office: Office) -> None:
    _, group, _ = furnish(office.world)
    page = office.open(f"{ACME}groups/{group.pk}/")
    page.get_by_role("link", name="Add members").click()
    search = page.get_by_role("searchbox")
    search.press_sequentially("dev")
    expect(page.locator("#candidates")).not_to_contain_text("Ari")
    expect(search).to_be_focused()
    page.get_by_label("Dev").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Dev is now in Billing.")).to_be_visible()


def test_the_link_of_an_invitation_can_be_copied(office: Office) -> None:
    page = office.open(f"{ACME}settings/members/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("E-mail address").fill("lee@example.org")
    page.get_by_role("button", name="Make the link").click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#status")).to_have_text("Link copied to clipboard.")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#link").inner_text()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("lee@example.org", exact=True)).to_be_visible()

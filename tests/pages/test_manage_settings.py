"""The settings of an organisation and the organisations of the instance, by their pages."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.models import KeyPolicy, Organization, User
from accounts.services.organizations import edit_key_policy
from keyadmin.kernel import clock
from tests.pages.managing import page
from tests.pages.reading import Page
from tests.world import OPERATOR, World, person

SETTINGS = "/o/acme/settings/"


@pytest.fixture
def owner(world: World) -> Client:
    return world.client(person("Olga", world.acme, "Administrators"))


def test_general_settings_are_saved(world: World, owner: Client) -> None:
    fields = {"name": "Acme Logistics", "contact_email": "Ops@acme.example", "two_factor_required": "on", "version": 1}

    assert str(world.acme.oid) in Page(owner.get(SETTINGS)).text
    assert "The settings were saved." in Page(owner.post(SETTINGS, fields, follow=True)).text
    world.acme.refresh_from_db()
    assert (world.acme.name, world.acme.contact_email) == ("Acme Logistics", "ops@acme.example")
    assert world.acme.two_factor_required


def test_whom_the_demand_of_a_second_factor_stops_is_said_before_it_is_saved(world: World, owner: Client) -> None:
    olga = User.objects.get(name="Olga")
    text = Page(owner.get(SETTINGS)).text
    assert "5 members have none yet. You have none yourself" in text

    for one in (world.admin, world.manager, world.auditor, olga):
        Authenticator.objects.create(user=one, type="totp", data={})
    text = Page(owner.get(SETTINGS)).text
    assert "1 member has none yet." in text
    assert "yourself" not in text
    assert "none yet" not in Page(world.client(world.auditor).get(SETTINGS)).text, "who may not demand it"


def test_the_members_list_shows_and_finds_who_has_a_second_factor(world: World, owner: Client) -> None:
    Authenticator.objects.create(user=world.developer, type="totp", data={})
    members = f"{SETTINGS}members/"

    assert "Second factor" in Page(owner.get(members)).text
    having = page(owner, f"{members}?factor=on").split('id="results"')[1]
    assert "dev@example.org" in having
    assert "kim@example.org" not in having
    lacking = page(owner, f"{members}?factor=off").split('id="results"')[1]
    assert "kim@example.org" in lacking
    assert "dev@example.org" not in lacking
    looking = page(world.client(world.auditor), f"{members}?factor=on")
    assert "Second factor" not in looking
    assert "kim@example.org" in looking, "it tells nothing to who may not ask"


def test_the_key_policy_is_saved_as_a_whole(world: World, owner: Client) -> None:
    fields = {"longest_life_days": "365", "default_life_days": "", "shortest_imported_secret": "24", "version": 1}
    fields["default_rate_limit"] = " 600/Minute"

    owner.post(f"{SETTINGS}key-policy/", {**fields, "reason_required": "on"})
    row = KeyPolicy.objects.get(organization=world.acme)
    assert (row.longest_life_days, row.default_life_days, row.shortest_imported_secret) == (365, None, 24)
    assert row.reason_required
    assert row.default_rate_limit == "600/minute"
    assert "600/minute" in page(owner, f"{SETTINGS}key-policy/")
    assert not row.never_expiring_allowed, "unticked"


def test_the_key_policy_says_which_keys_do_not_comply(world: World) -> None:
    path, soon = f"{SETTINGS}key-policy/", clock.now() + timedelta(days=20)
    world.key("view_customer")
    world.key("*", expires_at=soon)
    world.user_key(world.developer, expires_at=soon)
    world.key("view_customer", expires_at=clock.now() + timedelta(days=90), organization=world.globex)
    client = world.client(world.admin)
    assert "do not comply" not in page(client, path)
    changes = {"longest_life_days": 10, "admin_keys_allowed": False, "api_users_only": True}
    edit_key_policy(actor=OPERATOR, organization=world.acme, changes=changes)  # type: ignore[arg-type]
    shown = Page(client.get(path))
    said = "2 keys with a longer life; 1 key without an expiry date; 1 key with all permissions; 1 key of people."
    assert said in shown.text
    links = [link["href"] for link in shown.all("a") if "/keys/?" in link["href"]]
    assert [Page(client.get(link)).text.count("Actions for") for link in links] == [2, 1, 1]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"longest_life_days": "30", "default_life_days": "90"}, "longer than the longest life allowed"),
        ({"shortest_imported_secret": "8"}, "Write a number of characters from 16 to 256."),
        ({"default_rate_limit": "often"}, "such as 600/minute"),
        ({"longest_life_days": "soon"}, "Write a number of days from 1 to 36,500."),
    ],
)
def test_what_is_wrong_with_a_key_policy_is_said(owner: Client, fields: dict[str, str], said: str) -> None:
    answer = owner.post(f"{SETTINGS}key-policy/", {"shortest_imported_secret": "32", "version": "1", **fields})

    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_somebody_elses_edit_is_not_overwritten(world: World, owner: Client) -> None:
    world.client(world.admin).post(SETTINGS, {"name": "Theirs", "version": 1})

    answer = owner.post(SETTINGS, {"name": "Mine", "version": 1})
    assert answer.status_code == 422
    assert "Dana" in answer.content.decode()
    world.acme.refresh_from_db()
    assert world.acme.name == "Theirs"


def test_who_may_only_look_reads_the_settings(world: World) -> None:
    client = world.client(world.auditor)

    for path in (SETTINGS, f"{SETTINGS}key-policy/"):
        text = page(client, path)
        assert "Read-only" in text
        assert "Save changes" not in text
        assert client.post(path, {"name": "x"}).status_code == 403


def test_an_instance_administrator_suspends_and_resumes(world: World, owner: Client) -> None:
    client = world.client(world.admin)
    assert "suspend/" not in page(owner, SETTINGS)
    caller = world.client(key=world.key("view_customer").secret)

    assert client.post(f"{SETTINGS}suspend/", {"name": "wrong"}).status_code == 422
    assert "Acme is suspended." in Page(client.post(f"{SETTINGS}suspend/", {"name": "Acme"}, follow=True)).text
    assert caller.get("/crm/customers").status_code == 401
    assert "Acme is suspended" in page(owner, SETTINGS, 403)
    assert "Suspended" in page(owner, "/")
    assert "Suspended" in page(owner, "/orgs/")
    stranger = world.client(world.stranger)
    hidden, missing = (Page(stranger.get(f"/o/{slug}/settings/")).text for slug in ("acme", "nowhere"))
    assert hidden.partition("Request id")[0] == missing.partition("Request id")[0]
    assert "There is no such organisation." in hidden
    assert "Acme works again." in Page(client.post(f"{SETTINGS}resume/", follow=True)).text
    assert caller.get("/crm/customers").status_code == 200


def test_an_instance_administrator_makes_organisations(world: World) -> None:
    client = world.client(world.admin)

    text = Page(client.post("/instance/organizations/new/", {"name": "Initech"}, follow=True)).text
    assert "Initech was created." in text
    made = Organization.objects.get(slug="initech")
    assert made.groups.count() == 5
    assert client.post("/instance/organizations/new/", {"name": "x", "slug": "acme"}).status_code == 422
    listed = page(client, "/instance/organizations/?search=INIT")
    assert "Initech" in listed
    assert "/o/globex/" not in listed.split('id="results"')[1]


def test_an_organisation_without_members_offers_to_invite_the_first(world: World) -> None:
    dana = world.client(world.admin)
    dana.post("/instance/organizations/new/", {"name": "Initech", "slug": ""})
    text = page(dana, "/o/initech/settings/members/")
    assert "No members yet" in text
    assert "match these filters" not in text


def test_people_see_the_organisations_that_they_are_in(world: World) -> None:
    assert "Globex" not in page(world.client(world.manager), "/orgs/")
    both = page(world.client(world.admin), "/orgs/")
    assert "Globex" in both
    assert "/instance/organizations/" in both


def test_the_pages_of_the_instance_are_in_the_rail_of_its_administrators_with_the_current_one_marked(
    world: World, owner: Client
) -> None:
    shown = Page(world.client(world.admin).get("/instance/mail/"))
    links = {link["href"]: link.get("aria-current") for link in shown.all("a")}
    assert (links["/instance/mail/"], links["/instance/organizations/"]) == ("page", None)
    assert "for instance administrators to pass on" in shown.text
    for path in ("/instance/mail/", "/instance/organizations/"):
        assert path not in page(owner, SETTINGS)


def test_the_page_of_members_has_one_name(owner: Client) -> None:
    shown = Page(owner.get(f"{SETTINGS}members/"))
    assert shown.title.startswith("Members")
    assert shown.text.count("Members") >= 3, "rail, breadcrumb and heading"

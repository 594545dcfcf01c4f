"""The form for a new key, and the one time that its secret is shown."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import queries
from accounts.services.groups import add_member
from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, NEW, SECRET, fields, nonce_of, page, version_of
from tests.pages.reading import Page
from tests.world import OPERATOR, World


@pytest.fixture
def kim(world: World) -> Client:
    return world.client(world.manager)


def checked(shown: Page, name: str) -> list[str]:
    """The values of the boxes or buttons of this name that are on."""
    return sorted(one["value"] for one in shown.all("input") if one.get("name") == name and "checked" in one)


def test_one_typed_name_is_enough(kim: Client) -> None:
    response = kim.post(NEW, fields(nonce=nonce_of(kim)))
    text = response.content.decode()
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    (secret,) = set(SECRET.findall(text))
    key = APIKey.objects.get()
    assert (key.name, key.environment, key.organization_id) == ("Billing sync", "live", key.organization_id)
    assert key.expires_at is not None
    assert timedelta(days=89) < key.expires_at - clock.now() < timedelta(days=91)
    assert key.permissions
    assert "*" not in key.permissions
    assert kim.get("/api/v1/whoami", headers={"X-API-KEY": secret}).status_code == 200


def test_the_secret_is_shown_once(kim: Client) -> None:
    sent = fields(nonce=nonce_of(kim))
    (secret,) = set(SECRET.findall(kim.post(NEW, sent).content.decode()))
    again = kim.post(NEW, sent)
    text = again.content.decode()
    assert again.status_code == 200
    assert "already created" in text
    assert not SECRET.search(text)
    key = APIKey.objects.get()
    for path in (KEYS, f"{KEYS}{key.pk}/", f"{KEYS}{key.pk}/edit/", "/o/acme/", NEW):
        assert secret not in page(kim, path)
    assert secret not in str(dict(kim.session))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "Enter a name."),
        ({"name": "x" * 81}, "80"),
        ({"expiry": "custom"}, "Enter a date."),
        ({"expiry": "custom", "expiry_date": "2020-01-01"}, "future"),
        ({"expiry": "custom", "expiry_date": "31.12.2030"}, "date"),
        ({"mode": "custom"}, "Choose at least one permission."),
        ({"mode": "template"}, "Choose a template."),
        ({"kind": "user"}, "Choose the user that the key belongs to."),
        ({"networks": "10.0.0.0/8\n\n10.0.0.0/33"}, "Line 3: 10.0.0.0/33 is not a network."),
        ({"mode": "owner"}, "Only a user&#x27;s key"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(kim: Client, changes: dict[str, str], words: str) -> None:
    sent = fields(description="Kept as it was typed", nonce=nonce_of(kim), **changes)
    response = kim.post(NEW, sent)
    text = response.content.decode()
    assert response.status_code == 422
    assert "There is a problem" in text
    assert words in text
    assert "Kept as it was typed" in text
    assert sent["nonce"] in text
    assert not APIKey.objects.exists()
    assert kim.post(NEW, fields(nonce=sent["nonce"])).status_code == 200, "a refused form uses its nonce up"


def test_a_custom_date_is_the_end_of_that_day(kim: Client) -> None:
    day = (clock.now() + timedelta(days=40)).date()
    kim.post(NEW, fields(expiry="custom", expiry_date=day.isoformat()))
    key = APIKey.objects.get()
    assert key.expires_at is not None
    assert key.expires_at.isoformat().startswith(f"{day.isoformat()}T23:59:59")


def test_templates_custom_permissions_and_admin(world: World) -> None:
    dana = world.client(world.admin)
    choices: tuple[dict[str, Any], ...] = (
        {"mode": "template", "template": "monitoring"},
        {"mode": "custom", "permissions": ["view_customer", "view_service"]},
        {"mode": "admin", "admin_confirmed": "on"},
    )
    for number, changes in enumerate(choices):
        sent = fields(name=f"Key {number}", nonce=str(number) * 32, **changes)
        assert dana.post(NEW, sent).status_code == 200
    given = [sorted(key.permissions or ()) for key in APIKey.objects.order_by("name")]
    assert given == [["view_provisioning", "view_service"], ["view_customer", "view_service"], ["*"]]


def test_a_user_key_belongs_to_the_user(world: World) -> None:
    kim = world.client(world.manager)
    response = kim.post(NEW, fields(kind="user", owner=str(world.robot.pk)))
    assert response.status_code == 200, response.content.decode()
    assert APIKey.objects.get().owner == world.robot


def test_a_user_key_can_follow_all_that_the_user_may_do(world: World) -> None:
    assert world.client(world.manager).post(NEW, fields(kind="user", owner=str(world.robot.pk), mode="owner"))
    assert APIKey.objects.get().permissions is None


def test_the_owners_to_choose_from_are_those_that_one_may_choose(world: World, kim: Client) -> None:
    for person, offered in ((world.manager, {"Robot", "Kim (you)"}), (world.developer, {"Dev (you)"})):
        text = page(world.client(person), NEW)
        select = text[text.index('name="owner"') : text.index("</select>")]
        assert set(re.findall(r'value="\d+"[^>]*>([^<]+)<', select)) == offered
    response = kim.post(NEW, fields(kind="user", owner=str(world.stranger.pk)))
    assert response.status_code == 422
    assert "Sam" not in response.content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"mode": "admin", "admin_confirmed": "on"}, "id_mode"),
        ({"mode": "template", "template": "billing-sync"}, "id_template"),
        ({"mode": "custom", "permissions": ["apikey.view", "view_customer"]}, "id_permissions"),
    ],
)
def test_nobody_gives_what_they_do_not_hold(kim: Client, changes: dict[str, Any], field: str) -> None:
    response = kim.post(NEW, fields(**changes))
    assert response.status_code == 422
    text = response.content.decode()
    assert f'<a href="#{field}' in text
    assert "you do not have it yourself" in text
    assert not APIKey.objects.exists()


def test_a_user_who_may_do_more_is_refused_at_the_user(world: World, kim: Client) -> None:
    powerful = queries.group_named(world.acme, "Auditors")
    add_member(actor=OPERATOR, group=powerful, user=world.robot)
    response = kim.post(NEW, fields(kind="user", owner=str(world.robot.pk), mode="owner"))
    assert response.status_code == 422
    assert '<a href="#id_owner">You do not have audit.view' in response.content.decode()


def test_a_flair_that_does_something_is_refused_at_the_name(world: World) -> None:
    response = world.client(world.developer).post(
        NEW, fields(name="Mine [bulk]", mode="custom", permissions=["apikey.own"])
    )
    assert response.status_code == 422
    assert '<a href="#id_name">[bulk] is put on' in response.content.decode()


def test_an_admin_key_wants_a_tick(world: World) -> None:
    world.key("*", name="The first")
    dana = world.client(world.admin)
    assert "There is 1 admin key already." in page(dana, NEW)
    response = dana.post(NEW, fields(mode="admin"))
    assert response.status_code == 422
    assert '<a href="#id_admin_confirmed">' in response.content.decode()
    assert APIKey.objects.count() == 1


def test_the_table_of_permissions_is_a_table(kim: Client) -> None:
    text = page(kim, NEW)
    table = Page(kim.get(NEW))
    for word in ("Resource", "View", "Create", "Update", "Delete", "Other"):
        assert word in table.text
    assert len([cell for cell in table.all("th") if cell.get("scope") == "row"]) > 10
    boxes = {box["value"]: box for box in table.all("input") if box.get("name") == "permissions"}
    assert "disabled" not in boxes["apikey.view"]
    assert "disabled" in boxes["view_customer"]
    assert "setting.ctrl" not in boxes
    assert "You do not have this permission." in text
    assert text.count('name="permissions" value="view_own_customer"') == 1


def test_a_link_fills_the_form_and_sends_nothing(world: World) -> None:
    dana = world.client(world.admin)
    shown = Page(dana.get(f"{NEW}?template=billing-sync&name=Night+job&expires=30d"))
    assert "These values came from a link. Check them." in shown.text
    assert shown.field("name")["value"] == "Night job"
    assert checked(shown, "mode") == ["template"]
    assert checked(shown, "template") == ["billing-sync"]
    assert checked(shown, "expiry") == ["30"]
    added = Page(dana.get(f"{NEW}?perm=view_customer&perm=create_customer&perm=nonsense&expires=2126-01-31"))
    assert checked(added, "mode") == ["custom"]
    assert checked(added, "permissions") == ["create_customer", "view_customer"]
    assert (checked(added, "expiry"), added.field("expiry_date")["value"]) == (["custom"], "2126-01-31")
    assert checked(Page(dana.get(f"{NEW}?expires=never")), "expiry") == ["never"]
    assert not APIKey.objects.exists()


@pytest.mark.parametrize(
    "query", ["expires=-1d", "expires=2020-01-01", "expires=soon", "template=x&perm=%2A", "name=+"]
)
def test_nonsense_in_a_link_is_ignored(world: World, query: str) -> None:
    shown = Page(world.client(world.admin).get(f"{NEW}?{query}"))
    assert (checked(shown, "mode"), checked(shown, "expiry")) == (["read_only"], ["90"])
    assert "came from a link" not in shown.text


def test_a_link_fills_in_only_what_one_can_give(kim: Client) -> None:
    shown = Page(kim.get(f"{NEW}?perm=view_customer&perm=apikey.view"))
    assert checked(shown, "permissions") == ["apikey.view"]
    assert "Permissions that you do not have were left out." in shown.text


@pytest.mark.parametrize("query", ["name={}", "perm={}&perm=view_customer", "{}=1"])
def test_a_key_does_not_stay_in_the_address(kim: Client, query: str) -> None:
    assert kim.get(f"{NEW}?{query.format('ka_live_' + 'a' * 50)}")["Location"] == NEW


def test_regenerating_shows_a_new_secret_once_and_stops_the_old_one(world: World) -> None:
    issued = world.key(name="Billing sync", expires_at=clock.now() + timedelta(days=9))
    kim, path = world.client(world.manager), f"{KEYS}{issued.key.pk}/regenerate/"
    sent = {"nonce": nonce_of(kim, path), "version": version_of(kim, path), "reason": "leaked"}
    response = kim.post(path, sent)
    (secret,) = set(SECRET.findall(response.content.decode()))
    assert "no-store" in response["Cache-Control"]
    assert kim.get("/api/v1/whoami", headers={"X-API-KEY": secret}).status_code == 200
    assert kim.get("/api/v1/whoami", headers={"X-API-KEY": issued.secret}).status_code == 401
    again = kim.post(path, sent).content.decode()
    assert not SECRET.search(again)
    assert "cannot be shown again" in again


def test_an_expired_key_is_regenerated_only_with_a_new_expiry(world: World, kim: Client) -> None:
    key = world.key(expires_at=clock.now() + timedelta(days=9)).key
    APIKey.objects.filter(pk=key.pk).update(
        created_at=clock.now() - timedelta(days=9), expires_at=clock.now() - timedelta(days=1)
    )
    path = f"{KEYS}{key.pk}/regenerate/"
    sent = {"nonce": nonce_of(kim, path), "version": version_of(kim, path), "reason": ""}
    assert kim.post(path, sent).status_code == 422
    assert SECRET.search(kim.post(path, {**sent, "expiry": "30"}).content.decode())


def test_a_template_beyond_ones_rights_says_what_is_missing_and_who_can_grant_it(world: World) -> None:
    text = Page(world.client(world.manager).get(NEW)).text

    assert "You do not have view_service, view_provisioning. Members of Administrators can grant them." in text
    assert "You do not have the right to everything. Members of Administrators can grant it." in text


def test_a_made_key_is_told_of_by_the_next_page_if_it_is_about_keys_and_by_no_other(kim: Client) -> None:
    for between, said in (([], True), (["/o/acme/policies/"], False)):
        kim.post(NEW, fields(nonce=nonce_of(kim)))
        for path in between:
            assert "Key Billing sync created." not in page(kim, path)
        assert ("Key Billing sync created." in page(kim, KEYS)) is said

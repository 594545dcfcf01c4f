"""A person's own keys, under their profile; and how an organisation blocks one of them on its pages."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from accounts.queries import group_named
from accounts.services.api_users import disable_api_user
from accounts.services.groups import add_member
from accounts.services.organizations import add_membership, edit_key_policy, suspend_organization
from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey, KeyBlock
from tests.pages.managing import KEYS, SECRET, fields, nonce_of, page
from tests.pages.reading import Page
from tests.world import OPERATOR, World, person

MINE, NEW = "/me/keys/", "/me/keys/new/"


@pytest.fixture
def bo(world: World) -> User:
    """A developer of globex who is in acme too, without rights there."""
    user = person("Bo", world.acme)
    add_membership(actor=OPERATOR, organization=world.globex, user=user)
    add_member(actor=OPERATOR, group=group_named(world.globex, "Developers"), user=user)
    return user


def own(client: Client, user: User, **changes: object) -> dict[str, object]:
    """The form of a new key of one's own, as it is sent when only a name was typed."""
    sent = {**fields(kind="user", owner=str(user.pk), mode="owner", nonce=nonce_of(client, NEW)), **changes}
    return {name: value for name, value in sent.items() if value is not None}


def test_one_typed_name_makes_a_key_that_works_wherever_one_is(world: World, bo: User) -> None:
    client = world.client(bo)
    assert f'href="{NEW}"' in page(client, MINE)
    shown = Page(client.get(NEW))
    assert "in Globex" in shown.text
    assert "In Acme nothing but say who it is." in shown.text
    assert "Belongs to" not in shown.text
    assert "Admin (all permissions)" not in shown.text
    response = client.post(NEW, own(client, bo))
    text = response.content.decode()
    assert response.status_code == 200
    footer = {one["name"]: one["value"] for one in Page(response).all("input") if one.get("type") == "hidden"}
    assert "no-store" in response["Cache-Control"]
    (secret,) = set(SECRET.findall(text))
    key = APIKey.objects.get()
    assert (key.kind, key.owner, key.organization, key.permissions) == ("user", bo, None, None)
    assert f'data-after="{MINE}#key-{key.pk}"' in text
    saved = f"/o/globex/keys/{key.pk}/saved/"
    assert client.post(saved, footer)["Location"] == f"{MINE}#key-{key.pk}", "without scripts too"
    assert "example.net" not in client.post(saved, {**footer, "after": "//example.net/"})["Location"]
    for slug in ("acme", "globex"):
        called = world.client(key=secret).get(f"/api/v1/whoami?organization={slug}")
        assert called.status_code == 200
    shown = Page(client.get(MINE))
    assert "Key Billing sync created." in shown.text
    links = [link["href"] for link in shown.all("a") if f"/keys/{key.pk}/" in link["href"]]
    assert links == [f"/o/globex/keys/{key.pk}/"] * 2, "its name, and the organisation where Bo may look at keys"
    page(client, links[0])


def test_a_repeated_form_makes_no_second_key_and_shows_no_secret(world: World) -> None:
    client = world.client(world.developer)
    sent = own(client, world.developer)
    client.post(NEW, sent)
    again = client.post(NEW, sent).content.decode()
    assert "already created" in again
    assert not SECRET.search(again)
    assert APIKey.objects.count() == 1


def test_the_form_makes_no_key_of_another_kind_or_user(world: World) -> None:
    client = world.client(world.manager)
    for changes in ({"kind": "organization"}, {"owner": str(world.robot.pk)}, {"owner": str(world.developer.pk)}):
        assert client.post(NEW, own(client, world.manager, **changes)).status_code == 422
    assert not APIKey.objects.exists()


def test_the_strictest_policy_of_all_ones_organisations_binds_the_form(world: World, bo: User) -> None:
    changes = {"longest_life_days": 7, "reason_required": True}
    edit_key_policy(actor=OPERATOR, organization=world.acme, changes=changes)  # type: ignore[arg-type]
    client = world.client(bo)
    shown = Page(client.get(NEW))
    assert shown.field("reason")
    assert client.post(NEW, own(client, bo)).status_code == 422
    assert client.post(NEW, own(client, bo, reason="why not", expiry="30")).status_code == 422
    day = clock.now().date() + timedelta(days=5)
    assert client.post(NEW, own(client, bo, reason="why not", expiry="custom", expiry_date=day)).status_code == 200


def test_the_box_says_what_the_key_will_be_able_to_do(world: World, bo: User) -> None:
    client = world.client(bo)
    text = client.post(f"{NEW}preview/", own(client, bo)).content.decode()
    assert "apikey.own" in text
    assert "<bdi>Globex</bdi>" in text


def test_all_of_ones_own_keys_are_listed_and_nobody_elses(world: World, bo: User) -> None:
    world.user_key(bo, name="Mine")
    services.revoke_key(actor=OPERATOR, key_id=world.user_key(bo, name="Gone").key.pk)
    world.user_key(world.developer, name="Theirs")
    world.key(name="Of acme")
    text = Page(world.client(bo).get(MINE)).text
    assert "Mine" in text
    assert not any(name in text for name in ("Gone", "Theirs", "Of acme"))
    text = Page(world.client(bo).get(f"{MINE}?status=all")).text
    assert "Gone" in text
    assert "Nowhere" in text
    assert "No API keys match" in Page(world.client(bo).get(f"{MINE}?search=nothing")).text


def test_who_may_have_no_key_reads_why(world: World, bo: User) -> None:
    nobody = person("Noa", world.acme)
    client = world.client(nobody)
    text = page(client, MINE)
    assert "You can't create a key of your own." in text
    assert "apikey.own" in text
    assert "Members of Administrators can grant it." in text
    assert NEW not in text
    page(client, NEW, 403)
    edit_key_policy(actor=OPERATOR, organization=world.acme, changes={"api_users_only": True})
    text = page(world.client(bo), MINE)
    assert "gives user keys to API users only" in text
    assert NEW not in text


def test_one_organisation_blocks_a_key_and_its_owner_sees_which(world: World, bo: User) -> None:
    key = world.user_key(bo, name="Laptop").key
    path, kim, sam = f"{KEYS}{key.pk}/", world.client(world.manager), world.client(world.stranger)
    assert f'href="{path}block/"' in page(kim, KEYS)
    assert "Block in Acme" in page(kim, path)
    asked = Page(kim.get(f"{path}block/"))
    assert "Block Laptop in Acme ?" in asked.text
    assert "It still works elsewhere." in asked.text, "Kim may not know where"
    assert kim.post(f"{path}block/", {"reason": "x" * 300}).status_code == 422
    assert not KeyBlock.objects.exists()
    assert kim.post(f"{path}block/", {"reason": "Seen in a repository"})["Location"] == path
    shown = Page(kim.get(path)).text
    for words in ("Laptop is blocked in Acme.", "Blocked in Acme", "By Kim", "Seen in a repository", "Nothing here"):
        assert words in shown
    assert f'action="{path}unblock/"' in page(kim, path)
    assert "Blocked in Acme" in page(kim, KEYS)
    for elsewhere in ("/o/globex/keys/", f"/o/globex/keys/{key.pk}/"):
        assert "Blocked" not in page(sam, elsewhere)
    mine = Page(world.client(bo).get(MINE)).text
    assert "Acme Blocked" in mine
    assert "Globex Blocked" not in mine
    assert kim.post(f"{path}unblock/")["Location"] == path
    assert "Laptop works here again." in page(kim, path)
    assert not KeyBlock.objects.exists()


def test_a_key_is_described_wherever_it_works(world: World, bo: User) -> None:
    add_member(actor=OPERATOR, group=group_named(world.acme, "Readers"), user=bo)
    client = world.client(bo)
    shown = Page(client.get(NEW))
    assert "may-group.view" in [one["id"] for one in shown.all("input") if "id" in one and "disabled" not in one]
    text = client.post(f"{NEW}preview/", own(client, bo)).content.decode()
    for words in ("in <bdi>Globex</bdi>", "in <bdi>Acme</bdi>", "group.view", "apikey.own"):
        assert words in text
    suspend_organization(actor=OPERATOR, organization=world.acme)
    text = client.post(f"{NEW}preview/", own(client, bo)).content.decode()
    assert "Nothing now in <bdi>Acme</bdi>: the organisation is suspended." in text
    assert "group.view" not in text


def test_who_stops_a_key_reads_where_else_it_works_as_far_as_they_may_know(world: World, bo: User) -> None:
    key = world.user_key(bo).key
    mine = f"/o/globex/keys/{key.pk}/"
    for page_of_key in (f"{mine}regenerate/", f"{mine}revoke/", f"{mine}delete/"):
        assert "It also works in Acme: it stops there too." in Page(world.client(bo).get(page_of_key)).text
    assert "Works in Acme Globex" in Page(world.client(bo).get(mine)).text
    seen = Page(world.client(world.manager).get(f"{KEYS}{key.pk}/")).text
    assert "Works in Acme and elsewhere" in seen
    assert "Globex" not in seen
    services.block_key(actor=OPERATOR, key_id=key.pk, organization=world.acme)
    assert "It also works" not in Page(world.client(bo).get(f"{mine}regenerate/")).text
    assert "Works in Acme Blocked Globex" in Page(world.client(bo).get(mine)).text
    assert "It still works elsewhere." in Page(world.client(world.manager).get(f"{KEYS}{key.pk}/")).text
    services.pause_key(actor=OPERATOR, key_id=key.pk)
    assert "It still works" not in Page(world.client(world.manager).get(f"{KEYS}{key.pk}/")).text


def test_a_key_that_does_not_work_says_so_right_beside_its_status(world: World, bo: User) -> None:
    blocked, stopped = world.user_key(bo).key, world.user_key(world.robot).key
    services.block_key(actor=OPERATOR, key_id=blocked.pk, organization=world.acme)
    disable_api_user(actor=OPERATOR, organization=world.acme, user=world.robot)
    kim = world.client(world.admin)
    for path in (KEYS, f"/o/acme/settings/members/{bo.pk}/", f"{KEYS}{blocked.pk}/"):
        assert "Active Blocked in Acme" in Page(kim.get(path)).text, path
    user_page = f"/o/acme/api-users/{world.robot.pk}/"
    for path in (KEYS, user_page, f"{KEYS}{stopped.pk}/"):
        assert "Active Owner disabled" in Page(kim.get(path)).text, path
    services.assign_key(actor=OPERATOR, owner=bo)
    services.block_key(actor=OPERATOR, key_id=APIKey.objects.get(assigned=True).pk, organization=world.acme)
    assert "Active Blocked in Acme" in Page(kim.get(f"/o/acme/settings/members/{bo.pk}/api-key/")).text


def test_the_list_says_whose_a_users_key_is(world: World, bo: User) -> None:
    world.user_key(bo, description="On the laptop")
    assert "of Bo · On the laptop" in Page(world.client(world.manager).get(KEYS)).text
    assert "of Bo ·" not in Page(world.client(bo).get(MINE)).text


def test_nothing_is_offered_that_would_be_refused(world: World, bo: User) -> None:
    strong, key = world.user_key(world.admin).key, world.user_key(bo).key
    organization_key = world.key("view_customer").key
    kim, ari, sam = world.client(world.manager), world.client(world.auditor), world.client(world.stranger)
    assert "/block/" in page(kim, f"{KEYS}{strong.pk}/")
    services.block_key(actor=OPERATOR, key_id=strong.pk, organization=world.acme)
    text = page(kim, f"{KEYS}{strong.pk}/")
    assert "block/" not in text, "it gives more than Kim holds"
    assert kim.post(f"{KEYS}{strong.pk}/unblock/").status_code == 403
    assert "/unblock/" in page(world.client(world.admin), f"{KEYS}{strong.pk}/")
    assert "block/" not in page(ari, f"{KEYS}{key.pk}/")
    assert "block/" not in page(kim, f"{KEYS}{organization_key.pk}/")
    assert sam.post(f"{KEYS}{key.pk}/block/").status_code == 404
    assert sam.post(f"/o/globex/keys/{strong.pk}/block/").status_code == 404


def test_pages_about_oneself_stand_beside_the_organisation_used_last(world: World, bo: User) -> None:
    client = Client()
    client.force_login(bo)
    assert "Choose an organisation" in page(client, "/me/")
    page(client, "/o/globex/")
    for path in ("/me/", MINE, "/me/security/", "/orgs/"):
        text = page(client, path)
        assert 'href="/o/globex/keys/"' in text, path
        assert '<li><a href="/o/globex/"><bdi class' not in text, "it is no page of that organisation"
    assert 'href="/o/acme/keys/"' in page(world.client(world.developer), "/me/"), "the only one there is"

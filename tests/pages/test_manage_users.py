"""API users and members by their pages."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import queries
from accounts.models import User
from accounts.services.api_users import create_api_user
from accounts.services.groups import add_member, create_group
from accounts.services.policies import create_policy
from keyadmin.keys import services as keys
from tests.pages.managing import fields, nonce_of, page, version_of
from tests.pages.reading import Page
from tests.world import OPERATOR, World, person

USERS = "/o/acme/api-users/"
MEMBERS = "/o/acme/settings/members/"


@pytest.fixture
def owner(world: World) -> Client:
    """An administrator of acme alone."""
    return world.client(person("Olga", world.acme, "Administrators"))


def api_user(world: World, name: str = "billing-sync", **fields: Any) -> User:
    return create_api_user(actor=OPERATOR, organization=world.acme, name=name, **fields)


def test_an_api_user_is_made_in_groups_that_say_what_they_give(world: World, owner: Client) -> None:
    readers = queries.group_named(world.acme, "Readers")
    assert "View API keys, View groups" in page(owner, f"{USERS}new/")

    fields = {"name": "crm-sync", "description": "Nightly", "contact_email": "ops@acme.example", "groups": [readers.pk]}
    answer = owner.post(f"{USERS}new/", fields, follow=True)

    text = Page(answer).text
    assert "API user crm-sync was created." in text
    assert "ops@acme.example" in text
    assert "via group Readers → policy Readers" in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"name": ""}, "Name is missing."), ({"name": "ROBOT"}, "an API user of this name already")],
)
def test_what_is_wrong_is_said_beside_the_field(owner: Client, fields: dict[str, str], said: str) -> None:
    answer = owner.post(f"{USERS}new/", fields)

    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_a_group_that_one_cannot_give_is_neither_offered_nor_taken(world: World) -> None:
    limited = create_policy(
        actor=OPERATOR, organization=world.acme, name="Users", patterns=["user.ctrl", "group.ctrl", "group.view"]
    )
    create_group(actor=OPERATOR, organization=world.acme, name="Desk", policies=[limited])
    client = world.client(person("Lim", world.acme, "Desk"))
    administrators = queries.group_named(world.acme, "Administrators")

    assert "Administrators" not in page(client, f"{USERS}new/")
    answer = client.post(f"{USERS}new/", {"name": "x", "groups": [administrators.pk]})
    assert answer.status_code == 422
    assert not User.objects.filter(name="x").exists()


def test_somebody_elses_edit_is_not_overwritten(world: World, owner: Client) -> None:
    path = f"{USERS}{world.robot.pk}/edit/"
    version = version_of(owner, path)
    world.client(world.admin).post(path, {"name": "Robot 2", "description": "", "version": version})

    answer = owner.post(path, {"name": "Mine", "description": "", "version": version})

    assert answer.status_code == 422
    assert "Dana" in answer.content.decode()
    world.robot.refresh_from_db()
    assert world.robot.name == "Robot 2"


def test_disabling_says_how_many_keys_stop_and_asks_for_the_name(world: World, owner: Client) -> None:
    world.user_key(world.robot)
    paused = world.user_key(world.robot)
    keys.pause_key(actor=OPERATOR, key_id=paused.key.pk)
    path = f"{USERS}{world.robot.pk}/disable/"
    assert "1 key of this user stops working at once." in page(owner, path)

    assert owner.post(path, {"name": "robot"}).status_code == 422
    said = owner.post(path, {"name": " Robot ", "reason": "leaver"}, follow=True).content.decode()
    assert "Requests with its keys get 401." in said
    assert "leaver" in said

    said = owner.post(f"{USERS}{world.robot.pk}/enable/", follow=True).content.decode()
    assert "Robot works again" in said


def test_a_user_with_keys_is_not_deleted_and_says_how_many(world: World, owner: Client) -> None:
    world.user_key(world.robot)

    assert "once its 1 API key is deleted" in page(owner, f"{USERS}{world.robot.pk}/")
    answer = owner.post(f"{USERS}{world.robot.pk}/delete/")
    assert answer.status_code == 422
    assert "has API keys (1)" in answer.content.decode()

    spare = api_user(world)
    assert "was deleted" in owner.post(f"{USERS}{spare.pk}/delete/", follow=True).content.decode()


def test_create_api_key_opens_with_the_owner_filled_in(world: World, owner: Client) -> None:
    text = page(owner, f"{USERS}{world.robot.pk}/")
    assert f"/o/acme/keys/new/?kind=user&amp;owner={world.robot.pk}" in text

    form = page(owner, f"/o/acme/keys/new/?kind=user&owner={world.robot.pk}")
    assert f'<option value="{world.robot.pk}" selected>' in form
    assert "came from a link" not in form
    stranger = page(owner, f"/o/acme/keys/new/?kind=user&owner={world.stranger.pk}")
    assert "selected>Sam" not in stranger


def test_a_read_only_policy_and_group_are_one_step(world: World, owner: Client) -> None:
    user = api_user(world)
    path = f"{USERS}{user.pk}/read-only/"
    assert owner.post(path).status_code == 422

    text = Page(owner.post(path, {"resources": ["Customers"]}, follow=True)).text

    assert "View customers" in text
    assert "via group billing-sync (read only)" in text


def test_leaving_a_group_says_what_is_lost_first(world: World, owner: Client) -> None:
    world.user_key(world.robot, name="Key of Robot")
    readers = queries.group_named(world.acme, "Readers")
    path = f"{USERS}{world.robot.pk}/groups/{readers.pk}/remove/"

    asked = page(owner, path)
    assert "1 user and 1 key lose" in asked
    assert "Key of Robot" in asked
    assert "In no group" in owner.post(path, follow=True).content.decode()


def test_names_of_keys_are_for_those_who_may_see_keys(world: World) -> None:
    patterns = ["user.view", "group.ctrl", "apikey.view"]
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Desk", patterns=patterns[:2])
    create_group(actor=OPERATOR, organization=world.acme, name="Desk", policies=[policy])
    client = world.client(person("Lim", world.acme, "Desk"))
    world.user_key(world.robot, name="Key of Robot")
    readers = queries.group_named(world.acme, "Readers")

    for path in (f"{USERS}{world.robot.pk}/", f"{USERS}{world.robot.pk}/groups/{readers.pk}/remove/"):
        assert "Key of Robot" not in page(client, path)
    assert "1 user and 1 key lose" in page(client, f"{USERS}{world.robot.pk}/groups/{readers.pk}/remove/")
    assert "1 API key, 1 of them active" in page(client, f"{USERS}{world.robot.pk}/")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=NIGHT", ["billing-sync"]),
        ("status=disabled", []),
        ("can=group.view", ["Robot"]),
        ("search=nothing-like-it", []),
    ],
)
def test_the_list_is_searched_and_filtered(world: World, owner: Client, query: str, found: list[str]) -> None:
    api_user(world, description="Nightly export")

    text = page(owner, f"{USERS}?{query}")
    assert [name for name in ("billing-sync", "Robot") if f"<bdi>{name}</bdi>" in text] == found


@pytest.mark.parametrize("path", [USERS, MEMBERS])
def test_a_longer_list_costs_no_more_queries(world: World, owner: Client, path: str) -> None:
    readers = queries.group_named(world.acme, "Readers")

    def fill(number: int) -> None:
        for at in range(number):
            if path == USERS:
                api_user(world, f"service {number} {at}", groups=[readers])
            else:
                person(f"p{number}x{at}", world.acme, "Readers")

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(f"{path}?page_size=100").status_code == 200
        return len(captured)

    fill(5)
    few = cost()
    fill(20)
    assert cost() == few
    assert few <= 16


def test_names_are_text_wherever_they_stand(world: World, owner: Client) -> None:
    user = api_user(world, "<script>alert(1)</script>" + "W" * 100, description="<b>x</b>")

    for path in (USERS, f"{USERS}{user.pk}/", f"{USERS}{user.pk}/edit/", f"{USERS}{user.pk}/disable/"):
        text = page(owner, path)
        assert "<script>alert" not in text
        assert "<b>x" not in text


def test_a_member_is_invited_by_a_link_that_is_shown_once(world: World, owner: Client) -> None:
    readers = queries.group_named(world.acme, "Readers")
    answer = owner.post(f"{MEMBERS}invite/", {"email": "New@Example.org", "groups": [readers.pk]})

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store, no-transform"
    assert answer["Referrer-Policy"] == "no-referrer"
    link = Page(answer).text.split("http://testserver", 1)[1].split()[0]
    listed = page(owner, MEMBERS)
    assert "new@example.org" in listed
    assert link not in listed

    pk = queries.open_invitations(OPERATOR).get().pk
    assert "was withdrawn" in owner.post(f"/o/acme/settings/invitations/{pk}/withdraw/", follow=True).content.decode()
    assert "new@example.org" not in page(owner, MEMBERS)


def test_a_member_is_not_invited_twice(world: World, owner: Client) -> None:
    answer = owner.post(f"{MEMBERS}invite/", {"email": world.manager.email})

    assert answer.status_code == 422
    assert "is in Acme already" in answer.content.decode()


def test_a_member_is_put_in_a_group_and_taken_out_of_the_organisation(world: World, owner: Client) -> None:
    path = f"{MEMBERS}{world.developer.pk}/"
    auditors = queries.group_named(world.acme, "Auditors")

    text = Page(owner.post(f"{path}groups/add/", {"groups": [auditors.pk]}, follow=True)).text
    assert "Dev is now in Auditors." in text
    assert "via group Auditors → policy Auditors" in text

    world.user_key(world.developer)
    assert owner.post(f"{path}remove/").status_code == 422
    assert "no longer in Acme" in owner.post(f"{path}remove/", {"name": "Dev"}, follow=True).content.decode()
    assert page(owner, path, 404)


def test_a_key_made_from_the_page_of_an_api_user_leads_back_to_it(world: World) -> None:
    client, user_page = world.client(world.admin), f"/o/acme/api-users/{world.robot.pk}/"
    form = f"/o/acme/keys/new/?kind=user&owner={world.robot.pk}"
    shown = Page(client.get(form))
    assert "The key follows the groups of this API user" in shown.text
    assert "a key of the organisation is safer" not in shown.text
    assert user_page in [link["href"] for link in shown.all("a") if "data-modal-close" in link], "Cancel"
    sent = fields(kind="user", owner=str(world.robot.pk), mode="owner", nonce=nonce_of(client, form))
    refused = client.post(form, {**sent, "name": ""})
    assert refused.status_code == 422
    assert user_page in refused.content.decode()
    assert f'data-after="{user_page}"' in client.post(form, sent).content.decode()
    assert "a key of the organisation is safer" in page(client, "/o/acme/keys/new/")


def test_who_lacks_a_right_of_an_api_user_reads_why_they_make_it_no_key(world: World) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Sales", patterns=["view_customer"])
    group = create_group(actor=OPERATOR, organization=world.acme, name="Sales", policies=[policy])
    add_member(actor=OPERATOR, group=group, user=world.robot)
    text = page(world.client(world.manager), f"/o/acme/api-users/{world.robot.pk}/")
    assert "You do not hold " in text
    assert "so you can&#x27;t create a key for it." in text
    assert "keys/new/" not in text
    assert "You do not hold" not in page(world.client(world.admin), f"/o/acme/api-users/{world.robot.pk}/")

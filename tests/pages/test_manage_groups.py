"""Groups by their pages: members, policies, and what a change does before it is made."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import queries
from accounts.models import Group
from accounts.services.groups import add_member, create_group
from accounts.services.policies import create_policy
from tests.pages.managing import page, version_of
from tests.pages.reading import Page
from tests.world import OPERATOR, World, person

GROUPS = "/o/acme/groups/"


@pytest.fixture
def owner(world: World) -> Client:
    return world.client(person("Olga", world.acme, "Administrators"))


@pytest.fixture
def billing(world: World) -> Group:
    """A group with a policy that looks and one that writes, and the robot in it."""
    reads = create_policy(actor=OPERATOR, organization=world.acme, name="Reads", patterns=["view_customer"])
    writes = create_policy(actor=OPERATOR, organization=world.acme, name="Writes", patterns=["create_payment"])
    group = create_group(actor=OPERATOR, organization=world.acme, name="Billing", policies=[reads, writes])
    add_member(actor=OPERATOR, group=group, user=world.robot)
    return group


def test_a_group_is_made_with_policies_that_say_what_they_give(world: World, owner: Client) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Looks", patterns=["view_customer"])
    assert "View customers" in page(owner, f"{GROUPS}new/")

    text = Page(owner.post(f"{GROUPS}new/", {"name": "Desk", "policies": [policy.pk]}, follow=True)).text
    assert "Group Desk was created." in text
    assert "Nobody is in it yet." in text
    assert "View customers view_customer" in text
    assert "It gives" not in text, "it only looks"


def test_a_name_that_is_taken_is_refused(owner: Client) -> None:
    answer = owner.post(f"{GROUPS}new/", {"name": "READERS"})
    assert answer.status_code == 422
    assert "exists already" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Administrators", "It gives everything in the organisation"),
        ("Billing", "It gives more than looking: Create payments."),
    ],
)
def test_a_group_that_gives_more_than_looking_warns(
    world: World, owner: Client, billing: Group, name: str, words: str
) -> None:
    group = queries.group_named(world.acme, name)
    assert words in page(owner, f"{GROUPS}{group.pk}/")
    assert words in page(owner, f"{GROUPS}{group.pk}/members/add/")


def test_members_are_found_by_a_search_and_added(world: World, owner: Client, billing: Group) -> None:
    path = f"{GROUPS}{billing.pk}/members/add/"
    assert world.robot.name not in page(owner, path), "is in it already"
    part = owner.get(f"{path}?search=kim", headers={"HX-Request": "true", "HX-Target": "candidates"}).content.decode()
    assert "Kim" in part
    assert "Dana" not in part
    assert "<html" not in part

    text = Page(owner.post(path, {"users": [world.manager.pk, world.auditor.pk]}, follow=True)).text
    assert "Ari and Kim are now in Billing." in text
    assert "3 members" in text
    assert owner.post(path).status_code == 422


def test_removing_a_policy_says_first_who_loses_what(world: World, owner: Client, billing: Group) -> None:
    world.user_key(world.robot, name="Nightly")
    policy = billing.policies.get(name="Writes")
    path = f"{GROUPS}{billing.pk}/policies/{policy.pk}/remove/"

    asked = page(owner, path)
    assert "1 user and 1 key lose" in asked
    assert "Create payments" in asked
    assert "Nightly" in asked
    assert "Billing no longer has Writes." in Page(owner.post(path, {"reason": "tidy"}, follow=True)).text
    assert [one.name for one in billing.policies.all()] == ["Reads"]

    back = f"{GROUPS}{billing.pk}/policies/add/"
    assert "Billing now has Writes." in Page(owner.post(back, {"policies": [policy.pk]}, follow=True)).text


def test_a_change_that_touches_nobody_says_so(world: World, owner: Client) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Looks", patterns=["view_customer"])
    group = create_group(actor=OPERATOR, organization=world.acme, name="Empty", policies=[policy])

    asked = page(owner, f"{GROUPS}{group.pk}/delete/")
    assert "It touches nobody" in asked
    assert "to confirm" not in asked
    assert "was deleted" in owner.post(f"{GROUPS}{group.pk}/delete/", follow=True).content.decode()


def test_deleting_a_group_in_use_asks_for_its_name(owner: Client, billing: Group) -> None:
    path = f"{GROUPS}{billing.pk}/delete/"

    assert owner.post(path, {"name": "other"}).status_code == 422
    assert Group.objects.filter(pk=billing.pk).exists()
    assert "was deleted" in owner.post(path, {"name": "Billing"}, follow=True).content.decode()


def test_a_member_is_taken_out(world: World, owner: Client, billing: Group) -> None:
    path = f"{GROUPS}{billing.pk}/members/{world.robot.pk}/remove/"
    assert "1 user loses" in Page(owner.get(path)).text
    assert "Robot is no longer in Billing." in Page(owner.post(path, follow=True)).text


def test_somebody_elses_edit_is_not_overwritten(world: World, owner: Client, billing: Group) -> None:
    path = f"{GROUPS}{billing.pk}/edit/"
    version = version_of(owner, path)
    world.client(world.admin).post(path, {"name": "Theirs", "version": version})

    answer = owner.post(path, {"name": "Mine", "version": version})
    assert answer.status_code == 422
    assert "Dana" in answer.content.decode()
    billing.refresh_from_db()
    assert billing.name == "Theirs"


def test_who_lacks_what_a_group_gives_is_offered_no_way_in(world: World, billing: Group) -> None:
    patterns = ["group.ctrl", "user.view"]
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Desk", patterns=patterns)
    create_group(actor=OPERATOR, organization=world.acme, name="Desk", policies=[policy])
    client = world.client(person("Lim", world.acme, "Desk"))

    text = page(client, f"{GROUPS}{billing.pk}/")
    assert "members/add/" not in text
    assert "Only who holds all that the group gives can add members." in text
    answer = client.post(f"{GROUPS}{billing.pk}/members/add/", {"users": [world.manager.pk]})
    assert answer.status_code == 422
    assert "view_customer" in answer.content.decode() or "create_payment" in answer.content.decode()


def test_a_longer_list_costs_no_more_queries(world: World, owner: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert owner.get(f"{GROUPS}?page_size=100").status_code == 200
        return len(captured)

    few = cost()
    for at in range(20):
        policy = create_policy(actor=OPERATOR, organization=world.acme, name=f"p{at}", patterns=["view_customer"])
        create_group(actor=OPERATOR, organization=world.acme, name=f"g{at}", policies=[policy])
    assert cost() == few

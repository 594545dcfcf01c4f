"""The timeline of a user tells what reached them by way of groups, and nothing that did not."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from accounts import queries
from accounts.models import Group, Policy, User
from accounts.services.groups import add_member, create_group, edit_group, remove_member
from accounts.services.invitations import accept_as, invite
from accounts.services.policies import create_policy, edit_policy
from tests.pages.managing import page
from tests.pages.signing_in import turn_on_app
from tests.world import OPERATOR, World, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(world: World) -> Client:
    return world.client(person("Olga", world.acme, "Administrators"))


def policy(world: World, name: str, *patterns: str) -> Policy:
    return create_policy(actor=OPERATOR, organization=world.acme, name=name, patterns=patterns)


def group(world: World, name: str, *policies: Policy) -> Group:
    return create_group(actor=OPERATOR, organization=world.acme, name=name, policies=policies)


def steps(client: Client, user: User) -> list[str]:
    """The timeline on a user's page, one line each, the newest first."""
    part = "api-users" if user.kind == "api" else "settings/members"
    text = page(client, f"/o/acme/{part}/{user.pk}/").split('id="timeline"')[1].split("</ol>")[0]
    found = [" ".join(strip_tags(item).split()) for item in re.findall(r"<li><span.*?</div></li>", text, re.DOTALL)]
    return [
        re.sub(r" by (operator of the machine|invitation of \S+), (just now|\d+ (s|min) ago)", "", one) for one in found
    ]


def test_groups_and_their_policies_are_told_while_the_user_is_in(world: World, owner: Client) -> None:
    early = policy(world, "Early", "view_customer")
    late = policy(world, "Late", "view_invoice")
    desk = group(world, "Desk", early)
    edit_policy(actor=OPERATOR, policy=early, changes={"patterns": ["view_customer", "view_service"]})  # before
    for given in ([early, late], [early]):
        edit_group(actor=OPERATOR, group=desk, changes={"policies": given})
    add_member(actor=OPERATOR, group=desk, user=world.robot)
    edit_policy(actor=OPERATOR, policy=late, changes={"patterns": ["view_inventory"]})  # not theirs yet
    edit_policy(actor=OPERATOR, policy=early, changes={"description": "Only words"})
    edit_group(actor=OPERATOR, group=desk, changes={"policies": [early, late]})
    edit_policy(actor=OPERATOR, policy=late, changes={"patterns": ["view_inventory", "view_transaction"]})

    told = steps(owner, world.robot)

    assert told[:4] == [
        "Policy Late changed Permissions: added View transactions",
        "Group Desk changed Policies: added Late",
        "Added to group Desk",
        "Added to group Readers",
    ]
    remove_member(actor=OPERATOR, group=desk, user=world.robot)
    edit_group(actor=OPERATOR, group=desk, changes={"policies": []})
    assert steps(owner, world.robot)[:2] == ["Removed from group Desk", "Added to group Desk"]


def test_an_invitation_brings_its_groups_into_the_story(world: World, owner: Client) -> None:
    late = policy(world, "Late", "view_invoice")
    desk = group(world, "Desk", late)
    edit_policy(actor=OPERATOR, policy=late, changes={"patterns": ["view_customer"]})
    _, token = invite(actor=OPERATOR, organization=world.acme, email=world.stranger.email or "", groups=[desk])
    accept_as(user=world.stranger, token=token)
    edit_policy(actor=OPERATOR, policy=late, changes={"patterns": ["view_customer", "view_service"]})

    told = steps(owner, world.stranger)

    assert told[0] == "Policy Late changed Permissions: added View services"
    assert told[1].startswith("Accepted an invitation")
    assert not [one for one in told[2:] if one.startswith("Policy")]


def test_who_may_not_look_at_groups_or_policies_is_told_nothing_of_them(world: World) -> None:
    secret = policy(world, "Secret", "view_customer")
    desk = group(world, "Desk", secret)
    add_member(actor=OPERATOR, group=desk, user=world.robot)
    edit_policy(actor=OPERATOR, policy=secret, changes={"patterns": ["view_customer", "view_service"]})
    edit_group(actor=OPERATOR, group=desk, changes={"policies": [secret, policy(world, "Other", "view_invoice")]})
    for name, patterns, seen in (("Looker", ["user.view"], 0), ("Grouper", ["user.view", "group.view"], 1)):
        group(world, name, policy(world, name, *patterns))
        told = steps(world.client(person(name, world.acme, name)), world.robot)
        assert len([one for one in told if "Desk changed" in one]) == seen
        assert not [one for one in told if one.startswith("Policy")]


def test_a_group_names_its_members_to_those_who_may_look_at_users(world: World, owner: Client) -> None:
    group(world, "Groupers", policy(world, "Groupers", "group.ctrl"))
    client = world.client(person("Gus", world.acme, "Groupers"))
    path = f"/o/acme/groups/{queries.group_named(world.acme, 'Readers').pk}/"

    assert "Added Robot" in page(owner, path)
    assert "Added a member" in page(client, path)
    assert "Robot" not in page(client, path)


def test_the_story_costs_the_same_for_many_groups(world: World, owner: Client) -> None:

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            steps(owner, world.robot)
        return len(captured)

    cost()
    before = cost()
    for number in range(5):
        one = policy(world, f"P{number}", "view_customer")
        add_member(actor=OPERATOR, group=group(world, f"G{number}", one), user=world.robot)
        edit_policy(actor=OPERATOR, policy=one, changes={"patterns": ["view_service"]})
    assert cost() == before


def test_what_was_done_to_a_person_reads_right_without_their_name(world: World, owner: Client) -> None:
    turn_on_app(world.client(world.developer))

    assert [one.partition(" by Dev")[0] for one in steps(owner, world.developer)[:2]] == [
        "Made recovery codes",
        "Turned on the authenticator app",
    ]
    assert "Added to the organisation" in steps(owner, world.robot)[-1] + steps(owner, world.robot)[-2]

"""R21, escalation by page: a key manager who also manages groups, policies and users gives no more than they hold."""

from typing import Any

import pytest
from django.test import Client

from accounts import queries
from accounts.models import Group, Invitation, Membership, Policy
from accounts.services.groups import add_member, create_group
from accounts.services.policies import create_policy
from keyadmin.keys.models import APIKey
from tests.pages.managing import fields
from tests.pages.reading import Page
from tests.world import OPERATOR, World

CTRL = ("group.ctrl", "policy.ctrl", "user.ctrl")


@pytest.fixture
def kim(world: World) -> Client:
    """The key manager of acme, with all rights to manage but one in what is managed."""
    add_member(actor=OPERATOR, group=stronger(world, "Desk", *CTRL), user=world.manager)
    return world.client(world.manager)


def stronger(world: World, name: str, *patterns: str) -> Group:
    """A group of acme, with one policy of its name."""
    policy = create_policy(actor=OPERATOR, organization=world.acme, name=name, patterns=patterns)
    return create_group(actor=OPERATOR, organization=world.acme, name=name, policies=[policy])


def counted() -> list[Any]:
    return [
        *(model.objects.count() for model in (APIKey, Group, Policy, Invitation)),
        list(Membership.objects.order_by("pk").values_list("pk", "groups__group")),
        list(Policy.objects.order_by("pk").values_list("patterns", flat=True)),
    ]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("keys/new/", fields(mode="custom", permissions=["view_invoice"])),
        ("policies/new/", {"name": "x", "patterns": ["view_invoice"], "view": "rules"}),
        ("policies/{own}/edit/", {"name": "x", "patterns": ["view_invoice"], "view": "rules", "version": 1}),
        ("groups/new/", {"name": "x", "policies": ["{policy}"]}),
        ("groups/{weak}/policies/add/", {"policies": ["{policy}"]}),
        ("groups/{strong}/members/add/", {"users": ["{robot}"]}),
        ("api-users/{robot}/groups/add/", {"groups": ["{strong}"]}),
        ("api-users/new/", {"name": "x", "groups": ["{strong}"]}),
        ("settings/members/invite/", {"email": "x@example.org", "groups": ["{strong}"]}),
    ],
)
def test_what_one_does_not_hold_is_given_by_no_page(world: World, kim: Client, path: str, sent: dict[str, Any]) -> None:
    strong, weak = stronger(world, "Invoices", "view_invoice"), stronger(world, "Weak")
    known = {
        "strong": strong.pk,
        "weak": weak.pk,
        "policy": queries.policy_named(world.acme, "Invoices").pk,
        "own": queries.policy_named(world.acme, "Weak").pk,
        "robot": world.robot.pk,
    }
    body = {k: [str(one).format(**known) for one in v] if isinstance(v, list) else v for k, v in sent.items()}
    before = counted()

    answer = kim.post(f"/o/acme/{path.format(**known)}", body)

    said = Page(answer).text
    assert answer.status_code == 422
    assert "give" in said
    assert "view_invoice" in said, "the message names what is missing"
    assert counted() == before

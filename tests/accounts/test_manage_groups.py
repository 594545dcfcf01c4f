"""Groups and policies are changed by services alone; nobody gives by them what they lack."""

import pytest

from accounts import access, queries
from accounts.models import Group, GroupMember, Policy, PolicyVersion
from accounts.services.groups import (
    add_member,
    create_group,
    create_read_only_access,
    delete_group,
    edit_group,
    remove_member,
)
from accounts.services.policies import create_policy, delete_policy, edit_policy
from keyadmin.activity.models import Event
from keyadmin.freshness.queries import current
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, DeniedError, InvalidError, NotFoundError, StaleError
from tests.world import OPERATOR, World


@pytest.fixture
def clerk(world: World) -> Actor:
    """The developer, who also manages groups and policies and may view customers: nothing more."""
    policy = create_policy(
        actor=OPERATOR,
        organization=world.acme,
        name="Clerks",
        patterns=["group.*", "policy.*", "user.view", "view_customer"],
    )
    group = create_group(actor=OPERATOR, organization=world.acme, name="Clerks", policies=[policy])
    add_member(actor=OPERATOR, group=group, user=world.developer)
    return world.actor(world.developer)


def rights_of_robot(world: World) -> frozenset[str]:
    return access.held_by(world.robot).rights_in(world.acme.pk).patterns


def test_a_policy_gives_and_takes_at_once(world: World) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Billing", patterns=["view_invoice"])
    group = create_group(actor=OPERATOR, organization=world.acme, name="Billing", policies=[policy])
    add_member(actor=OPERATOR, group=group, user=world.robot)
    assert "view_invoice" in rights_of_robot(world)
    before = current()
    edit_policy(actor=OPERATOR, policy=policy, changes={"patterns": ["view_customer"]})
    assert current() != before
    assert "view_invoice" not in rights_of_robot(world)
    assert "view_customer" in rights_of_robot(world)
    edit_group(actor=OPERATOR, group=group, changes={"policies": []})
    assert "view_customer" not in rights_of_robot(world)


def test_leaving_or_deleting_a_group_takes_its_rights(world: World) -> None:
    readers = queries.group_named(world.acme, "Readers")
    remove_member(actor=OPERATOR, group=readers, user=world.robot)
    assert rights_of_robot(world) == frozenset()
    count = Event.objects.count()
    remove_member(actor=OPERATOR, group=readers, user=world.robot)
    assert Event.objects.count() == count, "a second time nothing happens"
    add_member(actor=OPERATOR, group=readers, user=world.robot)
    delete_group(actor=OPERATOR, group=readers)
    assert rights_of_robot(world) == frozenset()
    assert not GroupMember.objects.filter(membership__user=world.robot).exists()
    with pytest.raises(NotFoundError):
        delete_group(actor=OPERATOR, group=readers)


def test_what_a_policy_gains_must_be_held(world: World, clerk: Actor) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="P", patterns=["view_invoice", "view_service"])
    edit_policy(actor=clerk, policy=policy, changes={"patterns": ["view_customer", "view_invoice"]})
    for pattern in ("*", "apikey.*", "view_transaction"):
        with pytest.raises(DeniedError, match="do not hold"):
            edit_policy(actor=clerk, policy=policy, changes={"patterns": ["view_customer", pattern]})
    policy.refresh_from_db()
    assert policy.patterns == ["view_customer", "view_invoice"], "what it had may stay, though the clerk lacks it"


def test_what_comes_into_a_group_must_be_held(world: World, clerk: Actor) -> None:
    strong = create_policy(actor=OPERATOR, organization=world.acme, name="Strong", patterns=["view_invoice"])
    weak = create_policy(actor=OPERATOR, organization=world.acme, name="Weak", patterns=["view_customer"])
    group = create_group(actor=OPERATOR, organization=world.acme, name="G", policies=[strong])
    edit_group(actor=clerk, group=group, changes={"policies": [strong, weak]})
    edit_group(actor=clerk, group=group, changes={"policies": [weak]})
    with pytest.raises(DeniedError, match="view_invoice"):
        edit_group(actor=clerk, group=group, changes={"policies": [strong, weak]})
    assert [policy.name for policy in group.policies.all()] == ["Weak"]


def test_what_is_given_is_read_anew(world: World, clerk: Actor) -> None:
    """An object read before somebody widened the policy gives nobody a way round the check."""
    stale = create_policy(actor=OPERATOR, organization=world.acme, name="P", patterns=["view_customer"])
    edit_policy(
        actor=OPERATOR, policy=Policy.objects.get(pk=stale.pk), changes={"patterns": ["view_customer", "view_invoice"]}
    )
    assert stale.patterns == ["view_customer"]
    with pytest.raises(DeniedError, match="view_invoice"):
        create_group(actor=clerk, organization=world.acme, name="Trick", policies=[stale])


def test_every_saved_state_of_a_policy_is_kept(world: World) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="P", patterns=["view_customer"])
    edit_policy(actor=OPERATOR, policy=policy, changes={"patterns": ["view_invoice"], "name": "Q"})
    edit_policy(actor=OPERATOR, policy=policy, changes={"patterns": ["view_invoice"]})
    kept = PolicyVersion.objects.filter(policy=policy).order_by("version")
    assert [(one.version, one.name, one.patterns) for one in kept] == [
        (1, "P", ["view_customer"]),
        (2, "Q", ["view_invoice"]),
    ]
    edit_policy(actor=OPERATOR, policy=policy, changes={"patterns": kept[0].patterns})
    assert PolicyVersion.objects.filter(policy=policy).count() == 3


def test_a_stale_edit_is_refused(world: World) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="P", patterns=[])
    edit_policy(actor=OPERATOR, policy=policy, changes={"name": "Q"}, expected_version=1)
    with pytest.raises(StaleError):
        edit_policy(actor=OPERATOR, policy=policy, changes={"name": "R"}, expected_version=1)
    group = queries.group_named(world.acme, "Readers")
    edit_group(actor=OPERATOR, group=group, changes={"name": "All readers"}, expected_version=1)
    with pytest.raises(StaleError):
        edit_group(actor=OPERATOR, group=group, changes={"name": "Others"}, expected_version=1)


def test_names_are_unique_in_an_organisation_whatever_their_letter_case(world: World) -> None:
    group = queries.group_named(world.acme, "Readers")
    with pytest.raises(ConflictError):
        edit_group(actor=OPERATOR, group=group, changes={"name": "AUDITORS"})
    edit_group(actor=OPERATOR, group=group, changes={"name": "READERS"})
    with pytest.raises(ConflictError):
        edit_policy(
            actor=OPERATOR,
            policy=Policy.objects.get(organization=world.acme, name="Readers"),
            changes={"name": "auditors"},
        )
    create_group(actor=OPERATOR, organization=world.globex, name="Only there")


def test_a_policy_that_a_group_has_is_not_deleted(world: World) -> None:
    policy = Policy.objects.get(organization=world.acme, name="Readers")
    with pytest.raises(ConflictError, match="Readers") as caught:
        delete_policy(actor=OPERATOR, policy=policy)
    assert caught.value.kind.code == "in_use"
    edit_group(actor=OPERATOR, group=queries.group_named(world.acme, "Readers"), changes={"policies": []})
    delete_policy(actor=OPERATOR, policy=policy)
    assert not Policy.objects.filter(pk=policy.pk).exists()


def test_read_only_access_in_one_step(world: World) -> None:
    group = create_read_only_access(
        actor=OPERATOR, user=world.robot, organization=world.acme, resources=["Customers", "Services"]
    )
    assert {"view_customer", "view_service"} <= rights_of_robot(world)
    assert "create_customer" not in rights_of_robot(world)
    again = create_read_only_access(actor=OPERATOR, user=world.robot, organization=world.acme, resources=["Customers"])
    assert again.name != group.name
    with pytest.raises(InvalidError, match="resource"):
        create_read_only_access(actor=OPERATOR, user=world.robot, organization=world.acme, resources=["Nothing"])


def test_read_only_access_is_made_whole_or_not_at_all(world: World, clerk: Actor) -> None:
    groups, policies = Group.objects.count(), Policy.objects.count()
    with pytest.raises(DeniedError, match="do not hold"):
        create_read_only_access(actor=clerk, user=world.robot, organization=world.acme, resources=["Services"])
    with pytest.raises(NotFoundError):
        create_read_only_access(actor=OPERATOR, user=world.stranger, organization=world.acme, resources=["Customers"])
    assert (Group.objects.count(), Policy.objects.count()) == (groups, policies)


def test_every_change_has_its_event_and_no_change_has_none(world: World) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="P", patterns=[])
    names = [event.name for event in Event.objects.filter(chain=world.acme.pk).order_by("-sequence")[:1]]
    assert names == ["policy.created"]
    count = Event.objects.count()
    edit_policy(actor=OPERATOR, policy=policy, changes={"name": "P", "patterns": []})
    assert Event.objects.count() == count
    edit_policy(actor=OPERATOR, policy=policy, changes={"description": "For the bill"})
    event = Event.objects.order_by("-pk")[0]
    assert event.name == "policy.updated"
    assert '"description":"For the bill"' in event.text


@pytest.mark.parametrize("name", ["auditor", "manager", "developer", "stranger"])
def test_who_lacks_the_right_changes_nothing(world: World, name: str) -> None:
    actor = world.actor(getattr(world, name))
    group = queries.group_named(world.acme, "Readers")
    policy = Policy.objects.get(organization=world.acme, name="Readers")
    error = NotFoundError if name == "stranger" else DeniedError
    for act in (
        lambda: create_policy(actor=actor, organization=world.acme, name="X", patterns=[]),
        lambda: edit_policy(actor=actor, policy=policy, changes={"name": "X"}),
        lambda: delete_policy(actor=actor, policy=policy),
        lambda: create_group(actor=actor, organization=world.acme, name="X"),
        lambda: edit_group(actor=actor, group=group, changes={"name": "X"}),
        lambda: delete_group(actor=actor, group=group),
        lambda: add_member(actor=actor, group=group, user=world.developer),
        lambda: remove_member(actor=actor, group=group, user=world.robot),
    ):
        with pytest.raises(error):
            act()

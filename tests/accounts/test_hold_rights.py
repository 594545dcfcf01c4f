"""The rights that people hold, and that nobody passes on what they lack."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import access, queries
from accounts.access import held_by
from accounts.models import GroupMember, Policy, User
from accounts.services.api_users import create_api_user
from accounts.services.catalogue import check_patterns, load_pack
from accounts.services.groups import add_member, create_group
from accounts.services.organizations import create_organization
from accounts.services.policies import create_policy
from keyadmin.activity.models import Event
from keyadmin.freshness.queries import current
from keyadmin.kernel import clock
from keyadmin.kernel.errors import ConflictError, DeniedError, InvalidError, NotFoundError
from tests.world import OPERATOR, World


def patterns(world: World, user: User) -> set[str]:
    return set(held_by(user).rights_in(world.acme.pk).patterns)


def test_rights_are_the_union_of_the_groups(world: World) -> None:
    assert patterns(world, world.developer) == {"apikey.own"}
    add_member(actor=OPERATOR, group=queries.group_named(world.acme, "auditors"), user=world.developer)
    assert {"apikey.own", "audit.view"} <= patterns(world, world.developer)


def test_rights_cost_one_query(world: World) -> None:
    with CaptureQueriesContext(connection) as captured:
        held_by(world.admin)
    assert len(captured) == 1


def test_an_instance_administrator_holds_everything_everywhere(world: World) -> None:
    held = held_by(world.admin)
    assert held.rights_in(world.globex.pk).allows("anything.at.all")
    assert held.allows("org.create")


def test_an_administrator_of_an_organisation_holds_nothing_elsewhere(world: World) -> None:
    held = held_by(world.stranger)
    assert held.rights_in(world.globex.pk).allows("apikey.ctrl")
    assert not held.reaches(world.acme.pk)
    assert not held.allows("org.create")


def test_a_suspended_organisation_gives_nothing(world: World) -> None:
    world.acme.suspended_at = clock.now()
    world.acme.save()
    assert patterns(world, world.manager) == set()


def test_a_policy_of_another_organisation_gives_nothing(world: World) -> None:
    """Services refuse it; if it stood in the table all the same, it would give nothing."""
    group = queries.group_named(world.acme, "Developers")
    group.policies.add(Policy.objects.get(organization=world.globex, name="Administrators"))
    assert patterns(world, world.developer) == {"apikey.own"}
    foreign = queries.group_named(world.globex, "Administrators")
    GroupMember.objects.create(group=foreign, membership=world.developer.memberships.get())
    assert patterns(world, world.developer) == {"apikey.own"}


def test_nobody_puts_a_user_into_a_group_that_gives_more_than_they_hold(world: World) -> None:
    ctrl = create_policy(actor=OPERATOR, organization=world.acme, name="Groups", patterns=["group.ctrl"])
    helpers = create_group(actor=OPERATOR, organization=world.acme, name="Helpers", policies=[ctrl])
    add_member(actor=OPERATOR, group=helpers, user=world.developer)
    actor = world.actor(world.developer)
    add_member(actor=actor, group=helpers, user=world.robot)
    for user in (world.robot, world.developer):
        with pytest.raises(DeniedError, match="do not hold"):
            add_member(actor=actor, group=queries.group_named(world.acme, "Administrators"), user=user)


def test_nobody_writes_a_policy_that_gives_more_than_they_hold(world: World) -> None:
    ctrl = create_policy(
        actor=OPERATOR, organization=world.acme, name="Policies", patterns=["policy.ctrl", "group.ctrl"]
    )
    add_member(
        actor=OPERATOR,
        group=create_group(actor=OPERATOR, organization=world.acme, name="Writers", policies=[ctrl]),
        user=world.developer,
    )
    actor = world.actor(world.developer)
    create_policy(actor=actor, organization=world.acme, name="Fine", patterns=["apikey.own", "group.ctrl"])
    for pattern in ("*", "apikey.*", "view_customer"):
        with pytest.raises(DeniedError, match="do not hold"):
            create_policy(actor=actor, organization=world.acme, name="Too much", patterns=[pattern])
    with pytest.raises(DeniedError, match="do not hold"):
        everything = Policy.objects.get(organization=world.acme, name="Administrators")
        create_group(actor=actor, organization=world.acme, name="Too much", policies=[everything])


def test_a_group_takes_no_policy_and_no_member_of_another_organisation(world: World) -> None:
    foreign = Policy.objects.get(organization=world.globex, name="Readers")
    with pytest.raises(NotFoundError):
        create_group(actor=OPERATOR, organization=world.acme, name="Mixed", policies=[foreign])
    with pytest.raises(NotFoundError):
        add_member(actor=OPERATOR, group=queries.group_named(world.acme, "Readers"), user=world.stranger)


def test_being_put_into_a_group_changes_the_epoch_once(world: World) -> None:
    group = queries.group_named(world.acme, "Readers")
    before = current()
    add_member(actor=OPERATOR, group=group, user=world.developer)
    after = current()
    add_member(actor=OPERATOR, group=group, user=world.developer)
    assert before != after == current()


def test_require_hides_what_is_out_of_reach_and_names_what_is_missing(world: World) -> None:
    with pytest.raises(NotFoundError):
        access.require(world.actor(world.stranger), "apikey.view", world.acme.pk)
    with pytest.raises(DeniedError) as denied:
        access.require(world.actor(world.auditor), "user.ctrl", world.acme.pk)
    assert denied.value.extra == {"missing_permission": "user.ctrl"}
    with pytest.raises(DeniedError, match="instance administrators"):
        access.require_instance(world.actor(world.stranger), "org.create")


@pytest.mark.parametrize("pattern", ["org.create", "setting.ctrl", "permission.ctrl", "sitekey.ctrl"])
def test_no_policy_names_an_instance_permission(world: World, pattern: str) -> None:
    with pytest.raises(InvalidError, match="whole instance"):
        create_policy(actor=OPERATOR, organization=world.acme, name="P", patterns=[pattern])


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("view_custmer", "Did you mean view_customer"),
        ("apikey.vew", "Did you mean apikey.view"),
        ("sensor.*", "no permission sensor"),
        ("Sensor", "is a name such as"),
        ("", "is a name such as"),
        ("setting.*", "no permission setting"),
        ("a" * 101, "is a name such as"),
    ],
)
def test_an_unknown_pattern_is_refused(world: World, pattern: str, said: str) -> None:
    with pytest.raises(InvalidError, match=said):
        check_patterns([pattern])


def test_patterns_come_back_sorted_without_repetitions(world: World) -> None:
    assert check_patterns(["view_service", "*", "apikey.*", "*"]) == ["*", "apikey.*", "view_service"]


def test_loading_a_pack_again_changes_nothing(world: World) -> None:
    events = Event.objects.count()
    assert load_pack(actor=OPERATOR, name="crm") == 0
    assert Event.objects.count() == events


def test_an_api_user_is_in_its_groups_and_can_not_sign_in(world: World) -> None:
    assert patterns(world, world.robot) >= {"apikey.view", "user.view"}
    assert not world.robot.check_password("")
    assert world.robot.email is None


def test_an_api_user_with_a_wrong_group_is_not_made(world: World) -> None:
    with pytest.raises(NotFoundError):
        create_api_user(
            actor=OPERATOR,
            organization=world.acme,
            name="Half",
            groups=[queries.group_named(world.globex, "Readers")],
        )
    assert not User.objects.filter(name="Half").exists()
    assert not Event.objects.filter(target_label="Half").exists()


def test_names_of_groups_policies_and_api_users_are_unique_in_their_organisation(world: World) -> None:
    with pytest.raises(ConflictError):
        create_group(actor=OPERATOR, organization=world.acme, name="readers")
    with pytest.raises(ConflictError):
        create_policy(actor=OPERATOR, organization=world.acme, name="READERS", patterns=[])
    with pytest.raises(ConflictError):
        create_api_user(actor=OPERATOR, organization=world.acme, name="robot")
    create_api_user(actor=OPERATOR, organization=world.globex, name="Robot")


def test_organisations_get_free_slugs_and_ready_groups(world: World) -> None:
    again = create_organization(actor=OPERATOR, name="Acme")
    assert again.slug == "acme-2"
    assert create_organization(actor=OPERATOR, name="株式会社").slug == "organisation"
    names = set(again.groups.values_list("name", flat=True))
    assert names == {"Administrators", "Key managers", "Auditors", "Developers", "Readers"}
    with pytest.raises(ConflictError):
        create_organization(actor=OPERATOR, name="Other", slug="acme")
    with pytest.raises(InvalidError):
        create_organization(actor=OPERATOR, name="Other", slug="Not A Slug")
    with pytest.raises(DeniedError):
        create_organization(actor=world.actor(world.stranger), name="Mine")

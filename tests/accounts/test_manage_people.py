"""Organisations, what they demand, their people and API users."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts import access, queries
from accounts.models import Invitation, KeyPolicy, Membership, User
from accounts.services.api_users import (
    create_api_user,
    delete_api_user,
    disable_api_user,
    edit_api_user,
    enable_api_user,
)
from accounts.services.groups import add_member, create_group
from accounts.services.invitations import accept_as, accept_as_new, invite, opened, withdraw
from accounts.services.organizations import (
    add_membership,
    create_organization,
    edit_key_policy,
    edit_organization,
    remove_membership,
    resume_organization,
    suspend_organization,
)
from accounts.services.people import disable_person, edit_own_profile, enable_person, set_instance_administrator
from accounts.services.policies import create_policy
from keyadmin.activity.models import Event
from keyadmin.freshness.queries import current
from keyadmin.kernel import clock
from keyadmin.kernel.errors import ConflictError, DeniedError, InvalidError, NotFoundError, StaleError
from tests.world import OPERATOR, World, person


def test_an_organisation_demands_nothing_at_first(world: World) -> None:
    policy = create_organization(actor=OPERATOR, name="Initech").key_policy
    assert (policy.longest_life_days, policy.never_expiring_allowed, policy.admin_keys_allowed) == (None, True, True)
    assert (policy.one_key_per_user, policy.shortest_imported_secret) == (False, 32)


def test_settings_change_with_their_event(world: World) -> None:
    edit_organization(
        actor=world.actor(world.admin),
        organization=world.acme,
        changes={"name": "Acme Ltd", "contact_email": "IT@x.org"},
    )
    world.acme.refresh_from_db()
    assert (world.acme.name, world.acme.contact_email, world.acme.version) == ("Acme Ltd", "it@x.org", 2)
    event = Event.objects.filter(chain=world.acme.pk).latest("sequence")
    assert event.name == "organization.updated"
    with pytest.raises(StaleError):
        edit_organization(actor=OPERATOR, organization=world.acme, changes={"name": "B"}, expected_version=1)
    for wrong in ({"contact_email": "nonsense"}, {"name": ""}, {"name": "a\0b"}):
        with pytest.raises(InvalidError):
            edit_organization(actor=OPERATOR, organization=world.acme, changes=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"longest_life_days": 0}, "longest_life_days"),
        ({"longest_life_days": 40000}, "longest_life_days"),
        ({"longest_life_days": 30, "default_life_days": 31}, "default_life_days"),
        ({"shortest_imported_secret": 15}, "shortest_imported_secret"),
        ({"shortest_imported_secret": 257}, "shortest_imported_secret"),
    ],
)
def test_a_key_policy_makes_sense(world: World, changes: dict[str, int], field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        edit_key_policy(actor=OPERATOR, organization=world.acme, changes=changes)  # type: ignore[arg-type]
    assert list(caught.value.errors) == [field]
    with pytest.raises(IntegrityError), transaction.atomic():
        KeyPolicy.objects.filter(pk=world.acme.pk).update(**changes)


def test_a_key_policy_is_changed_by_those_who_may(world: World) -> None:
    row = edit_key_policy(
        actor=OPERATOR, organization=world.acme, changes={"longest_life_days": 365, "one_key_per_user": True}
    )
    assert (row.longest_life_days, row.one_key_per_user, row.version) == (365, True, 2)
    for actor in (world.actor(world.manager), world.actor(world.auditor)):
        with pytest.raises(DeniedError, match=r"org\.ctrl"):
            edit_key_policy(actor=actor, organization=world.acme, changes={"longest_life_days": None})
    with pytest.raises(NotFoundError):
        edit_key_policy(actor=world.actor(world.stranger), organization=world.acme, changes={})


def test_a_suspended_organisation_is_out_of_reach_until_resumed(world: World) -> None:
    before = current()
    suspend_organization(actor=OPERATOR, organization=world.acme)
    assert current() != before
    assert not access.held_by(world.manager).reaches(world.acme.pk)
    count = Event.objects.count()
    suspend_organization(actor=OPERATOR, organization=world.acme)
    assert Event.objects.count() == count
    with pytest.raises(DeniedError, match="instance administrators"):
        resume_organization(actor=world.actor(world.stranger), organization=world.acme)
    resume_organization(actor=OPERATOR, organization=world.acme)
    assert access.held_by(world.manager).reaches(world.acme.pk)


def test_leaving_takes_the_groups_along(world: World) -> None:
    remove_membership(actor=world.actor(world.admin), organization=world.acme, user=world.manager)
    assert access.held_by(world.manager).rights == {}
    with pytest.raises(NotFoundError):
        remove_membership(actor=OPERATOR, organization=world.acme, user=world.manager)
    with pytest.raises(ConflictError, match="disable or delete"):
        remove_membership(actor=OPERATOR, organization=world.acme, user=world.robot)
    with pytest.raises(ConflictError, match="already"):
        add_membership(actor=OPERATOR, organization=world.acme, user=world.auditor)


def test_an_api_user_is_edited_disabled_enabled_and_deleted(world: World) -> None:
    robot = world.robot
    edit_api_user(actor=OPERATOR, organization=world.acme, user=robot, changes={"name": "Robot 2"}, expected_version=1)
    with pytest.raises(StaleError):
        edit_api_user(actor=OPERATOR, organization=world.acme, user=robot, changes={"name": "C"}, expected_version=1)
    create_api_user(actor=OPERATOR, organization=world.acme, name="Twin")
    with pytest.raises(ConflictError, match="name"):
        edit_api_user(actor=OPERATOR, organization=world.acme, user=robot, changes={"name": "TWIN"})
    with pytest.raises(NotFoundError):
        edit_api_user(actor=OPERATOR, organization=world.globex, user=robot, changes={"name": "C"})
    issued = world.user_key(robot)
    disable_api_user(actor=OPERATOR, organization=world.acme, user=robot)
    assert world.client(key=issued.secret).get("/api/v1/whoami").json()["code"] == "owner_disabled"
    enable_api_user(actor=OPERATOR, organization=world.acme, user=robot)
    assert world.client(key=issued.secret).get("/api/v1/whoami").status_code == 200
    with pytest.raises(ConflictError, match=r"API keys \(1\)"):
        delete_api_user(actor=OPERATOR, organization=world.acme, user=robot)
    issued.key.delete()
    delete_api_user(actor=OPERATOR, organization=world.acme, user=robot)
    assert not User.objects.filter(pk=robot.pk).exists()


def test_enabling_gives_back_and_so_needs_all_that_it_gives(world: World) -> None:
    helper = person("Helper", world.acme)
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Users", patterns=["user.ctrl"])
    group = create_group(actor=OPERATOR, organization=world.acme, name="Users", policies=[policy])
    add_member(actor=OPERATOR, group=group, user=helper)
    disable_api_user(actor=world.actor(helper), organization=world.acme, user=world.robot)
    with pytest.raises(DeniedError, match="do not hold"):
        enable_api_user(actor=world.actor(helper), organization=world.acme, user=world.robot)


def test_only_instance_administrators_shut_people_out(world: World) -> None:
    with pytest.raises(DeniedError):
        disable_person(actor=world.actor(world.stranger), user=world.manager)
    disable_person(actor=world.actor(world.admin), user=world.manager)
    world.manager.refresh_from_db()
    assert not world.manager.is_active
    enable_person(actor=world.actor(world.admin), user=world.manager)
    with pytest.raises(NotFoundError):
        disable_person(actor=OPERATOR, user=world.robot)


def test_the_last_administrator_stays(world: World) -> None:
    with pytest.raises(ConflictError) as caught:
        disable_person(actor=OPERATOR, user=world.admin)
    assert caught.value.kind.code == "last_administrator"
    with pytest.raises(ConflictError):
        set_instance_administrator(actor=OPERATOR, user=world.admin, wanted=False)
    set_instance_administrator(actor=world.actor(world.admin), user=world.manager, wanted=True)
    set_instance_administrator(actor=OPERATOR, user=world.admin, wanted=False)
    with pytest.raises(DeniedError):
        set_instance_administrator(actor=world.actor(world.auditor), user=world.auditor, wanted=True)


def test_a_profile_is_ones_own(world: World) -> None:
    edit_own_profile(actor=world.actor(world.auditor), name="Ari B.")
    world.auditor.refresh_from_db()
    assert world.auditor.name == "Ari B."
    with pytest.raises(NotFoundError):
        edit_own_profile(actor=OPERATOR, name="Nobody")


def test_an_invitation_opens_one_door_once(world: World) -> None:
    readers = queries.group_named(world.acme, "Readers")
    admin = world.actor(world.admin)
    invitation, token = invite(actor=admin, organization=world.acme, email="New@Example.org", groups=[readers])
    assert token not in Event.objects.latest("pk").text
    assert token not in str(Invitation.objects.values())
    user, _ = accept_as_new(token=token, name="New", encoded_password="!")
    assert user.email == "new@example.org"
    assert access.held_by(user).rights_in(world.acme.pk).allows("apikey.view")
    with pytest.raises(NotFoundError):
        accept_as_new(token=token, name="Again", encoded_password="!")
    with pytest.raises(ConflictError, match="already"):
        invite(actor=admin, organization=world.acme, email="new@example.org")
    assert [e.name for e in Event.objects.filter(chain=world.acme.pk).order_by("-sequence")[:2]] == [
        "invitation.accepted",
        "membership.created",
    ]
    assert invitation.expires_at - invitation.created_at == timedelta(days=7)


def test_a_person_who_exists_accepts_with_their_own_account_only(world: World) -> None:
    _, token = invite(actor=OPERATOR, organization=world.acme, email=world.stranger.email or "")
    with pytest.raises(ConflictError, match="sign in"):
        accept_as_new(token=token, name="Fake", encoded_password="!")
    with pytest.raises(NotFoundError, match="is for"):
        accept_as(user=world.auditor, token=token)
    accept_as(user=world.stranger, token=token)
    assert Membership.objects.filter(user=world.stranger, organization=world.acme).exists()


def test_invitations_run_out_are_replaced_and_withdrawn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, old = invite(actor=OPERATOR, organization=world.acme, email="a@example.org")
    second, new = invite(actor=OPERATOR, organization=world.acme, email="a@example.org")
    with pytest.raises(NotFoundError):
        opened(old)
    assert opened(new).pk == second.pk
    with pytest.raises(NotFoundError):
        withdraw(actor=OPERATOR, organization=world.acme, invitation_id=first.pk)
    with pytest.raises(NotFoundError):
        withdraw(actor=OPERATOR, organization=world.globex, invitation_id=second.pk)
    withdraw(actor=OPERATOR, organization=world.acme, invitation_id=second.pk)
    with pytest.raises(NotFoundError):
        opened(new)
    _, late = invite(actor=OPERATOR, organization=world.acme, email="b@example.org")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=7, seconds=1))
    with pytest.raises(NotFoundError):
        opened(late)


def test_nobody_invites_into_more_than_they_hold(world: World) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="H", patterns=["user.ctrl", "group.ctrl"])
    group = create_group(actor=OPERATOR, organization=world.acme, name="H", policies=[policy])
    add_member(actor=OPERATOR, group=group, user=world.developer)
    actor = world.actor(world.developer)
    invite(actor=actor, organization=world.acme, email="c@example.org", groups=[group])
    with pytest.raises(DeniedError, match="do not hold"):
        administrators = queries.group_named(world.acme, "Administrators")
        invite(actor=actor, organization=world.acme, email="d@example.org", groups=[administrators])
    with pytest.raises(NotFoundError):
        foreign = queries.group_named(world.globex, "Readers")
        invite(actor=OPERATOR, organization=world.acme, email="d@example.org", groups=[foreign])

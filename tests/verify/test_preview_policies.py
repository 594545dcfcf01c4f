"""What a preview foretells is what verification does afterwards."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from accounts import queries
from accounts.models import Group, Permission, Policy, User
from accounts.services.api_users import create_api_user
from accounts.services.groups import add_member, create_group, delete_group, edit_group, remove_member
from accounts.services.policies import create_policy, edit_policy
from keyadmin.kernel.errors import DeniedError, InvalidError, NotFoundError
from keyadmin.kernel.patterns import INSTANCE_PERMISSIONS
from keyadmin.keys.models import APIKey
from keyadmin.verify import lookup, preview
from keyadmin.verify.preview import Preview
from tests.world import OPERATOR, World

Seen = dict[int, frozenset[str]]


@dataclass
class Office:
    """Some groups with policies, API users in them, and keys of theirs, drawn by lot."""

    world: World
    dice: random.Random
    names: list[str]
    groups: list[Group]
    policies: list[Policy]
    users: list[User]
    keys: list[APIKey]

    def patterns(self) -> list[str]:
        wide = ["*", "apikey.*", "user.*", "audit.*", "policy.*"]
        chosen = self.dice.sample(self.names, self.dice.randint(0, 6))
        return chosen + (self.dice.sample(wide, 1) if self.dice.random() < 0.3 else [])

    def seen(self) -> Seen:
        """What each key may do now, by the facts that verification decides on."""
        oid = self.world.acme.pk
        found = {}
        for key in self.keys:
            held = lookup.facts_of(APIKey.objects.get(pk=key.pk)).held.rights_in(oid)
            found[key.pk] = frozenset(name for name in self.names if held.allows(name))
        return found


@pytest.fixture
def office(world: World) -> Office:
    dice = random.Random(4711)
    rows = Permission.objects.exclude(name__in=INSTANCE_PERMISSIONS)
    names = sorted(rows.values_list("name", flat=True))
    made = Office(world, dice, names, [], [], [], [])
    acme = world.acme
    for number in range(6):
        policy = create_policy(actor=OPERATOR, organization=acme, name=f"P{number}", patterns=made.patterns())
        made.policies.append(policy)
    for number in range(4):
        given = dice.sample(made.policies, 2)
        made.groups.append(create_group(actor=OPERATOR, organization=acme, name=f"G{number}", policies=given))
    for number in range(3):
        groups = dice.sample(made.groups, dice.randint(0, 3))
        made.users.append(create_api_user(actor=OPERATOR, organization=acme, name=f"U{number}", groups=groups))
    for user in made.users:
        made.keys.append(world.user_key(user).key)
        made.keys.append(world.user_key(user, made.patterns()).key)
    made.keys.append(world.key("*").key)
    return made


def compare(office: Office, foretold: Preview, act: Callable[[], object]) -> int:
    """Carry out what was previewed; returns how many keys it touched."""
    before = office.seen()
    act()
    after = office.seen()
    changed = {pk: (after[pk] - before[pk], before[pk] - after[pk]) for pk in before if before[pk] != after[pk]}
    said = {shift.key.pk: (frozenset(shift.gained), frozenset(shift.lost)) for shift in foretold.keys if shift.key}
    assert said == changed
    return len(changed)


def test_policies_do_what_their_previews_say(office: Office, soak: bool) -> None:
    touched, times = 0, 200 if soak else 40
    for _ in range(times):
        policy = office.dice.choice(office.policies)
        wanted = office.patterns()
        foretold = preview.of_policy(OPERATOR, policy, wanted)
        act = partial(edit_policy, actor=OPERATOR, policy=policy, changes={"patterns": wanted})
        touched += compare(office, foretold, act)
    assert touched > times / 2, "the lots must have mattered"


def test_groups_do_what_their_previews_say(office: Office, soak: bool) -> None:
    touched = 0
    for _ in range(20 if soak else 8):
        group, user = office.dice.choice(office.groups), office.dice.choice(office.users)
        given = office.dice.sample(office.policies, office.dice.randint(0, 3))
        act = partial(edit_group, actor=OPERATOR, group=group, changes={"policies": given})
        touched += compare(office, preview.of_group(OPERATOR, group, given), act)
        group.refresh_from_db()
        leave = partial(remove_member, actor=OPERATOR, group=group, user=user)
        touched += compare(office, preview.of_leaving(OPERATOR, group, user), leave)
        join = partial(add_member, actor=OPERATOR, group=group, user=user)
        touched += compare(office, preview.of_joining(OPERATOR, group, user), join)
    assert touched > 10
    group = max(office.groups, key=lambda group: group.members.count())
    compare(office, preview.of_group(OPERATOR, group, []), partial(delete_group, actor=OPERATOR, group=group))


def test_a_preview_is_for_those_who_may_look(world: World) -> None:
    policy = Policy.objects.get(organization=world.acme, name="Readers")
    group = queries.group_named(world.acme, "Readers")
    preview.of_policy(world.actor(world.auditor), policy, [])
    with pytest.raises(DeniedError, match=r"policy\.view"):
        preview.of_policy(world.actor(world.developer), policy, [])
    with pytest.raises(NotFoundError):
        preview.of_group(world.actor(world.stranger), group, [])
    with pytest.raises(InvalidError, match="no permission"):
        preview.of_policy(OPERATOR, policy, ["nonsense"])


def test_dead_keys_are_not_counted(world: World) -> None:
    policy = Policy.objects.get(organization=world.acme, name="Readers")
    key = world.user_key(world.robot).key
    assert len(preview.of_policy(OPERATOR, policy, []).keys) == 1
    APIKey.objects.filter(pk=key.pk).update(revoked_at=key.created_at, verifier="")
    assert len(preview.of_policy(OPERATOR, policy, []).keys) == 0

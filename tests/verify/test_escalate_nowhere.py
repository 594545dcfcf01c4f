"""Nobody gives what they do not hold, by whatever road, in random histories (R21).

The reference is one sentence: after an act, nobody holds more than before, but for what its actor held; and after a
refusal everybody holds what they held. It knows nothing of how services decide.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from accounts import access, identity
from accounts.models import Group, Membership, Organization, Policy, User
from accounts.services.api_users import create_api_user, disable_api_user, enable_api_user
from accounts.services.groups import (
    add_member,
    create_group,
    create_read_only_access,
    delete_group,
    edit_group,
    remove_member,
)
from accounts.services.invitations import accept_as, invite
from accounts.services.organizations import resume_organization, suspend_organization
from accounts.services.people import set_instance_administrator
from accounts.services.policies import create_policy, edit_policy
from keyadmin.kernel import clock
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ProblemError
from keyadmin.kernel.patterns import Rights
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.verify import lookup
from keyadmin.verify.decide import Ask, KeyFacts, decide
from keyadmin.verify.services import actor_of, verify
from tests.servers import DatabaseKind
from tests.world import OPERATOR, World

# Names that the histories play with; the last two stand for what the catalogue may hold one day.
NAMES = (
    *("apikey.view", "apikey.ctrl", "apikey.own", "user.view", "user.ctrl", "group.ctrl", "policy.ctrl"),
    *("org.ctrl", "org.create", "setting.ctrl", "view_customer", "view_invoice", "create_payment"),
    *("apikey.later", "something_later"),
)
PATTERNS = ("*", "apikey.*", "group.*", "policy.*", "user.*", *NAMES[:8], *NAMES[10:13])
MOSTLY = 45  # numbers above it mean the other organisation
ADDRESS = Ask(address="203.0.113.7")

Standing = dict[tuple[str, int, int], frozenset[str]]  # kind and id of who holds, organisation: what of NAMES

some_patterns = st.lists(st.sampled_from(PATTERNS), max_size=3)
several = st.lists(st.integers(0, 50), max_size=2)
one = st.integers(0, 50)


class Histories(RuleBasedStateMachine):
    """Several people and keys of two organisations act on each other's groups, policies, users and keys."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.secrets: list[str] = []
        self.standing: Standing = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        """Two clerks with much to manage and little to give, one in each role."""
        world = self.world
        for name, patterns in (
            ("Clerks", ["group.ctrl", "policy.ctrl", "user.ctrl", "user.view", "view_customer"]),
            ("Issuers", ["apikey.ctrl", "apikey.view", "group.ctrl", "view_invoice"]),
        ):
            policy = create_policy(actor=OPERATOR, organization=world.acme, name=name, patterns=patterns)
            group = create_group(actor=OPERATOR, organization=world.acme, name=name, policies=[policy])
            add_member(actor=OPERATOR, group=group, user=world.developer if name == "Clerks" else world.auditor)
        self.standing = self.now()

    # --- what everybody holds ---

    def now(self) -> Standing:
        organizations = list(Organization.objects.values_list("pk", flat=True))
        users = list(User.objects.all())
        grants = access.grants_of(user.pk for user in users)
        found: Standing = {}
        for user in users:
            held = access.held_from(user, grants)
            for oid in organizations:
                found["user", user.pk, oid] = _names(held.rights_in(oid)) if user.is_active else frozenset()
            found["user", user.pk, 0] = _names(held.instance) if user.is_active else frozenset()
        for key in APIKey.objects.select_related("owner", "organization"):
            facts = lookup.facts_of(key)
            works = decide(_matching(facts), ADDRESS, clock.now()).allowed
            for oid in organizations:
                found["key", key.pk, oid] = _names(facts.held.rights_in(oid)) if works else frozenset()
            found["key", key.pk, 0] = _names(facts.held.instance) if works else frozenset()
        return found

    def actor(self, number: int) -> Actor | None:
        """One of those who can act: people, and keys whose secret is known and still works."""
        people = list(User.objects.filter(kind="person", is_active=True).order_by("pk"))
        tempted = {self.world.developer.pk, self.world.auditor.pk}  # the clerks, twice as often
        people = [*(one for one in people if one.pk in tempted), *people]
        chosen = number % (len(people) + len(self.secrets))
        if chosen < len(people):
            return identity.person(people[chosen])
        verdict = verify(self.secrets[chosen - len(people)], ADDRESS)
        if not verdict.decision.allowed or verdict.facts is None:
            return None
        return actor_of(verdict.facts, ADDRESS)

    def act(self, number: int, deed: Callable[[Actor], Any]) -> None:
        """Let somebody do something, and compare."""
        actor = self.actor(number)
        if actor is None:
            return
        before = self.standing
        try:
            with transaction.atomic():
                deed(actor)
        except ProblemError:
            assert self.now() == before, "a refused act changed what somebody holds"
            return
        self.standing = self.now()
        for (kind, pk, oid), names in self.standing.items():
            held = actor.held.rights_in(oid) if oid else actor.held.instance
            gained = names - before.get((kind, pk, oid), frozenset())
            assert gained <= _names(held), f"{kind} {pk} gained {sorted(gained)} in {oid} from {actor.label}"

    def pick(self, model: Any, number: int, **where: Any) -> Any:
        rows = model.objects.filter(**where).order_by("pk")
        if model in (Group, Policy):
            home = self.world.globex if number > MOSTLY else self.world.acme
            rows = rows.filter(organization=home)
        found = list(rows)
        return found[number % len(found)] if found else None

    # --- what can be done ---

    @rule(who=one, patterns=some_patterns)
    def make_policy(self, who: int, patterns: list[str]) -> None:
        name = f"P{Policy.objects.count()}"
        self.act(who, lambda a: create_policy(actor=a, organization=self.world.acme, name=name, patterns=patterns))

    @rule(who=one, which=one, patterns=some_patterns)
    def change_policy(self, who: int, which: int, patterns: list[str]) -> None:
        policy = self.pick(Policy, which)
        self.act(who, lambda a: edit_policy(actor=a, policy=policy, changes={"patterns": patterns}))

    @rule(who=one, which=several)
    def make_group(self, who: int, which: list[int]) -> None:
        policies = [self.pick(Policy, number) for number in which]
        name = f"G{Group.objects.count()}"
        self.act(who, lambda a: create_group(actor=a, organization=self.world.acme, name=name, policies=policies))

    @rule(who=one, group=one, which=several)
    def change_group(self, who: int, group: int, which: list[int]) -> None:
        row, policies = self.pick(Group, group), [self.pick(Policy, number) for number in which]
        self.act(who, lambda a: edit_group(actor=a, group=row, changes={"policies": policies}))

    @rule(who=one, group=one)
    def drop_group(self, who: int, group: int) -> None:
        row = self.pick(Group, group)
        if row is not None:
            self.act(who, lambda a: delete_group(actor=a, group=row))

    @rule(who=one, group=one, user=one)
    def join(self, who: int, group: int, user: int) -> None:
        row, member = self.pick(Group, group), self.pick(User, user)
        if row is not None:
            self.act(who, lambda a: add_member(actor=a, group=row, user=member))

    @rule(who=one, group=one, user=one)
    def leave(self, who: int, group: int, user: int) -> None:
        row, member = self.pick(Group, group), self.pick(User, user)
        if row is not None:
            self.act(who, lambda a: remove_member(actor=a, group=row, user=member))

    @rule(who=one, groups=several)
    def make_api_user(self, who: int, groups: list[int]) -> None:
        rows = [row for number in groups if (row := self.pick(Group, number)) is not None]
        name = f"U{User.objects.count()}"
        self.act(who, lambda a: create_api_user(actor=a, organization=self.world.acme, name=name, groups=rows))

    @rule(who=one, user=one, resource=st.sampled_from(["Customers", "Invoices", "API keys"]))
    def read_only(self, who: int, user: int, resource: str) -> None:
        member = self.pick(User, user, kind="api")
        self.act(
            who,
            lambda a: create_read_only_access(actor=a, user=member, organization=self.world.acme, resources=[resource]),
        )

    @rule(who=one, user=one, on=st.booleans())
    def switch(self, who: int, user: int, on: bool) -> None:
        member, act = self.pick(User, user, kind="api"), enable_api_user if on else disable_api_user
        self.act(who, lambda a: act(actor=a, organization=self.world.acme, user=member))

    @rule(who=one, user=one)
    def crown(self, who: int, user: int) -> None:
        member = self.pick(User, user)
        self.act(who, lambda a: set_instance_administrator(actor=a, user=member, wanted=True))

    @rule(who=one, on=st.booleans())
    def suspend(self, who: int, on: bool) -> None:
        act = resume_organization if on else suspend_organization
        self.act(who, lambda a: act(actor=a, organization=self.world.acme))

    @rule(who=one, groups=several)
    def invite_stranger(self, who: int, groups: list[int]) -> None:
        rows = [row for number in groups if (row := self.pick(Group, number)) is not None]
        stranger = self.world.stranger
        if Membership.objects.filter(user=stranger, organization=self.world.acme).exists():
            return

        def deed(actor: Actor) -> None:
            _, token = invite(actor=actor, organization=self.world.acme, email=stranger.email or "", groups=rows)
            accept_as(user=stranger, token=token)

        self.act(who, deed)

    @rule(who=one, owner=one, kind=st.sampled_from(["organization", "user"]), patterns=st.none() | some_patterns)
    def make_key(self, who: int, owner: int, kind: str, patterns: list[str] | None) -> None:
        user = self.pick(User, owner) if kind == "user" else None
        home = self.world.acme if kind == "organization" else None

        def deed(actor: Actor) -> None:
            issued = services.create_key(
                actor=actor, name="K", kind=kind, organization=home, owner=user, permissions=patterns
            )
            self.secrets.append(issued.secret)

        self.act(who, deed)

    @rule(who=one, owner=one)
    def assign(self, who: int, owner: int) -> None:
        user = self.pick(User, owner)
        self.act(who, lambda a: self.secrets.append(services.assign_key(actor=a, owner=user).secret))

    @rule(who=one, key=one, patterns=st.none() | some_patterns)
    def change_key(self, who: int, key: int, patterns: list[str] | None) -> None:
        row = self.pick(APIKey, key)
        if row is not None:
            self.act(who, lambda a: services.edit_key(actor=a, key_id=row.pk, changes={"permissions": patterns}))

    @precondition(lambda self: len(self.secrets) > 0)
    @rule(who=one, key=one, deed=st.sampled_from(["pause", "resume", "regenerate", "revoke"]))
    def act_on_key(self, who: int, key: int, deed: str) -> None:
        row = self.pick(APIKey, key)
        if row is None:
            return

        def carry_out(actor: Actor) -> None:
            result = getattr(services, f"{deed}_key")(actor=actor, key_id=row.pk)
            if isinstance(result, services.Issued):
                self.secrets.append(result.secret)

        self.act(who, carry_out)

    @rule(who=one, key=one, on=st.booleans())
    def block(self, who: int, key: int, on: bool) -> None:
        row, act = self.pick(APIKey, key), services.block_key if on else services.unblock_key
        if row is not None:
            self.act(who, lambda a: act(actor=a, key_id=row.pk, organization=self.world.acme))


def _names(rights: Rights) -> frozenset[str]:
    return frozenset(name for name in NAMES if rights.allows(name))


def _matching(facts: KeyFacts) -> KeyFacts:
    return facts._replace(secret_matches=True)


@pytest.fixture
def histories(soak: bool, database_kind: DatabaseKind) -> settings:
    return settings(
        # The rules are the same on both databases: PostgreSQL gets fewer where time is short.
        max_examples=10_000 if soak else 70 if database_kind == "sqlite" else 20,
        stateful_step_count=15,
        deadline=None,
        database=None,
        derandomize=not soak,
        phases=list(Phase) if soak else [Phase.generate],  # shrinking takes minutes
        suppress_health_check=list(HealthCheck),
    )


def test_no_history_gives_anybody_more_than_its_actors_held(world: World, histories: settings) -> None:
    Histories.world = world
    run_state_machine_as_test(Histories, settings=histories)

"""A person's key is blocked by an organisation for itself: there it does nothing, elsewhere all that it did."""

import dataclasses
import json

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from accounts.queries import group_named
from accounts.services.groups import add_member
from accounts.services.organizations import add_membership, remove_membership
from keyadmin.activity.models import Event
from keyadmin.kernel.errors import DeniedError, InvalidError, NotFoundError, StaleError
from keyadmin.keys import queries, services
from keyadmin.keys.models import APIKey, KeyBlock
from keyadmin.keys.services import Issued
from keyadmin.verify.decide import Ask
from keyadmin.verify.outcome import Outcome
from keyadmin.verify.services import Verdict, verify
from tests.world import OPERATOR, World, person


@pytest.fixture
def bo(world: World) -> User:
    """Somebody who manages keys in acme and is a developer in globex."""
    user = person("Bo", world.acme, "Key managers")
    add_membership(actor=OPERATOR, organization=world.globex, user=user)
    add_member(actor=OPERATOR, group=group_named(world.globex, "Developers"), user=user)
    return user


@pytest.fixture
def issued(world: World, bo: User) -> Issued:
    return world.user_key(bo, name="Laptop")


def block(world: World, key: APIKey) -> None:
    services.block_key(actor=OPERATOR, key_id=key.pk, organization=world.acme)


def tried(issued: Issued, organization_id: int | None = None, *permissions: str) -> Verdict:
    return verify(issued.secret, Ask("203.0.113.7", organization_id=organization_id, permissions=permissions))


def test_it_does_nothing_there_and_elsewhere_what_it_did(world: World, issued: Issued) -> None:
    acme, globex = world.acme.pk, world.globex.pk
    assert tried(issued, acme).decision.allowed
    block(world, issued.key)
    assert tried(issued, acme).decision.outcome is Outcome.KEY_BLOCKED
    assert tried(issued, globex, "apikey.own").decision.allowed
    assert tried(issued).decision.allowed
    assert tried(issued, None, "apikey.ctrl").decision.outcome is Outcome.MISSING_PERMISSION, "held in acme alone"
    services.block_key(actor=OPERATOR, key_id=issued.key.pk, organization=world.globex)
    assert tried(issued).decision.outcome is Outcome.KEY_BLOCKED, "nothing is left that it could mean"
    for organization in (world.acme, world.globex):
        services.unblock_key(actor=OPERATOR, key_id=issued.key.pk, organization=organization)
    assert tried(issued, None, "apikey.ctrl").decision.allowed


def test_what_pages_and_filters_say_of_it_is_what_verification_does(world: World, issued: Issued) -> None:
    able = queries.able_to("apikey.ctrl", world.acme)
    assert APIKey.objects.filter(able).exists()
    assert queries.numbers_able_to(OPERATOR, world.acme, ["apikey.ctrl"]) == {"apikey.ctrl": 1}
    block(world, issued.key)
    facts = tried(issued).facts
    assert facts is not None
    for organization in (world.acme, world.globex):
        said = queries.effective(issued.key, organization)
        assert said == sorted(facts.held.rights_in(organization.pk).patterns)
    assert not APIKey.objects.filter(able).exists()
    assert queries.numbers_able_to(OPERATOR, world.acme, ["apikey.ctrl"]) == {"apikey.ctrl": 0}


def test_the_key_of_an_instance_administrator_is_blocked_there_alone(world: World) -> None:
    issued = world.user_key(world.admin)
    block(world, issued.key)
    assert tried(issued, world.acme.pk).decision.outcome is Outcome.KEY_BLOCKED
    assert tried(issued, world.globex.pk, "*").decision.allowed
    assert tried(issued, None, "org.create").decision.allowed
    facts = tried(issued).facts
    assert facts is not None
    assert not facts.held.reaches(world.acme.pk)
    assert facts.held.allowing("apikey.ctrl") == frozenset({world.globex.pk})


def test_repeating_it_changes_nothing_and_the_log_of_that_organisation_alone_tells_it(
    world: World, issued: Issued
) -> None:
    kim = dataclasses.replace(world.actor(world.manager), reason="seen in a repository")
    for service in (services.block_key, services.block_key, services.unblock_key, services.unblock_key):
        key = service(actor=kim, key_id=issued.key.pk, organization=world.acme)
        assert key.version == 1, "another organisation would learn of it"
    events = Event.objects.filter(name__in=["api_key.blocked", "api_key.unblocked"]).order_by("pk")
    assert [(event.name, event.chain) for event in events] == [
        ("api_key.blocked", world.acme.pk),
        ("api_key.unblocked", world.acme.pk),
    ]
    assert json.loads(events[0].text)["reason"] == "seen in a repository"


def test_only_who_manages_keys_there_blocks_and_nobody_in_another_organisation(world: World, issued: Issued) -> None:
    bo, pk = issued.key.owner, issued.key.pk
    assert bo is not None
    for user, error in (
        (world.auditor, DeniedError),
        (world.developer, NotFoundError),
        (world.stranger, NotFoundError),
    ):
        with pytest.raises(error):
            services.block_key(actor=world.actor(user), key_id=pk, organization=world.acme)
    with pytest.raises(DeniedError):  # of globex Bo is no manager, not even of their own key
        services.block_key(actor=world.actor(bo), key_id=pk, organization=world.globex)
    services.block_key(actor=world.actor(world.stranger), key_id=pk, organization=world.globex)
    assert not queries.blocks([issued.key], [world.acme.pk])
    with pytest.raises(NotFoundError):
        services.block_key(actor=OPERATOR, key_id=world.user_key(world.manager).key.pk, organization=world.globex)
    with pytest.raises(StaleError):
        services.block_key(actor=OPERATOR, key_id=pk, organization=world.acme, expected_version=9)


def test_only_a_persons_key_is_blocked(world: World) -> None:
    for issued in (world.key("view_customer"), world.user_key(world.robot)):
        with pytest.raises(InvalidError, match="Pause or revoke"):
            block(world, issued.key)
    assert not KeyBlock.objects.exists()


def test_unblocking_takes_all_that_the_key_gives_there_and_no_more(world: World, issued: Issued) -> None:
    kim = world.actor(world.manager)
    strong = world.user_key(world.admin).key
    for key in (strong, issued.key):
        services.block_key(actor=kim, key_id=key.pk, organization=world.acme)
    with pytest.raises(DeniedError):
        services.unblock_key(actor=kim, key_id=strong.pk, organization=world.acme)
    assert not kim.reaches(world.globex.pk)
    services.unblock_key(actor=kim, key_id=issued.key.pk, organization=world.acme)
    assert set(queries.blocks([strong, issued.key], [world.acme.pk])) == {(strong.pk, world.acme.pk)}


def test_who_acts_through_a_blocked_key_makes_no_other_that_works_there(world: World, issued: Issued) -> None:
    other = world.user_key(world.manager, name="Other")
    block(world, issued.key)
    key = world.client(key=issued.secret)
    sent = {"name": "Again", "kind": "user", "permissions": []}
    answer = key.post("/api/v1/api-keys?organization=globex", sent, content_type="application/json")
    assert answer.status_code == 201, "one that gives nothing"
    answer = key.post("/api/v1/api-keys?organization=globex", {**sent, "permissions": None}, "application/json")
    assert (answer.status_code, answer.json()["missing_permission"][:7]) == (403, "apikey.")
    assert key.get(f"/api/v1/api-keys/{other.key.pk}").status_code == 404


def test_a_block_outlasts_regeneration_and_the_persons_absence(world: World, issued: Issued) -> None:
    bo, pk = issued.key.owner, issued.key.pk
    assert bo is not None
    block(world, issued.key)
    issued = services.regenerate_key(actor=world.actor(bo), key_id=pk)
    assert tried(issued, world.acme.pk).decision.outcome is Outcome.KEY_BLOCKED
    remove_membership(actor=OPERATOR, organization=world.acme, user=bo)
    assert tried(issued, world.acme.pk).decision.outcome is Outcome.ORGANIZATION_NOT_REACHED
    assert tried(issued, None, "apikey.own").decision.allowed
    add_membership(actor=OPERATOR, organization=world.acme, user=bo)
    assert tried(issued, world.acme.pk).decision.outcome is Outcome.KEY_BLOCKED
    services.delete_key(actor=OPERATOR, key_id=pk)
    assert not KeyBlock.objects.exists()


def test_looking_a_key_up_takes_few_queries(
    world: World, issued: Issued, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Two of them, for the site key and the organisation of the key, are asked once in an epoch outside a transaction.
    for key, number in ((world.key("view_customer"), 3), (world.user_key(world.robot), 5), (issued, 6)):
        with django_assert_num_queries(number):
            tried(key)

"""Sixteen at once on one key: one winner, no lost update, one event for each acknowledged change (R7)."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connections

from accounts.models import User
from accounts.services.setup import load_first_packs, set_up
from keyadmin.activity import queries
from keyadmin.activity.models import Event
from keyadmin.instance import services as instance
from keyadmin.kernel import tokens
from keyadmin.kernel.errors import ProblemError, UnavailableError
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.keys.status import Status
from keyadmin.verify import lookup
from keyadmin.verify.decide import Ask
from keyadmin.verify.services import actor_of
from tests.world import OPERATOR, World

WRITERS = 16


@pytest.fixture
def rounds(soak: bool) -> int:
    return 1000 if soak else 4


def at_once(acts: list[Callable[[], object]]) -> Counter[str]:
    """Run all at the same moment, each in a thread with its own connection; counts "done" and error codes."""
    results: Counter[str] = Counter()
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            act()
            results["done"] += 1
        except ProblemError as error:
            results[error.kind.code] += 1
        except Exception as error:
            results[repr(error)] += 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_equal_regenerations_one_wins(lasting_world: World, rounds: int) -> None:
    for _ in range(rounds):
        key = lasting_world.key("view_customer").key
        regenerate = partial(services.regenerate_key, actor=OPERATOR, key_id=key.pk, expected_version=1)
        assert at_once([regenerate] * WRITERS) == {"done": 1, "stale": WRITERS - 1}
        assert APIKey.objects.get(pk=key.pk).version == 2
        assert Event.objects.filter(target_id=key.pk, name="api_key.regenerated").count() == 1


def test_revoke_beats_regenerate(lasting_world: World, rounds: int) -> None:
    for _ in range(rounds):
        pk = lasting_world.key("view_customer").key.pk
        acts: list[Callable[[], object]] = [
            *[partial(services.regenerate_key, actor=OPERATOR, key_id=pk)] * (WRITERS // 2),
            *[partial(services.revoke_key, actor=OPERATOR, key_id=pk)] * (WRITERS // 2),
        ]
        results = at_once(acts)
        assert set(results) <= {"done", "key_revoked"}, results
        assert APIKey.objects.get(pk=pk).status is Status.REVOKED
        assert Event.objects.filter(target_id=pk, name="api_key.revoked").count() == 1


def test_no_edit_is_lost(lasting_world: World, rounds: int) -> None:
    for _ in range(rounds):
        pk = lasting_world.key("view_customer").key.pk
        edits: list[Callable[[], object]] = [
            partial(services.edit_key, actor=OPERATOR, key_id=pk, changes={"description": f"Edit {n}"})
            for n in range(WRITERS)
        ]
        assert at_once(edits) == {"done": WRITERS}
        assert APIKey.objects.get(pk=pk).version == WRITERS + 1
        assert Event.objects.filter(target_id=pk, name="api_key.updated").count() == WRITERS
    assert queries.check(lasting_world.acme.pk).consistent


def test_one_set_up_wins(transactional_db: None) -> None:
    instance.bind_master_key("test")
    load_first_packs()
    token = instance.issue_setup_token()

    attempt = partial(set_up, actor=OPERATOR, name="A", organization="Org", password="a long enough one", token=token)
    assert at_once([partial(attempt, email=f"a{n}@example.org") for n in range(4)]) == {"done": 1, "already_set_up": 3}
    assert User.objects.count() == 1


def test_a_key_that_was_revoked_meanwhile_changes_nothing(world: World) -> None:
    """As when a revoke comes between the moment a request is let in and the moment it writes."""
    issued = world.key("*")
    other = world.key("view_customer").key
    token = tokens.parse(issued.secret)
    assert token is not None
    facts = lookup.find(token)
    assert facts is not None
    actor = actor_of(facts, Ask(address=""))
    services.revoke_key(actor=OPERATOR, key_id=issued.key.pk)
    acts: list[Callable[[], object]] = [
        partial(services.create_key, actor=actor, organization=world.acme, name="Too late"),
        partial(services.regenerate_key, actor=actor, key_id=other.pk),
        partial(services.edit_key, actor=actor, key_id=other.pk, changes={"name": "x"}),
        partial(services.delete_key, actor=actor, key_id=other.pk),
    ]
    for act in acts:
        with pytest.raises(UnavailableError):
            act()
    assert APIKey.objects.get(pk=other.pk).version == 1
    assert not APIKey.objects.filter(name="Too late").exists()


def test_a_key_that_was_blocked_meanwhile_changes_nothing(world: World) -> None:
    """Neither there nor elsewhere: the request is to be repeated, and then decided anew."""
    issued = world.user_key(world.manager)
    other = world.key("apikey.view").key
    token = tokens.parse(issued.secret)
    facts = lookup.find(token) if token else None
    assert facts is not None
    actor = actor_of(facts, Ask(address=""))
    services.block_key(actor=OPERATOR, key_id=issued.key.pk, organization=world.acme)
    for act in (services.pause_key, services.revoke_key, services.delete_key):
        with pytest.raises(UnavailableError):
            act(actor=actor, key_id=other.pk)
    assert APIKey.objects.get(pk=other.pk).version == 1


def test_of_equal_blocks_one_is_logged(lasting_world: World, rounds: int) -> None:
    for _ in range(rounds):
        pk = lasting_world.user_key(lasting_world.manager).key.pk
        block = partial(services.block_key, actor=OPERATOR, key_id=pk, organization=lasting_world.acme)
        assert at_once([block] * WRITERS) == {"done": WRITERS}
        assert Event.objects.filter(target_id=pk, name="api_key.blocked").count() == 1


def test_keys_that_act_on_each_other_do_not_deadlock(lasting_world: World, rounds: int) -> None:
    for _ in range(rounds):
        pair = [lasting_world.key("apikey.ctrl", "apikey.view") for _ in range(2)]
        actors = []
        for issued in pair:
            token = tokens.parse(issued.secret)
            facts = lookup.find(token) if token else None
            assert facts is not None
            actors.append(actor_of(facts, Ask(address="")))
        pks = [issued.key.pk for issued in pair]
        acts: list[Callable[[], object]] = [
            partial(services.revoke_key, actor=actors[0], key_id=pks[1]),
            partial(services.revoke_key, actor=actors[1], key_id=pks[0]),
        ]
        assert at_once(acts) == {"done": 1, "unavailable": 1}

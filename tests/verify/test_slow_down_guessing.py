"""Many wrong keys from one address: they get cheap, and nobody's valid key is refused for them (R12)."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from keyadmin.freshness.watch import watch
from keyadmin.kernel.errors import UnavailableError
from keyadmin.keys import services
from keyadmin.verify import fastpath, guesses, memory
from keyadmin.verify.decide import Ask
from keyadmin.verify.outcome import Outcome
from keyadmin.verify.services import Verdict, verify
from tests.verify.asking import answer, asked, settled
from tests.world import OPERATOR, World

HERE, ELSEWHERE = Ask("203.0.113.7"), Ask("198.51.100.1")
WRONG = services.mint().token.text


@pytest.fixture(autouse=True)
def fresh(lasting_world: World) -> Iterator[None]:
    watch.cache_clear()
    memory.forget()
    guesses.forget()
    yield
    guesses.forget()
    watch.cache_clear()


def guess(ask: Ask = HERE, times: int = 80) -> list[Verdict]:
    return [verify(services.mint().token.text, ask) for _ in range(times)]


def test_every_guess_is_answered_alike_however_many_there_are(lasting_world: World) -> None:
    outcomes = {verdict.decision.outcome for verdict in guess(times=200)}
    assert outcomes == {Outcome.UNKNOWN}
    bodies = {answer(asked(services.mint().token.text)).body for _ in range(100)}
    assert len(bodies) == 1


def test_a_guess_that_is_repeated_costs_the_database_nothing(lasting_world: World) -> None:
    guess()
    assert verify(WRONG, HERE).decision.outcome is Outcome.UNKNOWN
    with CaptureQueriesContext(connections["default"]) as queries:
        assert verify(WRONG, HERE).decision.outcome is Outcome.UNKNOWN
    assert len(queries) == 0
    with CaptureQueriesContext(connections["default"]) as queries:
        assert verify(WRONG, ELSEWHERE).decision.outcome is Outcome.UNKNOWN
    assert len(queries) > 0, "another address is looked up as ever"


def test_what_was_wrong_is_looked_up_again_once_anything_has_changed(lasting_world: World) -> None:
    given = "a-secret-made-elsewhere-" + "x1Y2z3" * 4
    guess()
    assert not verify(given, HERE).decision.allowed
    assert not verify(given, HERE).decision.allowed
    services.assign_key(actor=OPERATOR, owner=lasting_world.robot, secret=given)
    settled()
    assert verify(given, HERE).decision.allowed


def test_valid_keys_pass_from_that_address(lasting_world: World) -> None:
    known, cold = lasting_world.key("view_customer").secret, lasting_world.key("view_customer").secret
    assert verify(known, HERE).decision.allowed
    guess()
    assert guesses.are_many(HERE.address)
    assert verify(known, HERE).decision.allowed
    assert verify(cold, HERE).decision.allowed
    assert answer(asked(known)).status == answer(asked(cold)).status == 200


def test_valid_keys_count_no_failures(lasting_world: World) -> None:
    secret = lasting_world.key("view_customer").secret
    for _ in range(200):
        verify(secret, Ask(HERE.address, organization_id=-1))
        memory.forget()
    assert not guesses.are_many(HERE.address)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:db8::1", "2001:db8::ffff:0:0:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
    ],
)
def test_of_ipv6_the_first_64_bits_are_counted(one: str, other: str, together: bool) -> None:
    guess(Ask(one))
    assert guesses.are_many(one)
    assert guesses.are_many(other) is together


def test_guesses_wait_in_a_line_of_their_own(lasting_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While all places of the line are taken, others are looked up as ever, and who is known passes."""
    known, cold = lasting_world.key("view_customer").secret, lasting_world.key("view_customer").secret
    assert verify(known, HERE).decision.allowed
    guess()
    taken, leave = threading.Barrier(guesses.MOST_IN_LINE + 1), threading.Event()

    def stand() -> Any:
        with guesses._line:
            taken.wait(30)
            leave.wait(30)

    threads = [threading.Thread(target=stand) for _ in range(guesses.MOST_IN_LINE)]
    for thread in threads:
        thread.start()
    try:
        taken.wait(30)
        assert verify(known, HERE).decision.allowed
        assert verify(cold, ELSEWHERE).decision.allowed
        with pytest.raises(UnavailableError):
            verify(lasting_world.key("view_customer").secret, HERE)
        assert fastpath.looked_up(asked(WRONG)).status == 503, "nobody says that it is invalid"
    finally:
        leave.set()
        for thread in threads:
            thread.join()

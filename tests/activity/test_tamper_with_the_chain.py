"""Whatever is done to entries behind keyadmin's back is found, and the first bad one is named."""

from collections.abc import Callable

import pytest
from django.db.models import F

from keyadmin.activity import queries, work
from keyadmin.activity.events import EventName, Target
from keyadmin.activity.models import Chain, Event
from keyadmin.kernel.actor import SYSTEM

pytestmark = pytest.mark.django_db
CHAIN = 9


@pytest.fixture(autouse=True)
def entries() -> None:
    for number in range(1, 9):
        with work.unit(SYSTEM) as unit:
            unit.record(
                EventName.API_KEY_PAUSED,
                Target("api_key", number, f"Key {number}"),
                organizations=[CHAIN],
                after={"n": number, "name": "Größe ☂ \u202e"},
            )


def at(sequence: int) -> Event:
    return Event.objects.get(chain=CHAIN, sequence=sequence)


def test_an_untouched_chain_is_consistent() -> None:
    verdict = queries.check(CHAIN)
    assert verdict.consistent
    assert verdict.entries == 8


def test_an_empty_chain_is_consistent() -> None:
    assert queries.check(CHAIN + 1).consistent


def change_text() -> None:
    event = at(4)
    Event.objects.filter(pk=event.pk).update(text=event.text.replace("Key 4", "Key 5"))


def change_column() -> None:
    Event.objects.filter(pk=at(4).pk).update(target_label="Somebody else")


def change_time() -> None:
    event = at(4)
    Event.objects.filter(pk=event.pk).update(time=event.time.replace(year=2001))


def remove() -> None:
    Event.objects.filter(pk=at(4).pk).delete()


def remove_and_close_the_gap() -> None:
    remove()
    for sequence in range(5, 9):
        Event.objects.filter(chain=CHAIN, sequence=sequence).update(sequence=F("sequence") - 1)


def swap() -> None:
    Event.objects.filter(pk=at(4).pk).update(sequence=100)
    Event.objects.filter(pk=at(5).pk).update(sequence=4)
    Event.objects.filter(chain=CHAIN, sequence=100).update(sequence=5)


def insert() -> None:
    for sequence in range(8, 3, -1):
        Event.objects.filter(chain=CHAIN, sequence=sequence).update(sequence=F("sequence") + 1)
    forged = at(3)
    forged.pk, forged.sequence, forged.previous_hash = None, 4, "f" * 64
    forged.save(force_insert=True)


@pytest.mark.parametrize(
    "harm", [change_text, change_column, change_time, remove, remove_and_close_the_gap, swap, insert]
)
def test_harm_is_found_where_it_was_done(harm: Callable[[], None]) -> None:
    harm()
    verdict = queries.check(CHAIN)
    assert verdict.broken_at == 4
    assert verdict.problem


def test_truncation_is_found_by_the_head() -> None:
    Event.objects.filter(chain=CHAIN, sequence__gte=7).delete()
    assert queries.check(CHAIN).broken_at == 7


def test_a_head_that_was_set_back_is_found() -> None:
    Chain.objects.filter(pk=CHAIN).update(sequence=7)
    assert not queries.check(CHAIN).consistent

"""The unit of work: one transaction, its events and its epoch, all or nothing."""

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from keyadmin.activity import queries, work
from keyadmin.activity.events import EventName, Target
from keyadmin.activity.models import Event
from keyadmin.freshness.queries import current
from keyadmin.instance.models import Instance
from keyadmin.kernel.actor import SYSTEM
from keyadmin.kernel.errors import UnavailableError
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.activity.refusing import refuse_events
from tests.world import OPERATOR, World

pytestmark = pytest.mark.django_db
NAME = EventName.API_KEY_PAUSED
TARGET = Target("api_key", 7, "Test")


def test_events_take_the_next_place_of_each_chain() -> None:
    with work.unit(SYSTEM) as unit:
        unit.record(NAME, TARGET, organizations=[5, 3])
        unit.record(NAME, TARGET, organizations=[3])
        unit.record(NAME, TARGET)
    assert list(Event.objects.order_by("chain", "sequence").values_list("chain", "sequence")) == [
        (0, 1),
        (3, 1),
        (3, 2),
        (5, 1),
    ]
    assert all(queries.check(chain).consistent for chain in (0, 3, 5))


def test_an_error_leaves_neither_change_nor_event_nor_epoch() -> None:
    before = current()
    with pytest.raises(ZeroDivisionError), work.unit(SYSTEM) as unit:
        unit.record(NAME, TARGET)
        unit.changes_rights()
        raise ZeroDivisionError
    assert not Event.objects.exists()
    assert current() == before


def test_an_inner_unit_joins_the_outer_one() -> None:
    with pytest.raises(ZeroDivisionError), work.unit(SYSTEM):
        with work.unit(SYSTEM) as inner:
            inner.record(NAME, TARGET)
        raise ZeroDivisionError
    assert not Event.objects.exists()


def test_an_error_of_an_inner_unit_dooms_the_outer_one_even_if_it_is_caught() -> None:
    def swallow() -> None:
        try:
            with work.unit(SYSTEM) as inner:
                inner.record(NAME, TARGET)
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    with pytest.raises(transaction.TransactionManagementError), work.unit(SYSTEM):
        swallow()
        Instance.objects.exists()
    assert not Event.objects.exists()


def test_the_epoch_changes_once_and_last(world: World) -> None:
    key = world.key().key
    before = current()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        services.revoke_key(actor=OPERATOR, key_id=key.pk)
    writes = [q["sql"] for q in captured if q["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]
    assert "freshness_epoch" in writes[-1]
    assert sum("freshness_epoch" in sql for sql in writes) == 1
    assert current() != before


@pytest.mark.parametrize(
    "act",
    [
        lambda key: services.pause_key(actor=OPERATOR, key_id=key),
        lambda key: services.revoke_key(actor=OPERATOR, key_id=key),
        lambda key: services.delete_key(actor=OPERATOR, key_id=key),
        lambda key: services.regenerate_key(actor=OPERATOR, key_id=key),
        lambda key: services.edit_key(actor=OPERATOR, key_id=key, changes={"permissions": []}),
        lambda key: services.edit_key(actor=OPERATOR, key_id=key, changes={"allowed_networks": ["10.0.0.0/8"]}),
        lambda key: services.edit_key(actor=OPERATOR, key_id=key, changes={"name": "Quiet[segment]"}),
    ],
)
def test_whatever_takes_away_changes_the_epoch(world: World, act: Callable[[int], object]) -> None:
    key = world.key("view_customer").key
    before = current()
    act(key.pk)
    assert current() != before


def test_an_edit_of_the_description_leaves_the_epoch(world: World) -> None:
    key = world.key().key
    before = current()
    services.edit_key(actor=OPERATOR, key_id=key.pk, changes={"description": "Another one."})
    assert current() == before


def test_no_event_no_change_and_no_secret(world: World) -> None:
    """If the log can't be written, the change does not happen (security promise R3)."""
    key = world.key().key
    refuse_events()
    client = world.client(world.manager)
    answers = [
        client.post("/api/v1/api-keys", {"name": "Never"}, content_type="application/json"),
        client.post(f"/api/v1/api-keys/{key.pk}/revoke", content_type="application/json"),
        client.post(f"/api/v1/api-keys/{key.pk}/regenerate", content_type="application/json"),
        client.patch(f"/api/v1/api-keys/{key.pk}", {"name": "Other"}, content_type="application/json"),
        client.delete(f"/api/v1/api-keys/{key.pk}"),
    ]
    assert [answer.status_code for answer in answers] == [503] * 5
    assert all("api_key" not in answer.json() and answer["Retry-After"] for answer in answers)
    assert list(APIKey.objects.values_list("name", "version", "token_id")) == [(key.name, 1, key.token_id)]


def test_the_error_says_that_nothing_was_changed() -> None:
    refuse_events()
    with pytest.raises(UnavailableError, match="nothing was changed"), work.unit(SYSTEM) as unit:
        unit.record(NAME, TARGET)

"""One definition of status serves Python and SQL."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyadmin.keys.models import APIKey
from keyadmin.keys.status import FILTERS, Status, status_of, status_sql
from tests.world import World

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CREATED = NOW - timedelta(days=400)
moments = st.none() | st.sampled_from(
    [
        NOW + offset
        for offset in (
            timedelta(days=-1),
            timedelta(microseconds=-1),
            timedelta(0),
            timedelta(microseconds=1),
            timedelta(days=30),
            timedelta(days=30, microseconds=1),
            timedelta(days=31),
        )
    ]
)


def key(**moments: datetime | None) -> SimpleNamespace:
    fields = dict.fromkeys(("revoked_at", "expired_seen_at", "expires_at", "paused_at"))
    return SimpleNamespace(**{**fields, **moments})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, Status.ACTIVE),
        ({"expires_at": NOW + timedelta(days=31)}, Status.ACTIVE),
        ({"expires_at": NOW + timedelta(days=30)}, Status.EXPIRING_SOON),
        ({"expires_at": NOW + timedelta(seconds=1)}, Status.EXPIRING_SOON),
        ({"expires_at": NOW}, Status.EXPIRED),
        ({"expires_at": NOW + timedelta(days=9), "expired_seen_at": NOW - timedelta(days=1)}, Status.EXPIRED),
        ({"paused_at": NOW}, Status.PAUSED),
        ({"paused_at": NOW, "expires_at": NOW + timedelta(days=1)}, Status.PAUSED),
        ({"paused_at": NOW, "expires_at": NOW}, Status.EXPIRED),
        ({"paused_at": NOW, "expires_at": NOW, "revoked_at": NOW}, Status.REVOKED),
    ],
)
def test_precedence(fields: dict[str, datetime], status: Status) -> None:
    assert status_of(key(**fields), NOW) is status


# The test itself clears the table for each example.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.tuples(moments, moments, moments, moments), min_size=1, max_size=30))
def test_sql_agrees_with_python(world_of_keys: APIKey, rows: list[tuple[datetime | None, ...]]) -> None:
    APIKey.objects.exclude(pk=world_of_keys.pk).delete()
    for number, (revoked_at, expired_seen_at, expires_at, paused_at) in enumerate(rows):
        row = APIKey.objects.get(pk=world_of_keys.pk)
        row.pk, row.token_id = None, f"{number:012}"
        row.revoked_at, row.verifier = revoked_at, "" if revoked_at else "x"
        row.expires_at, row.paused_at = expires_at, paused_at
        row.expired_seen_at = expired_seen_at if expires_at else None
        row.save(force_insert=True)
    for found in APIKey.objects.annotate(status_now=status_sql(NOW)):
        assert found.status_now == status_of(found, NOW)


@pytest.fixture(name="world_of_keys")
def _world_of_keys(world: World) -> APIKey:
    issued = world.key().key
    APIKey.objects.filter(pk=issued.pk).update(created_at=CREATED)
    return issued


def test_active_includes_what_expires_soon() -> None:
    assert FILTERS["active"] == {Status.ACTIVE, Status.EXPIRING_SOON}
    assert FILTERS["all"] == set(Status)

"""The key list: what it shows to whom, filters and search."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, page
from tests.world import OPERATOR, World


def age(name: str, **moments: timedelta) -> None:
    APIKey.objects.filter(name=name).update(**{field: clock.now() + span for field, span in moments.items()})


@pytest.fixture
def five(world: World) -> World:
    """A key of each status."""
    for name in ("Fresh", "Ending", "Over", "Halted", "Stopped"):
        world.key(name=name, expires_at=clock.now() + timedelta(days=90))
    age("Ending", expires_at=timedelta(days=3))
    age("Over", created_at=timedelta(days=-9), expires_at=timedelta(days=-3))
    age("Halted", paused_at=timedelta(0))
    services.revoke_key(actor=OPERATOR, key_id=APIKey.objects.get(name="Stopped").pk)
    return world


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("", {"Fresh", "Ending", "Over", "Halted"}),
        ("not_revoked", {"Fresh", "Ending", "Over", "Halted"}),
        ("all", {"Fresh", "Ending", "Over", "Halted", "Stopped"}),
        ("active", {"Fresh", "Ending"}),
        ("expiring_soon", {"Ending"}),
        ("expired", {"Over"}),
        ("paused", {"Halted"}),
        ("revoked", {"Stopped"}),
    ],
)
def test_the_status_filter_chooses(five: World, status: str, shown: set[str]) -> None:
    text = page(five.client(five.manager), f"{KEYS}?status={status}")
    names = {name for name in ("Fresh", "Ending", "Over", "Halted", "Stopped") if f"<bdi>{name}</bdi></a>" in text}
    assert names == shown


def test_the_status_filter_reads_as_people_speak(world: World) -> None:
    text = page(world.client(world.manager), KEYS)
    labels = ["Not revoked", "All Keys", "Active Only", "Expiring Soon (next 30 days)", "Expired", "Paused", "Revoked"]
    places = [text.index(f">{label}</option>") for label in labels]
    assert places == sorted(places)
    assert text.count("Not revoked</option>") == 1


def test_the_cards_count_and_lead_to_their_lists(five: World) -> None:
    client = five.client(five.manager)
    for path in (KEYS, "/o/acme/"):
        text = " ".join(page(client, path).split())
        for label, number, status in (
            ("Total API Keys", 5, "all"),
            ("Active Keys", 2, "active"),
            ("Expiring Soon", 1, "expiring_soon"),
            ("Expired Keys", 1, "expired"),
        ):
            assert f'href="{KEYS}?status={status}"' in text
            assert f'{label}</span> <span class="ka-stat-value">{number}</span>' in text


def test_search_finds_names_descriptions_and_parts_of_keys(world: World) -> None:
    key = world.key(name="Billing sync", description="nightly export").key
    world.key(name="Other")
    client = world.client(world.manager)
    for term in ("billing", "NIGHTLY", key.token_id, key.token_id[2:8], key.tail, key.masked):
        text = page(client, f"{KEYS}?search={term}")
        assert "<bdi>Billing sync</bdi></a>" in text, term
        assert "<bdi>Other</bdi></a>" not in text, term
    text = page(client, f"{KEYS}?search=nothing-like-it")
    assert "No API keys match these filters." in text
    assert "Clear filters" in text


def test_a_whole_key_in_the_search_goes_from_the_address_and_is_not_repeated(world: World) -> None:
    secret = world.key().secret
    client = world.client(world.manager)
    response = client.get(KEYS, {"search": secret, "status": "all"})
    assert response.status_code == 302
    assert response["Location"] == KEYS
    text = page(client, KEYS)
    assert "looks like a complete API key" in text
    assert secret not in text


def test_sorting_keeps_keys_without_an_end_last(world: World) -> None:
    world.key(name="Never ends")
    for days in (5, 50):
        world.key(name=f"In {days}", expires_at=clock.now() + timedelta(days=days))
    client = world.client(world.manager)
    for sort, order in (("expiry_date", ["In 5", "In 50"]), ("-expiry_date", ["In 50", "In 5"])):
        text = page(client, f"{KEYS}?sort={sort}")
        places = [text.index(f"<bdi>{name}</bdi></a>") for name in [*order, "Never ends"]]
        assert places == sorted(places)
        assert text.count("aria-sort") == 1


def test_an_empty_list_offers_the_first_key(world: World) -> None:
    for path in (KEYS, "/o/acme/"):
        assert "Create your first API key" in page(world.client(world.manager), path)
        assert "Create your first API key" not in page(world.client(world.auditor), path)


def test_names_are_text(world: World) -> None:
    world.key(name='<b>"bold"</b> & \u0645\u0641\u062a\u0627\u062d')
    key = APIKey.objects.get()
    for path in (KEYS, f"{KEYS}{key.pk}/", f"{KEYS}{key.pk}/revoke/", f"{KEYS}{key.pk}/edit/", "/o/acme/activity/"):
        text = page(world.client(world.admin), path)
        assert "<b>" not in text
        assert "&lt;b&gt;&quot;bold&quot;&lt;/b&gt;" in text


def test_developers_find_only_their_own_keys(world: World) -> None:
    world.key(name="Of somebody")
    world.user_key(world.developer, name="Of the developer")
    text = page(world.client(world.developer), f"{KEYS}?status=all")
    assert "Of the developer" in text
    assert "Of somebody" not in text


def test_strangers_find_nothing(world: World) -> None:
    key = world.key().key
    client = world.client(world.stranger)
    for path in ("/o/acme/", KEYS, f"{KEYS}new/", f"{KEYS}{key.pk}/", "/o/acme/activity/", "/o/nobody/"):
        page(client, path, 404)
    page(client, f"/o/globex/keys/{key.pk}/", 404)


def test_more_rows_take_no_more_queries(world: World) -> None:
    client = world.client(world.manager)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            page(client, f"{KEYS}?page_size=50")
        return len(caught)

    for number in range(5):
        world.key(name=f"Key {number}")
    world.user_key(world.robot)
    few = queries()
    for number in range(5, 50):
        world.key(name=f"Key {number}")
    assert queries() == few

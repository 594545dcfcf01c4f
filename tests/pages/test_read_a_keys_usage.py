"""The usage on the page of a key: how often, what came of it, from where; for who may see it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from accounts.services.groups import create_group
from accounts.services.policies import create_policy
from keyadmin.keys.services import note_uses
from keyadmin.usage.services import recording
from keyadmin.usage.spool import Spool
from tests.pages.managing import KEYS, page
from tests.pages.reading import Page
from tests.usage.test_read_usage import used
from tests.world import OPERATOR, World, person


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool")
    monkeypatch.setattr(recording, "spool", made)
    yield made
    made.close()


def test_a_keys_page_shows_thirty_days_by_outcome_and_where_from(world: World) -> None:
    key = world.key("apikey.view").key
    used(key, 3, hours_ago=200, address="192.0.2.1")
    used(key, 2, outcome="key_expired", hours_ago=100)
    used(key, 2, address="192.0.2.2")
    text = Page(world.client(world.auditor).get(f"{KEYS}{key.pk}/")).text.split("Usage")[1]

    assert "7 requests in the last 30 days, 2 of them refused." in text
    assert "Allowed 5 Refused: expired 2" in text
    assert text.index("192.0.2.2") < text.index("192.0.2.1")
    html = page(world.client(world.auditor), f"{KEYS}{key.pk}/")
    assert html.count('<rect class="ka-bar-0"') == 2
    assert html.count('<rect class="ka-bar-1"') == 1
    assert "from <code>192.0.2.2</code>" in html


def person_with(world: World, permission: str) -> User:
    """Somebody in acme with this one permission."""
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="One", patterns=[permission])
    create_group(actor=OPERATOR, organization=world.acme, name="One", policies=[policy])
    return person("Lou", world.acme, "One")


def test_who_may_not_see_usage_sees_when_it_was_used_last_and_no_more(world: World) -> None:
    used_key, unused = world.key(name="Used").key, world.key(name="Unused").key
    used(used_key)
    note_uses()
    looker = world.client(person_with(world, "apikey.view"))
    text = Page(looker.get(f"{KEYS}{used_key.pk}/")).text
    assert "Last used" in text
    assert "just now" in text
    assert "192.0.2.7" not in text
    assert "in the last 30 days" not in text
    assert "Never As of a minute ago." in Page(looker.get(f"{KEYS}{unused.pk}/")).text


def test_the_list_shows_and_filters_by_last_use(world: World) -> None:
    used(world.key(name="Busy").key)
    world.key(name="Idle")
    note_uses()
    client = world.client(world.auditor)
    text = page(client, f"{KEYS}?sort=-last_used")
    assert text.index(">Busy<") < text.index(">Idle<")
    assert "Last used" in text
    never = page(client, f"{KEYS}?used=never")
    assert ">Idle<" in never
    assert ">Busy<" not in never

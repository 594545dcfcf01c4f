"""The overview: figures, what needs attention with an act that works, what comes, and the first steps."""

import re
from datetime import UTC, datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.services.groups import create_group
from accounts.services.policies import create_policy
from keyadmin.kernel import clock
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, page
from tests.pages.reading import Page
from tests.world import OPERATOR, World, person

OVERVIEW = "/o/acme/"


def put(name: str, **moments: timedelta) -> None:
    """Move moments of a key, counted from now."""
    APIKey.objects.filter(name=name).update(**{field: clock.now() + span for field, span in moments.items()})


@pytest.fixture
def needy(world: World) -> World:
    """One key for each reason, and some without any."""
    services.create_key(actor=OPERATOR, organization=world.acme, name="Unsaved", confirmed=False)
    world.key("*", name="Mighty")
    for name in ("Ending", "Ended", "Halted", "Fine", "Gone", "Long gone", "Just halted"):
        world.key("*", name=name, expires_at=clock.now() + timedelta(days=90))
    put("Ending", expires_at=timedelta(days=6))
    put("Ended", created_at=timedelta(days=-60), expires_at=timedelta(days=-3))
    put("Long gone", created_at=timedelta(days=-60), expires_at=timedelta(days=-31))
    put("Halted", paused_at=timedelta(days=-31))
    put("Just halted", paused_at=timedelta(days=-1))
    services.revoke_key(actor=OPERATOR, key_id=APIKey.objects.get(name="Gone").pk)
    return world


def attention(text: str) -> str:
    return text.split('id="attention"')[1].split("</section>")[0]


def test_what_needs_attention_comes_in_order_with_one_act_each(needy: World) -> None:
    text = attention(page(needy.client(needy.admin), OVERVIEW))
    found = re.findall(r"<bdi>([\w ]+)</bdi></a>.*?>(\w+)<span class=\"visually-hidden\"> \1", text, re.DOTALL)
    assert found == [
        ("Ending", "Extend"),
        ("Unsaved", "Regenerate"),
        ("Mighty", "Limit"),
        ("Ended", "Extend"),
        ("Halted", "Review"),
    ]


def test_every_act_that_is_offered_opens(needy: World) -> None:
    for who in (needy.admin, needy.manager):
        client = needy.client(who)
        for link in re.findall(r'href="([^"]+)"', attention(page(client, OVERVIEW))):
            page(client, link)


def test_only_acts_that_the_person_may_do_are_offered(needy: World) -> None:
    manager = attention(page(needy.client(needy.manager), OVERVIEW))
    assert manager.count(">Limit<") == 1, "who manages keys may take rights away"
    assert ">Extend<" not in manager, "but not prolong what they do not hold"
    auditor = attention(page(needy.client(needy.auditor), OVERVIEW))
    assert "Ending" in auditor
    for word in ("Extend", "Regenerate", "Limit", "Review"):
        assert f">{word}<" not in auditor


def test_nothing_to_do_is_said(world: World) -> None:
    world.key()
    assert "Nothing needs attention." in page(world.client(world.admin), OVERVIEW)


def test_each_week_of_the_timeline_leads_to_the_keys_that_it_counts(world: World) -> None:
    today = datetime.combine(clock.now().date(), time.min, UTC)
    for number, days in enumerate((0, 6, 7, 13, 30, 363, 364)):
        world.key(name=f"Key {number}", expires_at=today + timedelta(days=days, hours=23, minutes=59))
    services.revoke_key(actor=OPERATOR, key_id=APIKey.objects.get(name="Key 1").pk)
    client = world.client(world.manager)
    text = page(client, OVERVIEW)
    assert "5 keys expire within the next 52 weeks. Most at once: 2, in the week " in text
    rows = re.findall(r'<td><a href="([^"]+)">(\d+)<', text.split('id="expiries"')[1].split("</section>")[0])
    assert [int(number) for _, number in rows] == [1, 2, 1, 1]
    for link, number in rows:
        link = link.replace("&amp;", "&")
        assert {"expires_from", "expires_to"} <= set(parse_qs(urlsplit(link).query))
        assert f"{number} API key" in Page(client.get(link)).text


def test_the_overview_of_a_full_organisation_takes_few_queries(needy: World) -> None:
    client = needy.client(needy.admin)

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            page(client, OVERVIEW)
        return len(caught)

    for user in (needy.robot, needy.developer, needy.admin):
        needy.user_key(user, expires_at=clock.now() + timedelta(days=2))
    few = queries()
    for number in range(20):
        owner = person(f"Person {number}", needy.acme, "Readers")
        needy.user_key(owner, name=f"Of {number}", expires_at=clock.now() + timedelta(days=3))
    assert queries() <= few <= 12


def test_the_first_steps_begin_with_a_key(world: World) -> None:
    client = world.client(world.manager)
    text = page(client, OVERVIEW)
    assert "Create your first API key" in text
    assert "&lt;YOUR_API_KEY&gt;" in text
    world.key(name="First")
    text = page(client, OVERVIEW)
    assert 'class="ka-done"' in text
    assert "Create your first API key" not in text
    put("First", created_at=timedelta(days=-2))
    assert "Three steps" not in page(client, OVERVIEW)


def test_auditors_look_and_are_told_so(world: World) -> None:
    world.key()
    client = world.client(world.auditor)
    for path in (OVERVIEW, KEYS):
        text = page(client, path)
        assert "Read-only: you can look at keys, not change them." in text
        assert "Add API Key" not in text


def test_developers_read_of_their_own_keys(world: World) -> None:
    world.key(name="Of somebody")
    world.user_key(world.developer, name="Mine")
    client = world.client(world.developer)
    for path in (OVERVIEW, KEYS):
        text = page(client, path)
        assert "1 API key of your own in Acme" in text
        assert f'href="{KEYS}"' in text, "the rail leads to the list"
        assert "Of somebody" not in text


def test_a_member_without_any_right_is_told_who_can_help(world: World) -> None:
    client = world.client(person("Nob", world.acme))
    text = page(client, OVERVIEW, 403)
    assert "You have no rights in <bdi>Acme</bdi> yet" in text
    assert "Members of Administrators can grant it." in text
    assert 'aria-label="Main"' in text
    assert 'action="/sign-out/"' in text


def test_errors_stay_in_the_frame_and_lead_on(world: World) -> None:
    client = world.client(world.manager)
    for path, status in ((f"{KEYS}999/", 404), ("/o/acme/activity/", 403), ("/o/acme/nothing/", 404)):
        text = page(client, path, status)
        assert 'class="ka-app"' in text, path
        assert "Back to the overview" in text, path


def test_who_has_rights_but_may_see_no_keys_lands_on_a_page_that_says_so(world: World) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Desk", patterns=["group.ctrl"])
    create_group(actor=OPERATOR, organization=world.acme, name="Desk", policies=[policy])

    text = page(world.client(person("Gus", world.acme, "Desk")), OVERVIEW)

    assert "You may see no API keys here" in text
    assert "Members of Administrators can grant it." in text
    assert "Total API Keys" not in text

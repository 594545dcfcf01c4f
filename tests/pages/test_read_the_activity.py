"""The activity pages: who reads them, what an entry says, filters, cursor pages, and what they cost."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.services.groups import add_member, create_group
from accounts.services.people import create_person
from accounts.services.policies import create_policy
from keyadmin.activity import queries, work
from keyadmin.activity.events import EventName, Target
from keyadmin.activity.models import Event
from keyadmin.activity.views import PAGE_SIZE
from keyadmin.kernel import clock
from keyadmin.kernel.actor import SYSTEM
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from tests.pages.managing import page
from tests.pages.reading import Page
from tests.world import OPERATOR, PASSWORD, World

ACTIVITY = "/o/acme/activity/"
INSTANCE = "/instance/activity/"


@pytest.fixture
def ari(world: World) -> Client:
    return world.client(world.auditor)


def text(client: Client, path: str = ACTIVITY) -> str:
    return Page(client.get(path)).text


def names(client: Client, path: str) -> set[str]:
    """What the entries on a page are about."""
    return {entry.event.name for entry in client.get(path).context["entries"]}


def pause(world: World, name: str = "Billing sync", reason: str = "") -> APIKey:
    key = world.key("view_invoice", name=name).key
    actor = dataclasses.replace(world.actor(world.manager), reason=reason)
    return services.pause_key(actor=actor, key_id=key.pk)


def last(chain: int) -> Event:
    found = queries.chain_of(chain).last()
    assert found is not None
    return found


# --- what an entry says ------------------------------------------------------------------------------------------


def test_an_entry_says_what_who_when_why_and_from_where(world: World, ari: Client) -> None:
    pause(world, reason="It leaked")
    shown = text(ari)
    for words in ("Paused API key", "Billing sync", "Kim", "Person", "203.0.113.7", "req_test", "It leaked", " UTC"):
        assert words in shown


def test_a_change_made_through_a_key_names_the_key(world: World, ari: Client) -> None:
    issued = world.key("apikey.*", name="Automation")
    other = world.key(name="Other").key
    world.client(key=issued.secret).post(f"/api/v1/api-keys/{other.pk}/pause", content_type="application/json")
    assert f"Automation via key {issued.key.masked}" in text(ari)


def test_a_target_is_a_link_while_it_is_there(world: World, ari: Client) -> None:
    key = pause(world)
    link = f'<a href="/o/acme/keys/{key.pk}/"><bdi>Billing sync</bdi></a>'
    assert link in page(ari, ACTIVITY)

    services.delete_key(actor=OPERATOR, key_id=key.pk)
    after = page(ari, ACTIVITY)
    assert link not in after
    assert "<bdi>Billing sync</bdi> (deleted)" in after


def test_who_reads_the_log_alone_gets_no_links_and_no_refusal(world: World) -> None:
    policy = create_policy(actor=OPERATOR, organization=world.acme, name="Log", patterns=["audit.view"])
    group = create_group(actor=OPERATOR, organization=world.acme, name="Log", policies=[policy])
    common: dict[str, Any] = {"actor": OPERATOR, "organization": world.acme, "encoded_password": "!"}
    reader = create_person(**common, name="Lee", email="lee@example.org", groups=[group])
    key = pause(world)
    shown = page(world.client(reader), ACTIVITY)

    assert "<bdi>Billing sync</bdi>" in shown
    assert f"/o/acme/keys/{key.pk}/" not in shown
    assert "(deleted)" not in shown


def test_before_and_after_are_a_table(world: World, ari: Client) -> None:
    key = world.key("view_invoice", "view_customer", name="Sync").key
    changes: services.KeyChanges = {"permissions": ["view_invoice", "view_service"], "allowed_networks": ["10.0.0.0/8"]}
    services.edit_key(actor=OPERATOR, key_id=key.pk, changes=changes)
    shown = page(ari, f"{ACTIVITY}{last(world.acme.pk).sequence}/")

    for part in (
        "<del>view_customer</del>",
        "<ins>view_service</ins>",
        "1 unchanged",
        "<del>From anywhere</del>",
        "<ins>10.0.0.0/8</ins>",
    ):
        assert part in shown
    assert "<ins>view_invoice</ins>" not in shown


def test_names_are_escaped_wherever_they_stand(world: World, ari: Client) -> None:
    pause(world, name="<script>alert(1)</script>", reason="<b>why</b>")
    shown = page(ari, ACTIVITY)
    assert "<script>alert" not in shown
    assert "<b>why" not in shown


def test_no_entry_holds_a_secret(world: World, ari: Client) -> None:
    issued = world.key(name="Sync")
    services.regenerate_key(actor=OPERATOR, key_id=issued.key.pk)
    shown = page(ari, ACTIVITY)
    assert issued.secret[20:40] not in shown
    assert issued.key.verifier not in shown


# --- the page of one entry ----------------------------------------------------------------------------------------


def test_an_entry_leads_to_the_others_about_the_same_thing(world: World, ari: Client) -> None:
    key = pause(world)
    first, second = (event.sequence for event in reversed(queries.about("api_key", key.pk, world.acme.pk, 9)))
    pause(world, name="Between")
    services.resume_key(actor=OPERATOR, key_id=key.pk)
    third = last(world.acme.pk).sequence
    shown = page(ari, f"{ACTIVITY}{second}/")

    assert f'href="{ACTIVITY}{first}/" rel="prev"' in shown
    assert f'href="{ACTIVITY}{third}/" rel="next"' in shown
    assert 'rel="prev"' not in page(ari, f"{ACTIVITY}{first}/")


@pytest.mark.parametrize("sequence", ["0", "99999", "9" * 30])
def test_no_other_entry_exists(world: World, ari: Client, sequence: str) -> None:
    assert ari.get(f"{ACTIVITY}{sequence}/").status_code == 404


def test_entries_of_others_are_not_mixed_in(world: World, ari: Client) -> None:
    world.key(name="Of globex", organization=world.globex)
    assert "Of globex" not in text(ari)
    assert "Of globex" in text(world.client(world.stranger), "/o/globex/activity/")


# --- filters -------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy(world: World) -> Iterator[World]:
    """Some of everything: a hundred days ago, as old as the world itself, six days ago, and now."""
    start = clock.now()
    pause(world, name="Ancient")
    with clock.at(start + timedelta(days=94)):
        pause(world, name="Recent")
    with clock.at(start + timedelta(days=100)):
        pause(world, name="Fresh")
        Client().post("/sign-in/", {"login": "dev@example.org", "password": PASSWORD})
        add_member(actor=OPERATOR, group=world.acme.groups.get(name="Readers"), user=world.developer)
        yield world


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("action=api_key.paused", {"api_key.paused"}),
        ("action=api_keys", {"api_key.created", "api_key.paused"}),
        ("action=sign_ins", {"person.signed_in"}),
        ("show=sign_ins", {"person.signed_in"}),
        ("show=sign_ins&action=api_keys", set()),
        ("target=FRESH", {"api_key.created", "api_key.paused"}),
        ("actor=kim", {"api_key.paused"}),
        ("actor=dev", {"person.signed_in"}),
        ("actor_kind=person&show=changes", {"api_key.paused"}),
        ("target=zzz", set()),
        ("since=2001-01-01&until=2001-12-31", set()),
    ],
)
def test_filters_choose(busy: World, query: str, found: set[str]) -> None:
    assert names(busy.client(busy.auditor), f"{ACTIVITY}?{query}") == found


def test_changes_are_all_but_sign_ins(busy: World) -> None:
    everything = names(busy.client(busy.auditor), ACTIVITY)
    assert names(busy.client(busy.auditor), f"{ACTIVITY}?show=changes") == everything - {"person.signed_in"}


@pytest.mark.parametrize(
    ("query", "targets"),
    [
        ("period=today", {"Fresh"}),
        ("period=7", {"Fresh", "Recent"}),
        ("period=90", {"Fresh", "Recent"}),
        ("", {"Fresh", "Recent", "Ancient"}),
    ],
)
def test_periods_choose_by_day(busy: World, query: str, targets: set[str]) -> None:
    entries = busy.client(busy.auditor).get(f"{ACTIVITY}?{query}&action=api_key.paused").context["entries"]
    assert {entry.event.target_label for entry in entries} == targets


def test_days_are_taken_in_whole(busy: World) -> None:
    day = (clock.now() - timedelta(days=6)).date().isoformat()
    entries = (
        busy.client(busy.auditor).get(f"{ACTIVITY}?since={day}&until={day}&action=api_key.paused").context["entries"]
    )
    assert [entry.event.target_label for entry in entries] == ["Recent"]


def test_applied_filters_are_said_in_words(world: World, ari: Client) -> None:
    shown = text(ari, f"{ACTIVITY}?action=api_key.paused&period=30&actor_kind=key")
    for words in ("Action: Paused API key", "Time: Last 30 days", "Kind of actor: API key", "No activity matches."):
        assert words in shown


def test_a_filter_that_can_not_be_read_shows_nothing(world: World, ari: Client) -> None:
    response = ari.get(f"{ACTIVITY}?since=tomorrow")
    assert response.context["entries"] == []
    assert "could not be read" in Page(response).text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_of_the_calendar_are_days_too(world: World, ari: Client, day: str) -> None:
    assert ari.get(f"{ACTIVITY}?since={day}&until={day}").context["entries"] == []
    assert ari.get(f"{ACTIVITY}?since=0001-01-01&until=9999-12-31").context["entries"]


def test_a_whole_key_leaves_the_address(world: World, ari: Client) -> None:
    response = ari.get(ACTIVITY, {"target": world.key().secret})
    assert (response.status_code, response["Location"]) == (302, ACTIVITY)
    assert "looks like a complete API key" in text(ari)


def test_a_script_gets_the_results_alone(world: World, ari: Client) -> None:
    part = ari.get(f"{ACTIVITY}?target=zzz", headers={"HX-Request": "true", "HX-Target": "results"})
    assert "<html" not in part.content.decode()
    assert "No activity matches." in part.content.decode()
    assert "No activity matches." in part["HX-Trigger-After-Settle"]


def test_nothing_on_the_pages_changes_anything(world: World) -> None:
    client = world.client(world.admin)
    pause(world)
    for path in (ACTIVITY, f"{ACTIVITY}{last(world.acme.pk).sequence}/", INSTANCE):
        forms = [form for form in Page(client.get(path)).all("form") if form.get("method") == "post"]
        assert {form["action"] for form in forms} == {"/theme/", "/sign-out/", "/me/session/"}


# --- cursor pages --------------------------------------------------------------------------------------------------


def fill(chain: int, number: int) -> None:
    with work.unit(SYSTEM) as unit:
        for count in range(number):
            name = (EventName.API_KEY_PAUSED, EventName.API_KEY_RESUMED, EventName.PERSON_SIGNED_IN)[count % 3]
            unit.record(name, Target("api_key", count % 7, f"Key {count}"), organizations=[chain])


@pytest.mark.parametrize("query", ["", "action=api_keys", "show=changes", "period=7", "target=key"])
def test_pages_hold_each_entry_once(world: World, ari: Client, query: str) -> None:
    fill(world.acme.pk, 2 * PAGE_SIZE + 10)
    path, seen = f"{ACTIVITY}?{query}", []
    while path:
        response = ari.get(path)
        seen += [entry.event.sequence for entry in response.context["entries"]]
        path = response.context["older"] and f"{ACTIVITY}{response.context['older']}"

    assert seen == sorted(set(seen), reverse=True)
    whole, _ = queries.page_before(queries.chain_of(world.acme.pk), None, 1000)
    keep: dict[str, Callable[[Event], bool]] = {
        "action=api_keys": lambda event: event.name.startswith("api_key."),
        "show=changes": lambda event: not event.name.startswith("person.signed"),
        "target=key": lambda event: "key" in event.target_label.lower(),
    }
    assert seen == [event.sequence for event in whole if keep.get(query, bool)(event)]


def test_the_older_page_leads_back_to_the_newest(world: World, ari: Client) -> None:
    fill(world.acme.pk, PAGE_SIZE + 1)
    older = ari.get(ACTIVITY).context["older"]
    assert ari.get(f"{ACTIVITY}{older}").context["newest"] == "?"


@pytest.mark.parametrize("cursor", ["0", "-1", "x", "9" * 40, "٣"])
def test_a_cursor_out_of_the_blue_does_no_harm(world: World, ari: Client, cursor: str) -> None:
    assert ari.get(ACTIVITY, {"page": cursor}).status_code == 200


@pytest.mark.parametrize("query", ["", "action=api_keys&period=30", "show=sign_ins", "target=key&actor=key"])
def test_the_number_of_queries_does_not_grow(world: World, ari: Client, query: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ari.get(f"{ACTIVITY}?{query}").context["entries"]
        return len(captured)

    fill(world.acme.pk, 6)
    few = cost()
    fill(world.acme.pk, 3 * PAGE_SIZE)
    assert cost() == few <= 20


# --- the log of the instance ---------------------------------------------------------------------------------------


def test_an_instance_administrator_reads_the_log_of_the_instance(world: World) -> None:
    Client().post("/sign-in/", {"login": "dev@example.org", "password": PASSWORD})
    admin = world.client(world.admin)

    assert "Loaded permissions" in text(admin, INSTANCE)
    assert names(admin, f"{INSTANCE}?show=sign_ins") == {"person.signed_in"}
    assert INSTANCE in page(admin, ACTIVITY)
    assert INSTANCE not in page(world.client(world.auditor), ACTIVITY)
    assert "Signed in" in text(admin, f"{INSTANCE}{last(0).sequence}/")

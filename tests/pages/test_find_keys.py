"""The key list: what it shows to whom, filters and search."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import queries as accounts
from keyadmin.kernel import clock
from keyadmin.kernel.patterns import Rights
from keyadmin.keys import queries, services
from keyadmin.keys.models import APIKey
from tests.pages.managing import KEYS, page
from tests.pages.reading import Page
from tests.world import OPERATOR, World, person


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
    for term in ("billing", "NIGHTLY", str(key.token_id), str(key.token_id)[2:8], key.tail, key.masked):
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
        with CaptureQueriesContext(connection) as caught:
            page(client, f"{KEYS}?page_size=100")
        return len(caught)

    for number in range(5):
        world.key(name=f"Key {number}")
    world.user_key(world.robot)
    world.user_key(world.developer)
    few = queries()
    for number in range(5, 50):
        world.key(name=f"Key {number}")
    for number in range(20):
        owner = person(f"Person {number}", world.acme, "Readers")
        world.user_key(owner, name=f"Of {number}")
    APIKey.objects.update(paused_at=clock.now())
    assert queries() == few <= 12


def names(world: World, query: str, user: str = "admin") -> set[str]:
    """The names of the keys that the list shows."""
    text = page(world.client(getattr(world, user)), f"{KEYS}?{query}")
    return set(re.findall(r'id="key-\d+-name"><bdi>([^<]+)</bdi>', text))


@pytest.fixture
def various(world: World) -> World:
    """Keys that differ in what the further filters ask for."""
    world.key("view_customer", name="Reads[bulk]", allowed_networks=["10.0.0.0/8"])
    world.key("*", name="Mighty")
    world.key(name="Bare [ bulk ][x.y]", environment="test", expires_at=clock.parse_moment("2998-06-30"))
    services.create_key(
        actor=world.actor(world.admin),
        organization=world.acme,
        permissions=[],
        name="By Dana",
        expires_at=clock.parse_moment("2998-07-01T00:00:00Z"),
    )
    world.user_key(world.robot, name="Of the robot")
    world.user_key(world.robot, ["view_customer"], name="Of the robot, narrowed")
    world.user_key(world.admin, name="Of Dana")
    world.user_key(world.admin, ["view_customer"], name="Of Dana, narrowed")
    age("Mighty", created_at=timedelta(days=-40))
    return world


USERS_KEYS = {"Of the robot", "Of the robot, narrowed", "Of Dana", "Of Dana, narrowed"}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("kind=user", USERS_KEYS),
        ("owner={robot}", {"Of the robot", "Of the robot, narrowed"}),
        ("created_by=Dana", {"By Dana"}),
        ("can=view_customer", {"Reads[bulk]", "Mighty", "Of Dana", "Of Dana, narrowed"}),
        ("can=apikey.view", {"Mighty", "Of the robot", "Of Dana"}),
        ("admin=yes", {"Mighty"}),
        ("admin=no", {"Reads[bulk]", "Bare [ bulk ][x.y]", "By Dana", *USERS_KEYS}),
        ("restricted=yes", {"Reads[bulk]"}),
        ("flair=bulk", {"Reads[bulk]", "Bare [ bulk ][x.y]"}),
        ("flair=x.y", {"Bare [ bulk ][x.y]"}),
        ("flair=x-y", set()),
        ("flair=.*", set()),
        ("flair=bul", set()),
        ("environment=test", {"Bare [ bulk ][x.y]"}),
        ("expires_to=2998-06-30", {"Bare [ bulk ][x.y]"}),
        ("expires_from=2998-07-01&expires_to=9999-12-31", {"By Dana"}),
        ("created_to={yesterday}", {"Mighty"}),
        ("created_from={yesterday}&kind=organization", {"Reads[bulk]", "Bare [ bulk ][x.y]", "By Dana"}),
    ],
)
def test_further_filters_find_exactly(various: World, query: str, shown: set[str]) -> None:
    yesterday = clock.now().date() - timedelta(days=1)
    assert names(various, query.format(robot=various.robot.pk, yesterday=yesterday)) == shown


def test_the_permission_filter_agrees_with_what_each_key_may_do(various: World) -> None:
    various.key("apikey.*", name="Prefixed")
    various.user_key(various.admin, ["apikey.*", "org.view"], name="Prefixed, of Dana")
    various.user_key(various.stranger, name="Of a stranger")
    various.user_key(person("Root", various.acme, is_instance_admin=True), name="Of an administrator in no group")
    keys = list(queries.visible_keys(OPERATOR))
    for row in accounts.grantable_permissions():
        found = set(queries.visible_keys(OPERATOR).filter(queries.able_to(row.name, various.acme)))
        holds = {key for key in keys if Rights(frozenset(queries.effective(key, various.acme))).allows(row.name)}
        holds = {key for key in holds if key.organization_id in (None, various.acme.pk)}
        assert found == holds, row.name


def test_chips_say_filters_in_words_and_take_them_off(various: World) -> None:
    query = f"can=view_customer&owner={various.admin.pk}&expires_to=2998-06-30&restricted=no"
    text = page(various.client(various.admin), f"{KEYS}?{query}")
    chips = re.findall(r"Remove filter </span>([^:]+): <bdi>([^<]+)</bdi>", text)
    assert chips == [
        ("User", "Dana"),
        ("Can do now", "View customers (view_customer)"),
        ("Allowed from", "Anywhere"),
        ("Expires until", "30 Jun 2998"),
    ]


def test_a_filter_that_cannot_be_read_is_left_out_and_said_to_be(various: World) -> None:
    text = page(various.client(various.admin), f"{KEYS}?expires_from=soon&admin=yes&sort=nonsense")
    assert "<strong>Expires from:</strong> Enter a valid date. This filter was left out." in text
    assert "Admin key: <bdi>Admin keys</bdi>" in text
    assert names(various, "expires_from=soon&admin=yes") == {"Mighty"}


def test_choices_are_those_that_find_something(various: World) -> None:
    text = page(various.client(various.developer), KEYS)
    for name in ("Dana", "Robot"):
        assert f">{name}</option>" not in text
    assert ">Dana</option>" in page(various.client(various.admin), KEYS)


def test_the_list_says_what_its_default_leaves_out(five: World) -> None:
    client = five.client(five.manager)
    assert "1 revoked key is not shown. Show it" in Page(client.get(KEYS)).text
    assert names(five, "status=revoked") == {"Stopped"}
    assert "Revoked keys are not searched. Search them too" in Page(client.get(f"{KEYS}?search=Sto")).text
    assert names(five, "search=Sto&status=all") == {"Stopped"}
    assert "not shown" not in Page(client.get(f"{KEYS}?status=all")).text


def test_a_page_holds_as_many_rows_as_are_asked_for(world: World) -> None:
    for number in range(30):
        world.key(name=f"Key {number}")
    client = world.client(world.manager)
    assert "25 of 30 API keys" in page(client, KEYS)
    text = page(client, f"{KEYS}?page_size=50&sort=name")
    assert "30 of 30 API keys" in text
    assert 'href="?page_size=100&amp;sort=name"' in text


def test_a_key_that_one_has_just_made_is_marked_for_its_maker(world: World) -> None:
    services.create_key(actor=world.actor(world.manager), organization=world.acme, permissions=[], name="Mine")
    mark = '<span class="ka-tag">New</span>'
    assert page(world.client(world.manager), KEYS).count(mark) == 1
    assert mark not in page(world.client(world.admin), KEYS)
    age("Mine", created_at=timedelta(minutes=-3))
    assert mark not in page(world.client(world.manager), KEYS)


def test_pausing_stays_on_the_list(world: World) -> None:
    key = world.key().key
    client = world.client(world.admin)
    response = client.post(f"{KEYS}{key.pk}/pause/", {"next": f"{KEYS}?sort=name"})
    assert response["Location"] == f"{KEYS}?sort=name"
    headers = {"hx-request": "true", "hx-target": "results", "hx-current-url": f"http://testserver{KEYS}"}
    response = client.post(f"{KEYS}{key.pk}/resume/", headers=headers)
    assert response.status_code == 204
    events = json.loads(response["HX-Trigger"])
    assert events["announce"]["text"] == "Test key works again."
    assert "keys-changed" in events


@pytest.mark.parametrize("back", ["https://evil.example/o/acme/keys/", "//evil.example", "/o/globex/keys/", "", "x"])
def test_pausing_leads_nowhere_else(world: World, back: str) -> None:
    key = world.key().key
    response = world.client(world.admin).post(f"{KEYS}{key.pk}/pause/", {"next": back})
    assert response["Location"] in (KEYS, f"{KEYS}{key.pk}/")


def test_the_keys_of_one_user_say_whose_they_are_and_offer_one_more(various: World) -> None:
    robot, admin = various.robot, various.admin
    more = f"/o/acme/keys/new/?kind=user&amp;owner={robot.pk}"

    for headers in ({}, {"HX-Request": "true", "HX-Target": "results"}):
        found = various.client(various.manager).get(f"{KEYS}?owner={robot.pk}", headers=headers).content.decode()
        assert "API keys of <strong><bdi>Robot</bdi>" in found
        assert f'href="{more}"' in found
    assert "API keys of" not in page(various.client(various.manager), KEYS)
    # A person makes their own keys; an auditor makes none.
    assert "kind=user" not in page(various.client(various.manager), f"{KEYS}?owner={admin.pk}")
    assert "kind=user" not in page(various.client(various.auditor), f"{KEYS}?owner={robot.pk}")

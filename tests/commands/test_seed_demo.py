"""`seed_demo`: a believable organisation whose log is true, in a new database alone, and a password said once."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import Organization, User
from keyadmin.activity import queries as activity
from keyadmin.activity.events import INSTANCE, EventName
from keyadmin.activity.models import Event
from keyadmin.kernel import clock
from keyadmin.keys.models import APIKey
from keyadmin.system.demo import prepare, seed
from tests.commands.conftest import Run
from tests.rows import remembered
from tests.world import OPERATOR, World

pytestmark = pytest.mark.django_db
PASSWORD = re.compile(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){4}\b")


def quiet(done: int, total: int) -> None:
    """No progress bar."""


def make(progress: Callable[[int, int], None] = quiet) -> None:
    prepare()
    assert seed(actor=OPERATOR, progress=progress) is not None


@pytest.fixture
def demo() -> Organization:
    remembered("demo", make)
    return Organization.objects.get()


def test_all_that_it_says_can_be_used(run: Run) -> None:
    done = run("seed_demo")
    (password,) = PASSWORD.findall(done.out)
    people = re.findall(r"^  (\S+@westmarch\.example\.org) +([a-z ]+)$", done.out, re.MULTILINE)

    assert (done.code, done.err) == (0, ""), "no progress bar but on a terminal"
    assert [role for _, role in people] == [
        *("instance administrator", "organisation administrator", "key manager", "auditor", "developer")
    ]
    for email, _ in people:
        cache.clear()
        client = Client()
        assert client.post("/sign-in/", {"login": email, "password": password}).status_code == 302
        assert client.get("/", follow=True).status_code == 200
    assert password not in "".join(Event.objects.values_list("text", flat=True))


def test_a_second_time_does_nothing(demo: Organization, run: Run) -> None:
    before = Event.objects.count()
    done = run("seed_demo")
    assert (done.code, done.out) == (0, "The demo is there already; nothing was done.\n")
    assert json.loads(run("seed_demo", "--json").out) is None
    assert Event.objects.count() == before


def test_the_log_is_consistent_and_moves_forward_in_time(demo: Organization) -> None:
    for chain in (INSTANCE, demo.pk):
        verdict = activity.check(chain)
        assert verdict.consistent
        assert verdict.entries > 200
        story = activity.chain_of(chain).exclude(name=EventName.PERMISSIONS_LOADED)  # when the tables were made
        times = list(story.values_list("time", flat=True))
        assert times == sorted(times)
        assert times[-1] <= clock.now()
        assert timedelta(days=80) < clock.now() - times[0] < timedelta(days=100)


def test_each_thing_that_can_happen_to_a_key_happens(demo: Organization) -> None:
    found = set(activity.chain_of(demo.pk).values_list("name", flat=True))
    wanted = {name for name in EventName if name.startswith(("api_key.", "person.signed"))}
    wanted |= {EventName.API_USER_CREATED, EventName.GROUP_CREATED, EventName.GROUP_MEMBER_ADDED}
    assert wanted - {EventName.API_KEY_SECRET_CONFIRMED} <= found
    texts = [json.loads(text) for text in activity.chain_of(demo.pk).values_list("text", flat=True)]
    assert any(text["actor"]["kind"] == "key" for text in texts)
    assert sum(bool(text["reason"]) for text in texts) > 15
    hours = Counter(datetime.fromisoformat(text["time"]).hour for text in texts)
    assert hours[2], "some nights"
    assert sum(count for hour, count in hours.items() if 7 <= hour < 18) > 0.9 * len(texts)


def test_its_keys_are_of_every_kind_and_status(demo: Organization) -> None:
    keys = list(APIKey.objects.all())
    counts = Counter(key.status.value for key in keys)
    now = clock.now()

    assert 50 <= len(keys) <= 65
    assert counts["active"] > len(keys) / 2
    assert 5 <= counts["expiring_soon"] <= 7
    assert counts["expired"] >= 4
    assert counts["paused"] >= 2
    assert counts["revoked"] >= 4
    assert {key.kind for key in keys} == {"organization", "user"}
    assert {key.environment for key in keys} == {"live", "test"}
    assert any("bulk" in key.flairs for key in keys)
    assert any(key.allowed_networks for key in keys)
    assert [key.name for key in keys if key.permissions == ["*"] and key.expires_at is None] == ["Ops toolbox"]
    assert [key.name for key in keys if key.secret_confirmed_at is None] == ["Mobile beta"]
    (next_one,) = [key for key in keys if key.expires_at and timedelta() < key.expires_at - now < timedelta(days=4)]
    assert (next_one.expires_at.date() - now.date()).days == 3 if next_one.expires_at else False
    assert all(key.expired_seen_at for key in keys if key.status == "expired")
    assert all(key.description for key in keys)


def test_its_people_and_services_are_of_every_ready_group(demo: Organization) -> None:
    people, services = User.objects.filter(kind="person"), User.objects.filter(kind="api")
    assert (people.count(), services.count()) == (5, 8)
    assert people.get(is_instance_admin=True).name == "Dana Okafor"
    for group in ("Administrators", "Key managers", "Auditors", "Developers"):
        assert people.filter(memberships__groups__group__name=group).exists()
    assert not services.filter(memberships__groups=None).exists()


@pytest.mark.parametrize("at", ["2026-11-21T00:05:00+00:00", "2028-02-29T23:58:00+00:00"])
def test_it_can_be_made_at_any_moment(at: str) -> None:
    now = datetime.fromisoformat(at)
    with clock.at(now):
        make()
        counts = Counter(key.status.value for key in APIKey.objects.all())
    assert (counts["expiring_soon"], counts["expired"], counts["paused"]) == (6, 5, 3)
    assert max(Event.objects.values_list("time", flat=True)) <= now


def test_it_refuses_a_database_in_use(world: World, run: Run) -> None:
    before = Event.objects.count()
    done = run("seed_demo")
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r"keyadmin: The demo needs a new database[^\n]+\n", done.err)
    assert Event.objects.count() == before


def test_half_a_demo_is_none_and_a_whole_one_can_be_read_by_programs(run: Run) -> None:
    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 100:
            raise KeyboardInterrupt

    seen: list[tuple[int, int]] = []
    with pytest.raises(KeyboardInterrupt):
        make(stop)
    assert [done for done, _ in seen] == list(range(1, 101)), "it tells how far it is"
    assert not User.objects.exists()
    assert not Event.objects.filter(name=EventName.INSTANCE_SET_UP).exists()
    made = json.loads(run("seed_demo", "--json").out)
    assert set(made) == {"organization", "people", "password"}
    assert PASSWORD.fullmatch(made["password"])

"""A saved number of rounds reaches keys: new ones at once, those that exist at their next use, which still works."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from keyadmin.freshness.watch import watch
from keyadmin.keys import services
from keyadmin.keys.models import APIKey
from keyadmin.verify import memory
from keyadmin.verify.decide import Ask
from keyadmin.verify.services import verify
from tests.instance.saving import WEAK, give_by_environment, rounds_of, save
from tests.verify.asking import settled
from tests.world import OPERATOR, World

ASK = Ask("203.0.113.7")


@pytest.fixture(autouse=True)
def fresh(lasting_world: World) -> Iterator[None]:
    watch.cache_clear()
    memory.forget()
    yield
    watch().stop()
    watch.cache_clear()


def is_allowed(secret: str) -> bool:
    settled()
    return verify(secret, ASK).decision.allowed


def assign(world: World, secret: str = WEAK) -> APIKey:
    return services.assign_key(actor=OPERATOR, owner=world.robot, secret=secret).key


def renewed(key: APIKey, old: str, seconds: float = 20) -> str:
    """The verifier that another thread puts in place of the old one; fails if none comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = APIKey.objects.get(pk=key.pk).verifier
        if found != old:
            return found
        threading.Event().wait(0.02)
    raise AssertionError("never renewed")


def test_a_new_weak_secret_has_the_saved_number(lasting_world: World) -> None:
    assert rounds_of(assign(lasting_world)) == 30_000
    save(1_234)
    assert rounds_of(assign(lasting_world, f"{WEAK}-b")) == 1_234


def test_a_generated_secret_has_it_where_all_are_hashed_slowly(lasting_world: World, settings: Settings) -> None:
    assert lasting_world.key().key.verifier.startswith("$hmac-sha256$")
    save(1_234)
    settings.KEY_HASHER = type(settings.KEY_HASHER)(
        settings.KEY_HASHER._context.copy(default="pbkdf2_sha256"), scheme="pbkdf2_sha256", rounds=30_000
    )
    assert rounds_of(lasting_world.key().key) == 1_234


@pytest.mark.parametrize("used_before", [False, True])
def test_an_old_one_is_hashed_anew_at_its_next_use(lasting_world: World, used_before: bool) -> None:
    """Also in a process that knows already that the secret fits, and would not hash it for that."""
    key = assign(lasting_world)
    old = key.verifier
    if used_before:
        assert is_allowed(WEAK)
    save(1_234)
    assert rounds_of(key) == 30_000, "nobody knows the secret before it is used"

    assert is_allowed(WEAK)
    new = renewed(key, old)
    assert rounds_of(key) == 1_234
    for _ in range(2):
        memory.forget()
        assert is_allowed(WEAK)
    assert not is_allowed(f"{WEAK}-wrong")
    assert APIKey.objects.get(pk=key.pk).verifier == new, "once is enough"


def test_what_the_environment_says_is_asked_of_no_database(lasting_world: World, settings: Settings) -> None:
    key = assign(lasting_world)
    old = key.verifier
    give_by_environment(settings, 1_234)
    with CaptureQueriesContext(connections["default"]) as asked:
        assert is_allowed(WEAK)
    assert not [query for query in asked if "api_key_rounds_no" in query["sql"]]
    renewed(key, old)
    assert rounds_of(key) == 1_234


def test_a_generated_secret_costs_no_question_more(lasting_world: World) -> None:
    secret = lasting_world.key().secret
    settled()
    with CaptureQueriesContext(connections["default"]) as asked:
        assert is_allowed(secret)
    assert not [query for query in asked if "api_key_rounds_no" in query["sql"]]

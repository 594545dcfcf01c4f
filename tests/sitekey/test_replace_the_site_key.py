"""Making, entering and replacing the site key: what counts then, what is stored, what the log says."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connections, transaction

from keyadmin.activity.models import Event
from keyadmin.kernel import clock, tokens
from keyadmin.kernel.actor import Actor
from keyadmin.kernel.errors import ConflictError, DeniedError, InvalidError, NotFoundError, StaleError
from keyadmin.sitekey import queries, services
from keyadmin.sitekey.models import SiteKey
from keyadmin.verify import lookup
from keyadmin.verify.decide import Ask
from keyadmin.verify.services import actor_of
from tests.world import OPERATOR, World

STRONG, WEAK = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "correct-horse-battery-staple-2024"
NO_OVERLAP = timedelta()


def made(**options: Any) -> str:
    return services.replace_site_key(actor=OPERATOR, **options).secret


def accepted(secret: str) -> bool:
    """Whether one of the rows that count has this secret."""
    found = queries.state(OPERATOR)
    keys = [key for key in (found.current, found.retiring) if key is not None]
    return any(settings.KEY_HASHER.verify(secret, key.verifier) for key in keys)


def names() -> list[str]:
    return list(Event.objects.filter(name__startswith="site_key.").order_by("sequence").values_list("name", flat=True))


def test_a_site_key_is_told_from_an_api_key_by_its_look_and_stored_as_a_verifier(world: World) -> None:
    secret = made()
    token = tokens.parse(secret)
    assert token is not None
    assert token.prefix == "kasite"
    key = SiteKey.objects.get()
    assert key.masked == token.masked
    assert secret not in str(SiteKey.objects.values_list().get())
    assert accepted(secret)
    assert not accepted(secret[:-1])


def test_the_one_before_counts_for_the_overlap_and_no_longer(world: World) -> None:
    first, second = made(), made(overlap=timedelta(hours=1))
    assert accepted(first)
    assert accepted(second)
    third = made()
    assert [accepted(one) for one in (first, second, third)] == [False, True, True]
    SiteKey.objects.filter(state="retiring").update(ends_at=clock.now())
    assert [accepted(one) for one in (first, second, third)] == [False, False, True]


def test_without_an_overlap_the_one_before_is_dead(world: World) -> None:
    first, second = made(), made(overlap=NO_OVERLAP)
    assert [accepted(first), accepted(second)] == [False, True]
    assert queries.state(OPERATOR).retiring is None


def test_the_overlap_can_be_ended(world: World) -> None:
    first, second = made(), made()
    services.end_overlap(actor=OPERATOR)
    services.end_overlap(actor=OPERATOR)
    assert [accepted(first), accepted(second)] == [False, True]
    assert names() == ["site_key.created", "site_key.replaced", "site_key.overlap_ended"]


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=30, seconds=1)])
def test_an_overlap_has_bounds(world: World, overlap: timedelta) -> None:
    with pytest.raises(InvalidError) as refused:
        made(overlap=overlap)
    assert "overlap_seconds" in refused.value.errors


def test_one_made_elsewhere_can_be_entered(world: World) -> None:
    made(secret=STRONG)
    assert accepted(STRONG)
    key = SiteKey.objects.get()
    assert (key.masked, key.is_weak, key.token_id) == (f"...{STRONG[-4:]}", False, None)
    assert not settings.KEY_HASHER.is_slow(key.verifier)


def test_a_weak_one_is_hashed_slowly_and_shows_nothing_of_itself(world: World) -> None:
    made(secret=WEAK)
    key = SiteKey.objects.get()
    assert accepted(WEAK)
    assert (key.masked, key.is_weak) == ("...", True)
    assert settings.KEY_HASHER.is_slow(key.verifier)


@pytest.mark.parametrize("text", ["", "x" * 15, "x" * 257, f"{STRONG} ", f"{STRONG}\n", f"é{STRONG}"])
def test_what_is_no_secret_is_refused(world: World, text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        made(secret=text)
    assert list(refused.value.errors) == ["site_key"]
    assert not SiteKey.objects.exists()


def test_to_enter_the_same_again_changes_nothing(world: World) -> None:
    made(secret=STRONG)
    before = SiteKey.objects.values_list().get()
    made(secret=STRONG, overlap=NO_OVERLAP)
    assert SiteKey.objects.values_list().get() == before
    assert names() == ["site_key.created"]


def test_the_former_one_can_be_entered_again(world: World) -> None:
    made(secret=STRONG)
    other = made()
    made(secret=STRONG)
    assert accepted(STRONG)
    assert accepted(other)


def test_who_saw_another_site_key_replaces_none(world: World) -> None:
    first = made(replaces=0)
    with pytest.raises(StaleError):
        made(replaces=0)
    assert accepted(first)
    made(replaces=SiteKey.objects.get().pk)


def test_the_demand_stays_when_it_is_replaced(world: World) -> None:
    made()
    services.set_demand(actor=OPERATOR, demanded=True)
    for overlap in (timedelta(hours=1), NO_OVERLAP):
        made(overlap=overlap)
        assert queries.state(OPERATOR).source == "setting"
    services.set_demand(actor=OPERATOR, demanded=False)
    services.set_demand(actor=OPERATOR, demanded=False)
    assert not queries.state(OPERATOR).demanded
    assert names().count("site_key.demand_ended") == 1


def test_what_does_not_exist_can_not_be_demanded(world: World) -> None:
    with pytest.raises(ConflictError) as refused:
        services.set_demand(actor=OPERATOR, demanded=True)
    assert refused.value.kind.code == "no_site_key"


def test_what_is_demanded_can_not_be_revoked(world: World) -> None:
    made()
    made()
    services.set_demand(actor=OPERATOR, demanded=True)
    with pytest.raises(ConflictError) as refused:
        services.revoke_site_key(actor=OPERATOR)
    assert refused.value.kind.code == "in_use"
    services.set_demand(actor=OPERATOR, demanded=False)
    services.revoke_site_key(actor=OPERATOR)
    services.revoke_site_key(actor=OPERATOR)
    assert not SiteKey.objects.exists()
    assert names()[-1] == "site_key.revoked"
    assert names().count("site_key.revoked") == 1


def test_that_it_was_saved_is_noted_once(world: World) -> None:
    made(confirmed=False)
    key = SiteKey.objects.get()
    assert key.secret_confirmed_at is None
    for token_id in ("", "x" * 12):
        with pytest.raises(StaleError):
            services.confirm_secret(actor=OPERATOR, token_id=token_id)
    for _ in range(2):
        services.confirm_secret(actor=OPERATOR, token_id=key.token_id or "")
    assert SiteKey.objects.get().secret_confirmed_at
    assert names().count("site_key.secret_confirmed") == 1


def test_what_has_ended_is_forgotten_so_that_no_clock_brings_it_back(world: World) -> None:
    made()
    made()
    assert services.forget_ended() == 0
    SiteKey.objects.filter(state="retiring").update(ends_at=clock.now())
    assert services.forget_ended() == 1
    assert SiteKey.objects.get().state == "current"


def test_the_log_holds_no_secret(world: World) -> None:
    secrets = [made(), made(secret=STRONG) or STRONG, made(secret=WEAK) or WEAK, made()]
    services.end_overlap(actor=OPERATOR)
    written = str(list(Event.objects.filter(name__startswith="site_key.").values_list()))
    assert len(secrets) == 4
    assert not [one for one in secrets if one in written]
    verifiers = SiteKey.objects.values_list("verifier", flat=True)
    assert not [one for one in verifiers if one in written]


ACTS: dict[str, Callable[[Actor], object]] = {
    "replace": lambda actor: services.replace_site_key(actor=actor),
    "end overlap": lambda actor: services.end_overlap(actor=actor),
    "demand": lambda actor: services.set_demand(actor=actor, demanded=False),
    "revoke": lambda actor: services.revoke_site_key(actor=actor),
    "confirm": lambda actor: services.confirm_secret(actor=actor, token_id="x"),
    "look": queries.state,
}


@pytest.mark.parametrize("act", ACTS)
def test_it_needs_the_permission_of_the_instance(world: World, act: str) -> None:
    made()
    before = list(SiteKey.objects.values_list())
    for user in (world.manager, world.auditor, world.stranger):
        with pytest.raises(DeniedError):
            ACTS[act](world.actor(user))
    segment = lookup.facts_of(world.user_key(world.admin, name="x [segment]").key)
    with pytest.raises(NotFoundError):
        ACTS[act](actor_of(segment, Ask("203.0.113.7")))
    assert list(SiteKey.objects.values_list()) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "current"},  # a second one
        {"state": "retiring"},  # without an end
        {"state": "retiring", "ends_at": "now", "demanded": True},
        {"state": "retiring", "ends_at": "now", "verifier": ""},
        {"state": "retiring", "ends_at": "now", "token_id": "x", "prefix": ""},
    ],
)
def test_the_database_keeps_what_must_hold(world: World, wrong: dict[str, Any]) -> None:
    made()
    fields = {"verifier": "v", "created_at": clock.now(), "created_by_label": "x", **wrong}
    if "ends_at" in fields:
        fields["ends_at"] = clock.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        SiteKey.objects.create(**fields)


def test_of_sixteen_at_once_one_is_current_and_one_retires(lasting_world: World) -> None:
    barrier, secrets = threading.Barrier(16), list[str]()

    def run() -> None:
        try:
            barrier.wait()
            secrets.append(made())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(secrets) == 16
    assert sorted(SiteKey.objects.values_list("state", flat=True)) == ["current", "retiring"]
    assert sum(map(accepted, secrets)) == 2
    assert sorted(names()) == ["site_key.created"] + ["site_key.replaced"] * 15

"""A second key beside each key: who is refused without it, what is remembered of it, and for how long."""

import dataclasses
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from keyadmin.freshness.watch import watch
from keyadmin.kernel import clock, hashing
from keyadmin.keys import services as keys
from keyadmin.sitekey import services
from keyadmin.sitekey.models import SiteKey
from keyadmin.verify import fastpath, guesses, memory, secret
from keyadmin.verify.fastpath import Reply
from keyadmin.verify.outcome import Outcome
from tests.instance.saving import save
from tests.verify.asking import answer, asked, headers, settled
from tests.world import OPERATOR, World

STRONG, WEAK = "mX2vQ9~rT7kLb.4Zs8_Wd3Hn-Yc6Pf1Jg", "correct-horse-battery-staple-2024"
REQUIRED = (401, "site_key_required")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    for forget in (watch.cache_clear, memory.forget, guesses.forget):
        forget()
    yield
    for forget in (watch.cache_clear, memory.forget, guesses.forget):
        forget()


@pytest.fixture
def key(lasting_world: World) -> str:
    return lasting_world.key("view_customer").secret


def demanded(given: str | None = None) -> str:
    """A site key that is demanded from now on."""
    made = services.replace_site_key(actor=OPERATOR, secret=given).secret or given
    services.set_demand(actor=OPERATOR, demanded=True)
    assert made
    return made


def ask(key: str, site_key: str = "", query: str = "") -> Reply:
    return answer(asked(key, query)._replace(site_key=site_key))


def told(key: str, site_key: str = "", query: str = "") -> tuple[int, str]:
    """Status and code of the answer at `/verify`, which is the same from memory and from the database."""
    first, second = (ask(key, site_key, query) for _ in range(2))
    assert (first.status, first.outcome) == (second.status, second.outcome)
    return first.status, first.outcome


# --- the order ------------------------------------------------------------------------------------------------------


def test_where_none_is_demanded_none_is_looked_at(key: str) -> None:
    services.replace_site_key(actor=OPERATOR)
    assert told(key) == told(key, "nonsense") == (200, "allowed")
    with CaptureQueriesContext(connections["default"]) as queries:
        assert fastpath.from_memory(asked(key)) is not None
    assert len(queries) == 0


def test_where_one_is_demanded_it_must_come_and_be_right(key: str) -> None:
    site_key = demanded()
    for wrong in ("", "nonsense", site_key[:-1], f"{site_key},{site_key}", key, "x" * 5000, "é"):
        assert told(key, wrong) == REQUIRED
    assert told(key, site_key) == (200, "allowed")
    for wrong in ("", "nonsense"):
        assert told(key, wrong) == REQUIRED, "also beside one that is remembered"


def test_the_caller_is_told_because_the_key_is_theirs(key: str, lasting_world: World) -> None:
    demanded()
    reply = ask(key)
    assert json.loads(reply.body)["code"] == "site_key_required"
    assert (reply.reason, reply.subject.who) == (Outcome.SITE_KEY_REQUIRED, "Test key")
    assert reply.subject.organization_id == lasting_world.acme.pk
    found = headers(reply)
    assert found["www-authenticate"].startswith("ApiKey ")
    assert {found[f"x-auth-{name}"] for name in fastpath.FACTS} == {""}


def test_who_has_no_right_key_hears_nothing_of_it(key: str, lasting_world: World) -> None:
    site_key = demanded()
    revoked = lasting_world.key()
    keys.revoke_key(actor=OPERATOR, key_id=revoked.key.pk)
    for wrong in ("nonsense", key[:-1], revoked.secret):
        for beside in ("", "nonsense", site_key):
            assert told(wrong, beside) == (401, "invalid_key")
    assert told("", site_key) == (401, "missing_key")


def test_what_stands_before_it_is_told_first_and_what_stands_behind_later(lasting_world: World) -> None:
    site_key = demanded()
    paused = lasting_world.key("view_customer")
    keys.pause_key(actor=OPERATOR, key_id=paused.key.pk)
    assert told(paused.secret) == told(paused.secret, site_key) == (401, "key_paused")
    testing = lasting_world.key("view_customer", environment="test").secret
    assert told(testing, "", "environment=live") == REQUIRED
    assert told(testing, site_key, "environment=live") == (403, "wrong_environment")
    assert told(testing, "", "permission=view_invoice") == REQUIRED
    assert told(testing, site_key, "permission=view_invoice") == (403, "insufficient_scope")


def test_refusals_for_want_of_it_do_not_use_up_a_limit(lasting_world: World) -> None:
    site_key = demanded()
    limited = lasting_world.key("view_customer", rate_limit="2/hour").secret
    assert told(limited) == REQUIRED
    assert [ask(limited, site_key).status for _ in range(3)] == [200, 200, 429]


def test_before_there_is_one_nobody_passes_whom_the_variable_asks_for_it(key: str) -> None:
    with override_settings(ENV=dataclasses.replace(settings.ENV, require_site_key=True)):
        assert told(key) == told(key, "nonsense") == REQUIRED
        site_key = services.replace_site_key(actor=OPERATOR).secret
        assert told(key, site_key) == (200, "allowed")
        assert told(key) == REQUIRED


def test_rest_asks_for_it_too_and_pages_do_not(lasting_world: World) -> None:
    secret = lasting_world.key("apikey.view").secret
    site_key = demanded()
    client = lasting_world.client(key=secret)
    for sent, status in (({}, 401), ({"X-SITE-KEY": "nonsense"}, 401), ({"X-SITE-KEY": f" {site_key} "}, 200)):
        for path in ("/api/v1/whoami", "/api/v1/api-keys", "/crm/api-keys"):
            settled()
            response = client.get(path, headers=sent)
            assert response.status_code == status
            assert status == 200 or response.json()["code"] == "site_key_required"
    person = lasting_world.client(lasting_world.admin)
    assert person.get("/api/v1/api-keys").status_code == person.get("/o/acme/keys/").status_code == 200


def test_rest_asks_for_it_within_a_transaction_too(world: World) -> None:
    client = world.client(key=world.key("apikey.view").secret)
    site_key = demanded()
    assert client.get("/api/v1/whoami").status_code == 401
    assert client.get("/api/v1/whoami", headers={"X-SITE-KEY": "nonsense"}).status_code == 401
    assert client.get("/api/v1/whoami", headers={"X-SITE-KEY": site_key}).status_code == 200


# --- memory ---------------------------------------------------------------------------------------------------------


def test_a_second_request_asks_the_database_nothing(key: str) -> None:
    site_key = demanded()
    assert ask(key, site_key).status == 200
    with CaptureQueriesContext(connections["default"]) as queries:
        reply = fastpath.from_memory(asked(key)._replace(site_key=site_key))
    assert reply is not None
    assert reply.status == 200
    assert len(queries) == 0
    assert fastpath.from_memory(asked(key)) is None


def test_a_slow_hash_is_computed_once_for_a_right_one_and_for_a_wrong_one(
    lasting_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (lasting_world.key("view_customer").secret for _ in range(2))
    demanded(WEAK)
    computed = list[str]()
    verify = hashing.KeyHasher.verify

    def counted(self: hashing.KeyHasher, presented: str, stored: str) -> bool:
        if self.is_slow(stored):
            computed.append(presented)
        return verify(self, presented, stored)

    monkeypatch.setattr(hashing.KeyHasher, "verify", counted)
    for _ in range(3):
        for key in (first, second):
            assert ask(key, WEAK).status == 200
            assert ask(key, WEAK[:-1]).status == 401
    assert sorted(computed) == [WEAK[:-1], WEAK]


def test_a_key_that_is_wrong_has_no_slow_hash_computed(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    demanded(WEAK)
    monkeypatch.setattr(secret, "is_site_key", lambda *given: pytest.fail("compared"))
    assert told("nonsense", WEAK) == told(key[:-1], WEAK) == (401, "invalid_key")


def test_another_hash_is_stored_once_the_settings_have_changed(key: str) -> None:
    demanded(WEAK)
    before = SiteKey.objects.get().verifier
    save(settings.ENV.rounds + 1)
    assert ask(key, WEAK).status == 200
    for _ in range(200):
        if SiteKey.objects.get().verifier != before:
            break
        threading.Event().wait(0.05)
    assert f"${settings.ENV.rounds + 1}$" in SiteKey.objects.get().verifier
    assert told(key, WEAK) == (200, "allowed")
    memory.forget()
    assert told(key, WEAK) == (200, "allowed")


# --- what is changed counts at once ---------------------------------------------------------------------------------


def test_a_demand_counts_at_once_and_so_does_its_end(key: str) -> None:
    services.replace_site_key(actor=OPERATOR)
    assert told(key) == (200, "allowed")
    services.set_demand(actor=OPERATOR, demanded=True)
    assert told(key) == REQUIRED
    services.set_demand(actor=OPERATOR, demanded=False)
    assert told(key) == (200, "allowed")


def test_one_that_is_made_counts_at_once_though_it_was_wrong_before(key: str) -> None:
    first = demanded()
    assert told(key, STRONG) == REQUIRED
    services.replace_site_key(actor=OPERATOR, secret=STRONG)
    assert told(key, STRONG) == told(key, first) == (200, "allowed")


@pytest.mark.parametrize("way", ["no overlap", "overlap ended", "second replacement"])
def test_one_that_is_replaced_is_refused_at_once(key: str, way: str) -> None:
    first = demanded()
    if way == "overlap ended":
        services.replace_site_key(actor=OPERATOR)
    assert told(key, first) == (200, "allowed")
    if way == "no overlap":
        services.replace_site_key(actor=OPERATOR, overlap=timedelta())
    elif way == "overlap ended":
        services.end_overlap(actor=OPERATOR)
    else:
        for _ in range(2):
            services.replace_site_key(actor=OPERATOR)
    assert told(key, first) == REQUIRED


def test_the_overlap_ends_by_the_clock_with_nobody_changing_anything(key: str) -> None:
    first = demanded()
    second = services.replace_site_key(actor=OPERATOR, overlap=timedelta(seconds=3)).secret
    assert told(key, first) == told(key, second) == (200, "allowed")
    ends = SiteKey.objects.get(state="retiring").ends_at
    assert ends is not None
    threading.Event().wait(max(0.0, (ends - clock.now()).total_seconds()))
    assert told(key, first) == REQUIRED
    assert told(key, second) == (200, "allowed")


# --- guessing -------------------------------------------------------------------------------------------------------


def test_guesses_wait_in_line_and_who_is_known_does_not(key: str) -> None:
    site_key = demanded()
    assert ask(key, site_key).status == 200
    for number in range(guesses.LIMIT.number + 1):
        assert ask(key, f"guess-{number:040}").status == 401
    one = asked(key)
    assert guesses.are_many(one.address)
    assert not fastpath._is_known(one._replace(site_key="another-guess"))
    assert fastpath._is_known(one._replace(site_key=site_key))
    assert ask(key, site_key).status == 200
    memory.forget()
    assert ask(key, site_key).status == 200, "a right one is never refused"


# --- for applications that ask over REST ----------------------------------------------------------------------------


def checked(client: Client, beside: str, **question: Any) -> dict[str, Any]:
    settled()
    sent = {"X-SITE-KEY": beside}
    response = client.post("/api/v1/verify", question, content_type="application/json", headers=sent)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def test_an_application_passes_on_what_its_client_sent(lasting_world: World, key: str) -> None:
    asking = lasting_world.client(key=lasting_world.key("key.verify").secret)
    site_key = demanded()
    assert checked(asking, site_key, key=key)["code"] == "site_key_required"
    assert checked(asking, site_key, key=key, site_key="nonsense")["code"] == "site_key_required"
    assert checked(asking, site_key, key=key, site_key=None)["code"] == "site_key_required"
    found = checked(asking, site_key, key=key, site_key=site_key)
    assert (found["code"], found["name"]) == ("allowed", "Test key")
    assert checked(asking, site_key, key="nonsense", site_key=site_key)["code"] == "invalid_key"


def test_a_simulation_says_whether_one_is_demanded(lasting_world: World) -> None:
    key = lasting_world.key("view_customer").key
    person = lasting_world.client(lasting_world.admin)

    def said() -> tuple[str, str]:
        response = person.post("/api/v1/simulate", {"api_key_id": key.pk}, content_type="application/json")
        found = response.json()
        return found["code"], next(one["words"] for one in found["checks"] if one["name"] == "site_key")

    assert said() == ("allowed", "No site key is demanded.")
    with override_settings(ENV=dataclasses.replace(settings.ENV, require_site_key=True)):
        assert said() == ("site_key_required", "A site key is demanded, and there is none yet.")
    demanded()
    assert said() == ("allowed", "Taken for granted: a right site key comes with it.")

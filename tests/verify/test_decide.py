"""The ordered checks as a table: no database, no clock, no request."""

import dataclasses
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from keyadmin.kernel.errors import KINDS
from keyadmin.kernel.patterns import HOLDS_EVERYTHING, Held, Rights
from keyadmin.sitekey.queries import Accepted
from keyadmin.verify.decide import Ask, KeyFacts, decide
from keyadmin.verify.outcome import PUBLIC_CODES, Outcome

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAST = NOW - timedelta(days=1)
ACME, GLOBEX, ELSEWHERE = 1, 2, 3
FACTS = KeyFacts(
    key_id=7,
    label="Key",
    masked="ka_live_8f3kQ2mZp0Xa...9t0w",
    token_id="8f3kQ2mZp0Xa",
    kind="organization",
    environment="live",
    state="",
    revoked_at=None,
    expired_seen_at=None,
    expires_at=None,
    paused_at=None,
    replaced=False,
    secret_matches=True,
    organization_id=ACME,
    owner_id=None,
    owner_uid="",
    owner_active=True,
    held=Held({ACME: Rights(frozenset({"view_customer", "sensor.*"}))}),
    limit=None,
    allowed_networks=(),
    segment=False,
)
ADMIN = Held({ACME: Rights(frozenset({"*"}))})
TWO = Held({ACME: Rights(frozenset({"view_customer"})), GLOBEX: Rights(frozenset({"view_invoice"}))})
ASK = Ask(address="203.0.113.7")
SITE_KEY = Accepted(1, "a verifier", float("inf"), is_weak=False)


@pytest.mark.parametrize(
    ("facts", "ask", "outcome"),
    [
        ({}, {}, Outcome.ALLOWED),
        ({"secret_matches": False}, {}, Outcome.WRONG_SECRET),
        ({"replaced": True}, {}, Outcome.REPLACED),
        ({"revoked_at": PAST}, {}, Outcome.REVOKED),
        ({"expires_at": NOW}, {}, Outcome.EXPIRED),
        ({"expires_at": NOW + timedelta(microseconds=1)}, {}, Outcome.ALLOWED),
        ({"expires_at": NOW + timedelta(days=1), "expired_seen_at": PAST}, {}, Outcome.EXPIRED),
        ({"paused_at": PAST}, {}, Outcome.PAUSED),
        ({"owner_active": False}, {}, Outcome.OWNER_DISABLED),
        ({}, {"organization_id": ACME}, Outcome.ALLOWED),
        ({}, {"organization_id": ELSEWHERE}, Outcome.ORGANIZATION_NOT_REACHED),
        ({}, {"organization_id": -1}, Outcome.ORGANIZATION_NOT_REACHED),
        ({"held": HOLDS_EVERYTHING}, {"organization_id": ELSEWHERE}, Outcome.ALLOWED),
        ({"held": HOLDS_EVERYTHING}, {"organization_id": -1}, Outcome.ORGANIZATION_NOT_REACHED),
        ({"held": dataclasses.replace(FACTS.held, suspended=frozenset({ACME}))}, {}, Outcome.ORGANIZATION_SUSPENDED),
        ({"held": dataclasses.replace(TWO, suspended=frozenset({ACME}))}, {}, Outcome.ALLOWED),
        ({"held": dataclasses.replace(TWO, suspended=frozenset({ACME, GLOBEX}))}, {}, Outcome.ORGANIZATION_SUSPENDED),
        (
            {"held": dataclasses.replace(TWO, suspended=frozenset({ACME}))},
            {"organization_id": ACME},
            Outcome.ORGANIZATION_SUSPENDED,
        ),
        (
            {"held": dataclasses.replace(TWO, suspended=frozenset({ACME}))},
            {"permissions": ("view_customer",)},
            Outcome.MISSING_PERMISSION,
        ),
        ({"held": dataclasses.replace(TWO, blocked=frozenset({ACME}))}, {}, Outcome.ALLOWED),
        ({"held": dataclasses.replace(TWO, blocked=frozenset({ACME}))}, {"organization_id": GLOBEX}, Outcome.ALLOWED),
        ({"held": dataclasses.replace(TWO, blocked=frozenset({ACME}))}, {"organization_id": ACME}, Outcome.KEY_BLOCKED),
        (
            {"held": dataclasses.replace(TWO, blocked=frozenset({ACME}))},
            {"permissions": ("view_customer",)},
            Outcome.MISSING_PERMISSION,
        ),
        ({"held": dataclasses.replace(TWO, blocked=frozenset({ACME, GLOBEX}))}, {}, Outcome.KEY_BLOCKED),
        (
            {"held": dataclasses.replace(TWO, suspended=frozenset({ACME}), blocked=frozenset({GLOBEX}))},
            {},
            Outcome.KEY_BLOCKED,
        ),
        ({"site_keys": (SITE_KEY,)}, {}, Outcome.SITE_KEY_REQUIRED),
        ({"site_keys": (SITE_KEY,)}, {"has_site_key": True}, Outcome.ALLOWED),
        ({"site_keys": ()}, {"has_site_key": True}, Outcome.SITE_KEY_REQUIRED),
        ({}, {"has_site_key": True}, Outcome.ALLOWED),
        ({}, {"environment": "live"}, Outcome.ALLOWED),
        ({}, {"environment": "test"}, Outcome.WRONG_ENVIRONMENT),
        ({"allowed_networks": ("203.0.113.0/24",)}, {}, Outcome.ALLOWED),
        ({"allowed_networks": ("198.51.100.0/24", "2001:db8::/32")}, {}, Outcome.ADDRESS_NOT_ALLOWED),
        ({"allowed_networks": ("203.0.113.0/24",)}, {"address": ""}, Outcome.ADDRESS_NOT_ALLOWED),
        ({"allowed_networks": ("203.0.113.0/24",)}, {"address": "::ffff:203.0.113.9"}, Outcome.ALLOWED),
        ({}, {"permissions": ("view_customer",)}, Outcome.ALLOWED),
        ({}, {"permissions": ("sensor.task", "view_customer")}, Outcome.ALLOWED),
        ({}, {"permissions": ("view_customer", "view_invoice")}, Outcome.MISSING_PERMISSION),
        ({}, {"permissions": ("view_invoice", "view_customer"), "any_permission": True}, Outcome.ALLOWED),
        ({}, {"permissions": ("view_invoice",), "any_permission": True}, Outcome.MISSING_PERMISSION),
        ({"held": TWO}, {"permissions": ("view_invoice",)}, Outcome.ALLOWED),
        ({"held": TWO}, {"permissions": ("view_invoice",), "organization_id": ACME}, Outcome.MISSING_PERMISSION),
        ({"held": HOLDS_EVERYTHING}, {"permissions": ("org.create",)}, Outcome.ALLOWED),
        (
            {"held": Held({ACME: Rights(frozenset({"*"}))})},
            {"permissions": ("org.create",)},
            Outcome.MISSING_PERMISSION,
        ),
    ],
)
def test_one_reason(facts: dict[str, Any], ask: dict[str, Any], outcome: Outcome) -> None:
    decision = decide(FACTS._replace(**facts), ASK._replace(**ask), NOW)
    assert decision.outcome is outcome
    assert decision.allowed == (outcome is Outcome.ALLOWED)


def test_a_missing_permission_is_named() -> None:
    ask = ASK._replace(permissions=("view_customer", "view_invoice"))
    assert decide(FACTS, ask, NOW).missing_permission == "view_invoice"


# Each alone refuses; of two the one that stands first here is told.
IN_ORDER: list[tuple[Outcome, dict[str, Any], dict[str, Any]]] = [
    (Outcome.REPLACED, {"replaced": True}, {}),
    (Outcome.REVOKED, {"revoked_at": PAST}, {}),
    (Outcome.WRONG_SECRET, {"secret_matches": False}, {}),
    (Outcome.ORGANIZATION_NOT_REACHED, {}, {"organization_id": ELSEWHERE}),
    (Outcome.EXPIRED, {"expires_at": PAST}, {}),
    (Outcome.PAUSED, {"paused_at": PAST}, {}),
    (Outcome.OWNER_DISABLED, {"owner_active": False}, {}),
    (Outcome.ORGANIZATION_SUSPENDED, {"held": dataclasses.replace(FACTS.held, suspended=frozenset({ACME}))}, {}),
    (Outcome.SITE_KEY_REQUIRED, {"site_keys": (SITE_KEY,)}, {}),
    (Outcome.WRONG_ENVIRONMENT, {}, {"environment": "test"}),
    (Outcome.KEY_BLOCKED, {"held": dataclasses.replace(FACTS.held, blocked=frozenset({ACME}))}, {}),
    (Outcome.ADDRESS_NOT_ALLOWED, {"allowed_networks": ("10.0.0.0/8",)}, {}),
    (Outcome.MISSING_PERMISSION, {}, {"permissions": ("create_payment",)}),
]


@pytest.mark.parametrize(("first", "second"), list(combinations(range(len(IN_ORDER)), 2)))
def test_the_earlier_reason_is_told(first: int, second: int) -> None:
    outcome, facts, ask = IN_ORDER[first]
    _, more_facts, more_ask = IN_ORDER[second]
    decision = decide(FACTS._replace(**{**more_facts, **facts}), ASK._replace(**{**more_ask, **ask}), NOW)
    assert decision.outcome is outcome


def test_every_refusal_has_a_public_code_with_its_status() -> None:
    assert set(PUBLIC_CODES) == set(Outcome) - {Outcome.ALLOWED}
    assert {KINDS[code].status for code in PUBLIC_CODES.values()} == {401, 403, 429}


def test_until_the_secret_has_matched_every_refusal_is_the_same() -> None:
    early = [Outcome.MALFORMED, Outcome.UNKNOWN, Outcome.WRONG_SECRET, Outcome.REVOKED, Outcome.REPLACED]
    assert {PUBLIC_CODES[outcome] for outcome in early} == {"invalid_key"}
    facts = FACTS._replace(secret_matches=False, expires_at=PAST, paused_at=PAST, owner_active=False)
    assert decide(facts, ASK, NOW).public.code == "invalid_key"

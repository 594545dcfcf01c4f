"""nginx and Caddy, configured as docs/gateways.md says, in front of an application that records what reaches it."""

import socket
from pathlib import Path

import pytest

from tests.gateways.conftest import Guarded
from tests.gateways.programs import CLIENT, KINDS, Gateway, running_gateway
from tests.gateways.upstream import BODY
from tests.running.installation import free_port

COMPLETE = ("Key-Id", "Owner", "Organization", "Kind", "Environment", "Permissions", "Segment", "Request-Id")


def test_a_key_with_the_permission_passes_and_the_application_knows_whose_it_is(
    gateway: Gateway, guarded: Guarded
) -> None:
    guarded.upstream.taken()
    answer = gateway.ask("/orders/7?page=2", key=guarded.key)
    assert (answer.status, answer.header("content-type"), answer.header("x-own")) == (201, "application/x-odd", "kept")
    (reached,) = guarded.upstream.taken()
    assert reached.line.startswith("GET /orders/7?page=2 HTTP/1.")
    said = {name: reached.values(f"X-Auth-{name}") for name in COMPLETE}
    (request_id,) = said.pop("Request-Id")
    assert request_id
    expected = {"Key-Id": str(guarded.key_id), "Organization": guarded.oid, "Kind": "organization"}
    expected |= {"Environment": "live", "Permissions": "view_customer"}
    assert {name: "".join(values) for name, values in said.items()} == {
        name: expected.get(name, "") for name in COMPLETE[:-1]
    }
    assert guarded.key.encode() not in reached.head


def test_bodies_are_untouched(gateway: Gateway, guarded: Guarded) -> None:
    guarded.upstream.taken()
    body = BODY[::-1] * 7
    answer = gateway.post("/orders", body, ("X-API-KEY", guarded.key), ("Content-Type", "text/odd; x=1"))
    assert answer.body == BODY
    (reached,) = guarded.upstream.taken()
    assert (reached.line[:12], reached.body, reached.values("Content-Type")) == (
        "POST /orders",
        body,
        ["text/odd; x=1"],
    )


def test_who_may_not_pass_is_told_why_and_reaches_nothing(gateway: Gateway, guarded: Guarded) -> None:
    guarded.upstream.taken()
    poor = guarded.office.key(permissions=["view_invoice"])["api_key"]
    for key, status in (("", 401), ("nonsense", 401), (poor, 403)):
        answer = gateway.ask("/orders", key=key)
        assert answer.status == status
        assert answer.header("x-request-id")
        assert (answer.header("www-authenticate") is not None) == (status == 401)
        assert gateway.post("/orders", b"a body", ("X-API-KEY", key)).status == status
    twice = gateway.ask("/orders", ("X-API-KEY", guarded.key), key=guarded.key)
    assert twice.status == 400
    assert guarded.upstream.taken() == []


def test_keys_of_another_organization_do_not_pass(gateway: Gateway, guarded: Guarded) -> None:
    guarded.upstream.taken()
    root = guarded.made.secret("create_key", "--name", "Root", "--user", "dana@example.org")
    organization = f"Globex {gateway.kind}"
    made = guarded.office.client.post("/organizations", json={"name": organization}, headers={"X-API-KEY": root})
    slug = made.json()["slug"]
    other = guarded.made.secret("create_key", "--organization", slug, "--name", "Other", "--admin")
    for target in ("/orders", f"/orders?organization={slug}", f"/orders?end&organization={slug}"):
        assert gateway.ask(target, key=other).status == 401
        assert gateway.ask(target, ("X-Organization", slug), key=other).status == 401
    assert guarded.upstream.taken() == []


@pytest.mark.parametrize(
    "query", ["any=1&permission=view_invoice", "permission=view_invoice&any=1", "permission=view_invoice", "end", "%ff"]
)
def test_a_clients_own_query_changes_nothing(gateway: Gateway, guarded: Guarded, query: str) -> None:
    poor = guarded.office.key(permissions=["view_invoice"])["api_key"]
    assert gateway.ask(f"/orders?{query}", key=poor).status == 403
    assert gateway.ask(f"/orders?{query}", key=guarded.key).status == 201


def test_the_address_of_the_client_counts(gateway: Gateway, guarded: Guarded) -> None:
    here = guarded.office.key(permissions=["view_customer"], allowed_networks=[f"{CLIENT}/32"])["api_key"]
    elsewhere = guarded.office.key(permissions=["view_customer"], allowed_networks=["203.0.113.0/24"])["api_key"]
    assert gateway.ask("/orders", key=here).status == 201
    assert gateway.ask("/orders", key=elsewhere).status == 403
    assert gateway.ask("/orders", ("X-Forwarded-For", "203.0.113.9"), key=elsewhere).status == 403


def test_a_revoked_key_is_out_at_once(gateway: Gateway, guarded: Guarded) -> None:
    made = guarded.office.key(permissions=["view_customer"])
    assert gateway.ask("/orders", key=made["api_key"]).status == 201
    guarded.office.call("POST", f"/api-keys/{made['api_key_id']}/revoke")
    assert gateway.ask("/orders", key=made["api_key"]).status == 401


def test_a_site_key_that_is_demanded_goes_to_keyadmin_and_no_further(gateway: Gateway, guarded: Guarded) -> None:
    guarded.upstream.taken()
    site_key = guarded.made.run("site_key", "--make", "--overlap", "0").stdout.strip()
    guarded.made.run("site_key", "--demand")
    try:
        for headers in ([], [("X-SITE-KEY", "nonsense")], [("X-SITE-KEY", site_key)] * 2, [("X_SITE_KEY", site_key)]):
            assert gateway.ask("/orders", *headers, key=guarded.key).status == 401
        assert guarded.upstream.taken() == []
        assert gateway.ask("/orders", ("X-SITE-KEY", site_key), key=guarded.key).status == 201
        (reached,) = guarded.upstream.taken()
    finally:
        guarded.made.run("site_key", "--stop-demanding")
    assert site_key.encode() not in reached.head
    assert guarded.key.encode() not in reached.head


def test_a_key_over_its_limit_is_told_when_to_come_back(gateway: Gateway, guarded: Guarded) -> None:
    key = guarded.office.key(permissions=["view_customer"], rate_limit="1/hour")["api_key"]
    assert gateway.ask("/orders", key=key).status == 201
    guarded.upstream.taken()
    answer = gateway.ask("/orders", key=key)
    assert answer.status == 429
    assert int(str(answer.header("retry-after"))) > 2
    assert guarded.upstream.taken() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mute", [False, True], ids=["gone", "mute"])
def test_without_keyadmin_nothing_passes_and_clients_are_told_to_come_back(
    guarded: Guarded, tmp_path: Path, kind: str, mute: bool
) -> None:
    guarded.upstream.taken()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1] if mute else free_port()
        with running_gateway(kind, tmp_path, keyadmin=port, application=guarded.upstream.port) as gateway:
            answer = gateway.ask("/orders", key=guarded.key)
    assert (answer.status, answer.header("retry-after")) == (503, "2")
    assert guarded.upstream.taken() == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_application_that_is_gone_is_not_taken_for_keyadmin(guarded: Guarded, tmp_path: Path, kind: str) -> None:
    with running_gateway(kind, tmp_path, keyadmin=guarded.made.port, application=free_port()) as gateway:
        assert gateway.ask("/orders", key=guarded.key).status == 502

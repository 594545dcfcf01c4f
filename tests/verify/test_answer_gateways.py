"""The contract of `/verify`: what a gateway may send, and what it can rely on in the answer."""

import dataclasses
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from pytest_django.fixtures import Settings

from keyadmin.verify import fastpath
from tests.gateways.wire import Answer, asked, head, read, sent
from tests.running.installation import Installation, prepared
from tests.running.revoking import Office

GATEWAY = "127.0.0.2"  # believed; other addresses of this machine are not
FACTS = ("key-id", "owner", "organization", "kind", "environment", "permissions", "segment")
COMPLETE = {f"x-auth-{name}" for name in (*FACTS, "request-id")}


@dataclass(frozen=True)
class Place:
    """An installation with two organisations and keys of acme."""

    made: Installation
    oid: str
    key: str  # view_customer, view_invoice
    key_id: int
    other: str  # of globex, everything
    fresh: str  # of acme, not used before
    office: Office

    @property
    def port(self) -> int:
        return self.made.port

    def verify(
        self, query: str = "", *headers: tuple[str, str], key: str | None = None, source: str = "127.0.0.1"
    ) -> Answer:
        target = f"/verify?{query}" if query else "/verify"
        return asked(self.port, target, *headers, key=self.key if key is None else key, source=source)

    @contextmanager
    def without_keys(self) -> Iterator[None]:
        """The table of keys is away."""
        self._rename("keys_apikey", "away")
        try:
            yield
        finally:
            self._rename("away", "keys_apikey")

    def _rename(self, old: str, new: str) -> None:
        statement = f"ALTER TABLE {old} RENAME TO {new}"
        url = self.made.environment.get("DATABASE_URL")
        if url is None:
            with closing(sqlite3.connect(self.made.data / "keyadmin.sqlite3")) as file, file:
                file.execute(statement)
            return
        with psycopg.connect(url) as server:
            server.execute(statement)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    proxies = {"KEYADMIN_TRUSTED_PROXIES": f"{GATEWAY}/32"}
    with prepared(tmp_path_factory.mktemp("verify"), **proxies) as made:
        made.start()
        admin = made.secret("create_key", "--organization", "acme", "--name", "Office", "--admin")
        office = Office(made.address, admin)
        key = office.key(permissions=["view_customer", "view_invoice"])
        oid = office.call("GET", "/organizations/acme")["oid"]
        root = made.secret("create_key", "--name", "Root", "--user", "dana@example.org")
        Office(made.address, root).call("POST", "/organizations", {"name": "Globex"}, **{"X-Organization": ""})
        other = made.secret("create_key", "--organization", "globex", "--name", "Other", "--admin")
        fresh = office.key(permissions=["view_customer"])["api_key"]
        yield Place(made, oid, key["api_key"], key["api_key_id"], other, fresh, office)


def refused(answer: Answer, status: int, code: str) -> Answer:
    """Check that an answer refuses in the way of this API, and says nothing about any key in its headers."""
    assert (answer.status, answer.json["code"]) == (status, code), answer
    assert answer.header("content-type") == "application/problem+json"
    assert answer.json["request_id"] == answer.header("x-request-id") == answer.header("x-auth-request-id")
    assert {name for name, _ in answer.headers if name.startswith("x-auth-")} == COMPLETE
    assert all(answer.header(f"x-auth-{name}") == "" for name in FACTS)
    assert answer.header("cache-control") == "no-store"
    return answer


# --- the request -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_any_method_is_answered_alike(place: Place, method: str) -> None:
    answer = asked(place.port, "/verify?permission=view_customer", key=place.key, method=method)
    assert (answer.status, answer.body) == (200, b"")
    assert asked(place.port, "/verify", method=method).status == 401


@pytest.mark.parametrize(
    "path", ["/verify", "/verify/", "/verify/orders/7", "/verify/../x", "/verify//", "/verify/%2e"]
)
def test_every_path_below_is_answered_and_none_redirects(place: Place, path: str) -> None:
    assert asked(place.port, path, key=place.key).status == 200
    assert asked(place.port, path).status == 401


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "text/plain; charset=hex", "\xff"])
def test_the_body_is_ignored_whatever_it_is_called(place: Place, content_type: str) -> None:
    headers = [("X-API-KEY", place.key), ("Content-Type", content_type), ("Content-Length", "5")]
    assert sent(place.port, head("POST", "/verify", headers) + b"{\xff}\0;").status == 200


@pytest.mark.parametrize("framing", [("Content-Length", "1000000000"), ("Transfer-Encoding", "chunked")])
def test_a_body_that_never_comes_is_not_waited_for(place: Place, framing: tuple[str, str]) -> None:
    assert sent(place.port, head("POST", "/verify", [("X-API-KEY", place.key), framing])).status == 200


def test_a_chunked_body_is_ignored(place: Place) -> None:
    raw = head("POST", "/verify", [("X-API-KEY", place.key), ("Transfer-Encoding", "chunked")])
    assert sent(place.port, raw + b"3\r\nabc\r\n0\r\n\r\n").status == 200


def test_a_huge_body_is_ignored(place: Place) -> None:
    length = 8 * 2**20
    with socket.create_connection(("127.0.0.1", place.port), timeout=20) as connection:
        framing = ("Content-Length", str(length))
        connection.sendall(head("POST", "/verify", [("X-API-KEY", place.key), framing]))
        assert read(connection).status == 200


@pytest.mark.parametrize("host", ["gateway.example", "127.0.0.1", "evil.example:99", "under_score", "", None])
def test_the_host_never_matters(place: Place, host: str | None) -> None:
    assert asked(place.port, "/verify", key=place.key, host=host).status == 200


# --- what is demanded --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("permission=view_customer", ""),
        ("permission=view_customer&permission=view_invoice", ""),
        ("permission=view_customer&permission=view_service", "view_service"),
        ("permission=view_customer&permission=view_service&any=1", ""),
        ("any=1&permission=view_service&permission=view_invoice", ""),
        ("any=0&permission=view_customer&permission=view_service", "view_service"),
        ("any=1&permission=view_service&permission=create_service", "view_service"),
        ("any=1", ""),
        ("permission=setting.ctrl", "setting.ctrl"),
        ("permission=no.such.permission", "no.such.permission"),
    ],
)
def test_permissions_are_demanded(place: Place, query: str, missing: str) -> None:
    answer = place.verify(query)
    if not missing:
        assert answer.status == 200
    else:
        assert refused(answer, 403, "insufficient_scope").json["missing_permission"] == missing


def test_organization_and_environment_narrow(place: Place) -> None:
    assert place.verify("organization=acme&environment=live").status == 200
    assert place.verify(f"organization={place.oid}").status == 200
    assert place.verify("organization=ACME").status == 200
    refused(place.verify("organization=globex"), 401, "invalid_key")
    refused(place.verify("organization=nowhere"), 401, "invalid_key")
    refused(place.verify("organization=acme", key=place.other), 401, "invalid_key")
    refused(place.verify("environment=test"), 403, "wrong_environment")
    assert place.verify("organization=globex", key=place.other).status == 200


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("environment=staging", "environment"),
        ("environment=", "environment"),
        ("environment=live&environment=test", "environment"),
        ("organization=acme&organization=globex", "organization"),
        ("organization=", "organization"),
        ("organization=acme&organization=", "organization"),
        ("permission=", "permission"),
        ("permission=view_customer,view_invoice", "permission"),
        ("permission=*", "permission"),
        ("permission=View", "permission"),
        ("any=yes&permission=view_customer", "any"),
        ("any=1&any=0&permission=view_customer", "any"),
        ("permission=%ff", "query"),
        ("organisation=acme&end", "did you mean organization?"),
        ("&".join(f"permission=p{number}" for number in range(101)), "query"),
        ("permission=" + "a" * 4000, "query"),
    ],
)
def test_what_a_gateway_can_not_have_meant_is_refused_and_named(place: Place, query: str, named: str) -> None:
    for key in (place.key, place.other):
        assert named in refused(place.verify(query, key=key), 400, "bad_request").json["detail"]


def test_two_organizations_in_query_and_header_are_refused(place: Place) -> None:
    assert place.verify("organization=acme", ("X-Organization", "acme")).status == 200
    refused(place.verify("organization=acme", ("X-Organization", "globex")), 400, "bad_request")
    refused(place.verify("", ("X-Organization", "globex")), 401, "invalid_key")


@pytest.mark.parametrize(
    ("query", "statuses"),
    [
        ("organization=%00", {401}),
        ("organization=acme%00", {401}),
        ("organization=%E2%80%AEemca", {401}),
        ("organization=%D0%B0cme", {401}),  # a look-alike
        ("organization=e" + "%CC%81" * 500, {401}),
        ("organization=%ED%A0%80", {400}),  # half a character
        ("organization=\xff", {400, 401}),
        ("permission=view_customer%00", {400}),
        ("permission=v%C4%B1ew_customer", {400}),
    ],
)
def test_odd_text_has_a_defined_result(place: Place, query: str, statuses: set[int]) -> None:
    assert place.verify(query).status in statuses


@pytest.mark.parametrize(
    "key", ["\xff\xfe", "ka_live_" + "\xe9" * 50, "k" * 20_000, "ka_live_" + "0" * 50 + "\x80", "\t"]
)
def test_an_odd_key_is_invalid_or_none(place: Place, key: str) -> None:
    assert place.verify(key=key).json["code"] in ("invalid_key", "missing_key")


# --- the client's own query, behind the gateway's ----------------------------------------------------------------

LACKING = "organization=acme&permission=view_service"


@pytest.mark.parametrize(
    "theirs",
    [
        "any=1&permission=view_customer",
        "permission=view_customer&any=1",
        "%61ny=1&permission=view_customer",
        "any=1&permissio%6e=view_customer",
        "organization=acme&any=1&permission=view_customer",
        "x=%ff&any=1&permission=view_customer",
        "end=&any=1&permission=view_customer",
        "permission=view_customer",
        "organization=globex",
        "permission=",
        "",
    ],
)
def test_a_client_never_asks_for_less_than_its_gateway(place: Place, theirs: str) -> None:
    """Whether the headers about the client's request are believed or not, and with each way of putting it there."""
    reported = [("X-Forwarded-Uri", f"/orders?{theirs}"), ("X-Forwarded-Method", "GET")]
    for source in ("127.0.0.1", GATEWAY):
        assert place.verify(f"{LACKING}&{theirs}", *reported, source=source).status in (400, 401, 403)
        assert place.verify(f"any=1&{LACKING}&{theirs}", *reported, source=source).status in (400, 401, 403)
        assert place.verify(f"{LACKING}&any=1&{theirs}", *reported, source=source).status in (400, 401, 403)
        # As Envoy does, without any header.
        assert place.verify(f"{LACKING}&path=/orders?{theirs}", source=source).status in (400, 401, 403)
        assert place.verify(f"any=1&{LACKING}&path=/orders?{theirs}", source=source).status in (400, 401, 403)


@pytest.mark.parametrize(
    "theirs", ["any=1&permission=view_service", "organization=globex", "x=1", "end=2", "%ff", "&="]
)
def test_behind_end_nothing_is_read(place: Place, theirs: str) -> None:
    uri = ("X-Forwarded-Uri", f"/orders?{theirs}")
    for closed in ("end", "end=", "end=/orders?a=1"):
        assert place.verify(f"permission=view_customer&{closed}&{theirs}", uri).status == 200
        assert (
            place.verify(f"permission=view_service&permission=view_customer&any=1&{closed}&{theirs}", uri).status == 200
        )
        assert place.verify(f"permission=view_service&{closed}&{theirs}", uri).status == 403
    assert place.verify("permission=view_customer&end&" + "a" * 6000, uri).status == 200


def test_a_clients_query_that_names_nothing_of_ours_changes_nothing(place: Place) -> None:
    for theirs in ("page=2", "any_page=2", "q=permission"):
        uri = ("X-Forwarded-Uri", f"/orders?{theirs}")
        asked_for = "permission=view_service&permission=view_customer&any=1"
        assert place.verify(f"{asked_for}&{theirs}", uri, source=GATEWAY).status == 200


# --- the answer --------------------------------------------------------------------------------------------------


def test_success_is_exactly_200_with_the_complete_set(place: Place) -> None:
    for _ in range(2):  # looked up, then remembered
        answer = place.verify("organization=acme&permission=view_customer")
        assert (answer.status, answer.body) == (200, b"")
        assert {name for name, _ in answer.headers if name.startswith("x-auth-")} == COMPLETE
        assert [answer.header(f"x-auth-{name}") for name in FACTS] == [
            *(str(place.key_id), "", place.oid, "organization", "live", "view_customer,view_invoice", ""),
        ]
        assert answer.header("x-auth-request-id") == answer.header("x-request-id")
        assert answer.header("cache-control") == "no-store"
        assert all(value.isascii() for _, value in answer.headers)


def test_names_from_all_over_the_world_are_not_in_the_headers(place: Place) -> None:
    made = place.office.key(name="Gr\u00f6\u00dfe \u2603 [segment]", permissions=["*"], environment="test")
    answer = place.verify("organization=acme", key=made["api_key"])
    assert answer.header("x-auth-segment") == answer.header("x-auth-key-id") == str(made["api_key_id"])
    assert (answer.header("x-auth-permissions"), answer.header("x-auth-environment")) == ("*", "test")
    assert all(value.isascii() for _, value in answer.headers)


def test_the_key_of_a_user_names_its_owner(place: Place) -> None:
    service = place.office.call("POST", "/api-users", {"name": "Robot"})
    made = place.office.call("PUT", f"/users/{service['id']}/api-key", {})
    answer = place.verify(key=made["api_key"])
    assert answer.status == 200
    assert answer.header("x-auth-owner") == service["uid"]
    assert (answer.header("x-auth-kind"), answer.header("x-auth-permissions")) == ("user", "")


def test_a_refusal_without_a_key_challenges_without_error(place: Place) -> None:
    challenge = refused(place.verify(key=""), 401, "missing_key").header("www-authenticate")
    assert challenge is not None
    assert challenge.startswith('ApiKey realm="keyadmin"')
    assert "error" not in challenge


def test_keys_that_prove_nothing_get_one_identical_answer(place: Place) -> None:
    unknown = place.key[:-30] + "0" * 30
    bodies = set()
    for key in ("nonsense", unknown, "ka_live_" + "0" * 50, place.other):
        answer = refused(place.verify("organization=acme", key=key), 401, "invalid_key")
        bodies.add(answer.body.replace(str(answer.json["request_id"]).encode(), b""))
    assert len(bodies) == 1


def test_a_key_elsewhere_than_in_its_header_is_none(place: Place) -> None:
    refused(place.verify(f"x-api-key={place.key}", key=""), 401, "missing_key")
    refused(place.verify("", ("X_API_KEY", place.key), key=""), 401, "missing_key")
    refused(place.verify("", ("Cookie", f"X-API-KEY={place.key}"), key=""), 401, "missing_key")
    bearer = refused(place.verify("", ("Authorization", f"Bearer {place.key}"), key=""), 401, "invalid_key")
    assert 'error="invalid_token"' in str(bearer.header("www-authenticate"))
    refused(place.verify("", ("X-Api-Key", place.other)), 400, "conflicting_credentials")
    refused(place.verify("", ("Authorization", "Bearer a.b.c")), 400, "conflicting_credentials")


# --- what the gateway says of the client's request -----------------------------------------------------------------


NETWORK = "203.0.113.0/24"
INSIDE, OUTSIDE = ("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-For", "198.51.100.9")


def test_the_address_is_the_clients_if_a_trusted_peer_says_so(place: Place) -> None:
    key = place.office.key(permissions=["view_customer"], allowed_networks=[NETWORK])["api_key"]
    for _ in range(2):
        assert place.verify("", INSIDE, key=key, source=GATEWAY).status == 200
        refused(place.verify("", OUTSIDE, key=key, source=GATEWAY), 403, "address_not_allowed")
        refused(
            place.verify("", ("X-Forwarded-For", "203.0.113.9, 198.51.100.9"), key=key, source=GATEWAY),
            403,
            "address_not_allowed",
        )
        refused(place.verify("", INSIDE, key=key), 403, "address_not_allowed")
        refused(place.verify("", key=key, source=GATEWAY), 403, "address_not_allowed")


@pytest.mark.parametrize(
    "said",
    [
        [("X-Forwarded-Uri", "/a"), ("X-Original-URI", "/b")],
        [("X-Forwarded-Uri", "/a"), ("X-Original-URI", "/a?b")],
        [("X-Forwarded-Method", "GET"), ("X-Original-Method", "POST")],
        [("X-Forwarded-Uri", "/a"), ("X-Forwarded-Uri", "/b")],
        [("X-Original-Method", "GET"), ("x-original-method", "PUT")],
    ],
)
def test_forms_that_disagree_are_refused(place: Place, said: list[tuple[str, str]]) -> None:
    assert place.verify("", *said).status == 200  # of somebody who is not believed nothing is read
    assert "disagree" in refused(place.verify("", *said, source=GATEWAY), 400, "bad_request").json["detail"]


def test_forms_that_agree_are_read(place: Place) -> None:
    said = [("X-Forwarded-Uri", "/a?x"), ("X-Original-URI", "/a?x")]
    said += [("X-Forwarded-Method", "PUT"), ("X-Original-Method", "PUT")]
    assert place.verify("", *said, source=GATEWAY).status == 200


def test_a_request_id_is_believed_only_from_a_trusted_peer(place: Place) -> None:
    mine = ("X-Request-Id", "edge-1")
    assert place.verify("", mine, source=GATEWAY).header("x-auth-request-id") == "edge-1"
    assert place.verify("", mine).header("x-auth-request-id") != "edge-1"


@pytest.mark.parametrize(
    ("headers", "path", "method"),
    [
        ([], "/verify/x", "GET"),
        ([(b"x-forwarded-uri", b"/orders/7?page=2"), (b"x-forwarded-method", b"PUT")], "/orders/7?page=2", "PUT"),
        ([(b"x-original-uri", b"/orders/7"), (b"x-original-method", b"DELETE")], "/orders/7", "DELETE"),
    ],
)
def test_the_record_is_about_what_the_client_asked_for(
    settings: Settings, headers: list[tuple[bytes, bytes]], path: str, method: str
) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, trusted_proxies=(f"{GATEWAY}/32",))
    told, unbelieved = (
        fastpath.asked_by("GET", "/verify/x", b"", headers, remote) for remote in (GATEWAY, "127.0.0.1")
    )
    assert (told.path, told.method) == (path, method)
    assert (unbelieved.path, unbelieved.method) == ("/verify/x", "GET")


# --- when the answer can't be known --------------------------------------------------------------------------------


def test_an_answer_that_can_not_be_known_is_503(place: Place) -> None:
    """Without its table of keys a key that nobody has remembered can be neither right nor wrong."""
    with place.without_keys():
        answer = refused(place.verify(key=place.fresh), 503, "unavailable")
        assert str(answer.header("retry-after")).isdigit()
    assert place.verify(key=place.fresh).status == 200

"""Whatever is sent: 4xx problem details or a defined result, never 500, the same on both databases."""

import itertools
import json

import httpx
import pytest
from django.test import Client

from keyadmin.keys.models import APIKey
from keyadmin.web.auth import Handler
from tests.api.calls import KEYS, call, call_as, created, json_of, problem, some_or_all
from tests.world import World

CANARY = "s3cr3t-canary"


def name_json(text: bytes) -> bytes:
    return b'{"name": "' + text + b'"}'


BROKEN = {
    "nothing": b" ",
    "half an object": b'{"name": "x"',
    "two objects": b'{"name": "x"}{}',
    "single quotes": b"{'name': 'x'}",
    "a form": b"name=x",
    "latin-1": name_json("ärger".encode("latin-1")),
    "UTF-16": name_json(b"x").decode().encode("utf-16"),
    "UTF-32": name_json(b"x").decode().encode("utf-32-be"),
    "a byte order mark": b"\xef\xbb\xbf" + name_json(b"x"),
    "raw surrogates": name_json(b"\xed\xa0\x80"),
    "overlong UTF-8": name_json(b"\xc0\xaf"),
    "raw NUL": name_json(b"\x00"),
    "raw line break": name_json(b"\n"),
    "not a number": b'{"name": "x", "owner": NaN}',
    "infinity": b'{"name": "x", "owner": -Infinity}',
    "5,000 digits": b'{"name": "x", "owner": ' + b"9" * 5000 + b"}",
    "100,000 brackets": b"[" * 100_000,
    "100,000 closed brackets": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"name":' * 30 + b"1" + b"}" * 30,
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_not_json_in_utf8_is_400(client: Client, how: str) -> None:
    before = APIKey.objects.count()
    for method, path in (
        ("POST", KEYS),
        ("PATCH", f"{KEYS}/1"),
        ("POST", f"{KEYS}/1/regenerate"),
        ("POST", f"{KEYS}/1/pause"),
    ):
        problem(call(client, method, path, BROKEN[how]), 400, "bad_request")
    assert APIKey.objects.count() == before


@pytest.mark.parametrize("body", [[], [{}], "text", 1, 1.5, True, None, [["name", "x"]]])
def test_json_that_is_no_object_is_422(client: Client, body: object) -> None:
    problem(call(client, "POST", KEYS, json.dumps(body).encode()), 422, "validation_error")


def test_an_absent_body_is_422(client: Client) -> None:
    problem(call(client, "POST", KEYS), 422, "validation_error")
    problem(call(client, "PATCH", f"{KEYS}/1"), 422, "validation_error")


def test_unknown_fields_are_named(client: Client) -> None:
    key_id = created(client)["api_key_id"]
    one = f"{KEYS}/{key_id}"
    for method, path in (
        ("POST", KEYS), ("PATCH", one), ("POST", f"{one}/regenerate"), ("POST", f"{one}/pause"),
        ("POST", f"{one}/resume"), ("POST", f"{one}/revoke"),
    ):  # fmt: skip
        body = {"name": "x"} if method == "POST" and path == KEYS else {}
        refused = problem(call(client, method, path, {**body, "nmae": CANARY, "Admin": 1}), 422, "validation_error")
        assert set(refused["errors"]) == {"nmae", "Admin"}
        assert CANARY not in str(refused)
    assert json_of(call(client, "GET", one))["version"] == 1


WRONG_TYPES: dict[str, list[object]] = {
    "name": [None, 1, True, [], {}, ["x"], 1.5],
    "description": [None, 1, []],
    "kind": [None, 1, "", "ORGANIZATION"],
    "organization": [1, [], {}, "x" * 51],
    "owner": ["1", "x", 1.5, True, 0, -1, 2**63, 2**64, 10**400, [1], {"id": 1}],
    "permissions": ["view_customer", {}, 1, [1], [None], [["view_customer"]], ["x" * 101], ["*", 1]],
    "expiry_date": [1, 0, True, 4102444800, [], {}, "", "9999999-01-01", "2099-01-01T00:00:00+99:00"],
    "environment": [None, 1, "LIVE"],
    "allowed_networks": ["10.0.0.0/8", {}, [1], [None], ["x" * 65], ["10.0.0.0/33"], ["10.0.0.0/8"] * 101],
    "rate_limit": [600, True, [], {}, "", "600", "0/minute", "1000001/day", "600/month", "600/minute ", "x" * 100],
}


@pytest.mark.parametrize("field", WRONG_TYPES)
def test_wrong_types_are_422_naming_the_field(client: Client, field: str) -> None:
    before = APIKey.objects.count()
    for value in WRONG_TYPES[field]:
        refused = problem(call(client, "POST", KEYS, {"name": "x", field: value}), 422, "validation_error")
        assert {name.split(".")[0] for name in refused["errors"]} == {field}, (value, refused)
    assert APIKey.objects.count() == before


# Each with the name as it is stored; None where it is refused.
NAMES = {
    "NUL": ("a\x00b", None),
    "a lone high surrogate": ("a\ud800b", None),
    "a lone low surrogate": ("\udc00", None),
    "swapped surrogates": ("\udc00\ud800", None),
    "escape": ("\x1b[31m", None),
    "C1 control": ("\x85", None),
    "line separator": ("a\u2028b", None),
    "delete": ("a\x7f", None),
    "a million characters": ("x" * 1_000_000, None),
    "1,000 combining marks": ("a" + "\u0301" * 1000, None),
    "79 combining marks": ("a" + "\u0301" * 79, "a" + "\u0301" * 79),
    "a turned line": ("\u202egnp.exe", None),
    "nothing to see": ("\u200b\u2060", None),
    "a right-to-left mark": ("a\u200fb", "a\u200fb"),
    "Arabic": ("مفتاح", "مفتاح"),
    "look-alikes": ("\u0410dmin", "\u0410dmin"),
    "emoji beyond 16 bits": ("🔑👩‍💻", "🔑👩‍💻"),
    "80 characters beyond 16 bits": ("🔑" * 80, "🔑" * 80),
    "a non-character": ("\uffff", "\uffff"),
    "markup": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "a formula": ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    "SQL": ("'; DROP TABLE keys;--", "'; DROP TABLE keys;--"),
    "outer space": ("\u00a0 x \u3000", "x"),
}  # fmt: skip


@pytest.mark.parametrize("how", NAMES)
def test_each_kind_of_text_is_refused_or_comes_back_as_it_was(client: Client, how: str) -> None:
    text, stored = NAMES[how]
    answer = call(client, "POST", KEYS, {"name": text, "description": text[:2000]})
    if stored is None:
        assert "name" in problem(answer, 422, "validation_error")["errors"]
        assert len(answer.content) < 2000
        return
    assert answer.status_code == 201, answer.content
    assert json_of(answer)["name"] == stored
    found = json_of(call(client, "GET", f"{KEYS}/{json_of(answer)['api_key_id']}"))
    assert (found["name"], found["description"]) == (stored, stored)


@pytest.mark.parametrize("bad", ["\x00", "a\x00", "\ud800"])
def test_nul_and_lone_surrogates_are_422_in_every_field(client: Client, bad: str) -> None:
    for field in ("description", "organization", "permissions", "allowed_networks", "kind", "expiry_date"):
        value = [bad] if field in ("permissions", "allowed_networks") else bad
        refused = problem(call(client, "POST", KEYS, {"name": "x", field: value}), 422, "validation_error")
        assert list(refused["errors"]) == [field]
    problem(call(client, "POST", KEYS, {"name": "x", bad: 1}), 422, "validation_error")


def test_ids_that_no_key_can_have_are_4xx(client: Client) -> None:
    bad = ("0", "-1", "abc", "1.5", "1e3", f"{2**63}", "9" * 30, "9" * 5000, "%00", "1%00", "%F0%9F%94%91", "null", "*")
    acts = (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/revoke"), ("POST", "/regenerate"))
    for key_id, (method, act) in itertools.product(bad, acts):
        answer = call(client, method, f"{KEYS}/{key_id}{act}", {} if method == "PATCH" else None)
        problem(answer, answer.status_code, "not_found" if answer.status_code == 404 else "validation_error")
    problem(call(client, "GET", f"{KEYS}/{2**63 - 1}"), 404, "not_found")


def test_odd_queries_are_answered(client: Client) -> None:
    for value in ("%00", "a%00b", "%ED%A0%80", "%ff", "%", "%zz", "%F0%9F%94%91", "x" * 5000):
        for name in ("search", "organization", "status", "page", "unknown", value):
            answer = call(client, "GET", f"{KEYS}?{name}={value}")
            assert answer.status_code in (200, 401, 422), (name, answer.content)


@pytest.mark.usefixtures("kept_connections")
def test_a_body_that_ends_early_is_400_also_where_none_is_needed(world: World) -> None:
    key = world.key("*")
    headers = {"X-API-KEY": key.secret, "Content-Length": "30"}
    with httpx.Client(transport=httpx.WSGITransport(Handler()), base_url="http://localhost") as client:
        for path, body in ((KEYS, b'{"name": "x"}'), (f"{KEYS}/{key.key.pk}/regenerate", b"")):
            answer = client.post(path, content=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    key.key.refresh_from_db()
    assert key.key.version == 1


def test_too_many_query_fields_are_400(client: Client) -> None:
    problem(call(client, "GET", f"{KEYS}?{'&'.join(f'a{n}=1' for n in range(1001))}"), 400, "bad_request")


HEADERS = (
    "X-API-KEY X-Organization X-Reason Idempotency-Key If-Match X-Request-Id Cookie Authorization X-CSRFToken Accept "
    "Origin Referer X-Forwarded-For X-Forwarded-Proto".split()
)
VALUES = {
    "NUL": "\x00", "bytes": "\xff\xfe", "UTF-8": "é🔑".encode().decode("latin-1"), "long": "x" * 20_000,
    "tab": "\ta", "quotes": '"', "digits": "9" * 400, "surrogate in UTF-8": "\xed\xa0\x80",
    "cookie with NUL": 'keyadmin="abcdefgh\\000"; keyadmin-csrf="\\000"', "commas": ",,,",
}  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_odd_headers_never_break_anything(world: World, client: Client, header: str, soak: bool) -> None:
    callers = (client, world.client(world.manager), world.client())
    for number, (value, who) in enumerate(itertools.product(VALUES.values(), callers)):
        for method in some_or_all(("GET", "POST"), number, soak=soak):
            answer = call(who, method, KEYS, {"name": "x"} if method == "POST" else None, headers={header: value})
            assert answer.status_code < 500, (value, answer.content)
            if answer.status_code >= 400:
                problem(answer, answer.status_code, json_of(answer)["code"])


def test_a_session_cookie_that_no_database_can_hold_is_no_credential(world: World) -> None:
    cookie = {"Cookie": 'keyadmin="abcdefgh\\000"'}
    problem(call(world.client(), "GET", KEYS, headers=cookie), 401, "missing_key")
    assert call(world.client(key=world.key("*").secret), "GET", KEYS, headers=cookie).status_code == 200


@pytest.mark.usefixtures("kept_connections")
def test_bodies_and_queries_are_utf8_whatever_the_type_says(world: World) -> None:
    # The test client makes requests of Django's own class; this is the one that the server calls.
    headers = {"X-API-KEY": world.key("*").secret}
    with httpx.Client(transport=httpx.WSGITransport(Handler()), base_url="http://localhost") as client:
        for charset in ("hex", "idna", "utf-16", "nonsense", "x" * 5000, ""):
            answer = client.post(
                f"{KEYS}?organization=acm%65&a=%ff",
                content='{"name": "é"}'.encode(),
                headers={**headers, "Content-Type": f"application/json; charset={charset}"},
            )
            assert answer.status_code == 201, (charset, answer.content)
            assert answer.json()["name"] == "é"
            assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=x", "multipart/form-data", "application/x-www-form-urlencoded"]
)
def test_forms_are_4xx_with_a_key_and_with_a_session(world: World, client: Client, content_type: str) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\ny\r\n--x--\r\n'
    session = world.client(world.manager, enforce_csrf_checks=True, headers={"X-CSRFToken": "a" * 32})
    session.cookies["keyadmin-csrf"] = "a" * 32
    for who, body in itertools.product((client, session), (b"", b"--x", b"name=x", form)):
        answer = call_as(who, "POST", KEYS, body, content_type)
        problem(answer, answer.status_code, json_of(answer)["code"])
        assert 400 <= answer.status_code < 500


def test_a_key_pasted_into_the_wrong_place_is_never_repeated(world: World, client: Client) -> None:
    secret = world.key("*").secret
    core = secret[20:]
    for answer in (
        call(client, "POST", KEYS, {"name": secret + "x" * 80}),
        call(client, "POST", KEYS, {"name": "x", "permissions": [secret]}),
        call(client, "POST", KEYS, {"name": "x", "organization": secret}),
        call(client, "POST", KEYS, {"name": "x", "allowed_networks": [secret]}),
        call(client, "POST", KEYS, {"name": "x", "expiry_date": secret}),
        call(client, "POST", KEYS, {"name": "x", "owner": secret}),
        call(client, "POST", KEYS, {"name": "x", "kind": secret}),
        call(client, "POST", KEYS, {"name": "x", secret: 1}),
        call(client, "POST", KEYS, secret.encode()),
        call(client, "POST", KEYS, {"name": "x"}, headers={"Idempotency-Key": secret + " " + secret}),
        call(client, "GET", f"{KEYS}/{secret}"),
        call(client, "GET", f"{KEYS}?search={secret}"),
        call(client, "GET", f"{KEYS}?status={secret}"),
        call(client, "GET", f"{KEYS}?sort={secret}"),
        call(client, "GET", f"{KEYS}?organization={secret}"),
        call(client, "GET", f"/api/v1/{secret}"),
        call(client, "GET", f"/docs/errors/{secret}"),
    ):
        assert 400 <= answer.status_code < 500
        assert core not in answer.content.decode(), answer.content

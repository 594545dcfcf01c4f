"""Whatever goes wrong on the way, a program reads problem details (RFC 9457)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.api.calls import CRM_KEYS, KEYS, call, json_of, problem
from tests.world import World


@contextmanager
def database_down() -> Iterator[None]:
    """Each statement fails as it does when the server is gone."""

    def refuse(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly, password=hunter2")

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/v1", "/api/v1/", "/api/v1/nope", f"{KEYS}/", f"{KEYS}/1/", f"{KEYS}/1/nope", f"{KEYS}//1",
     "/crm/", "/crm/nope", f"{CRM_KEYS}/1/pause", "/api/v1/../../etc/passwd", "/api/%00", "/api/%ff%fe"],
)  # fmt: skip
def test_unknown_paths_are_404_for_everybody(world: World, client: Client, path: str) -> None:
    problem(call(client, "GET", path), 404, "not_found")
    problem(call(world.client(), "POST", path, {}), 404, "not_found")


def test_a_person_gets_a_page_and_a_program_problem_details(world: World) -> None:
    page = call(world.client(), "GET", "/nowhere")
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert page["X-Request-Id"] in page.content.decode()
    problem(call(world.client(), "GET", "/nowhere", headers={"Accept": "application/json"}), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (KEYS, "GET, HEAD, POST"),
        (CRM_KEYS, "GET, HEAD, POST"),
        (f"{KEYS}/1", "DELETE, GET, HEAD, PATCH"),
        (f"{KEYS}/1/revoke", "POST"),
        ("/api/v1/whoami", "GET, HEAD"),
        ("/api/v1/permissions", "GET, HEAD, POST"),
        ("/crm/customers", "GET, HEAD"),
        ("/api/v1/openapi.json", "GET, HEAD"),
    ],
)
def test_wrong_methods_are_405_with_the_right_ones(client: Client, path: str, allowed: str) -> None:
    for method in ("PUT", "OPTIONS", "TRACE", "PURGE"):
        answer = call(client, method, path)
        problem(answer, 405, "method_not_allowed")
        assert answer["Allow"] == allowed


@pytest.mark.parametrize("path", [KEYS, "/api/v1/whoami", "/api/v1/permissions", "/crm/customers"])
def test_head_is_get_without_its_content(client: Client, path: str) -> None:
    get, head = call(client, "GET", path), call(client, "HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert {name: value for name, value in head.items() if name != "X-Request-Id"} == {
        name: value for name, value in get.items() if name != "X-Request-Id"
    }


def test_head_is_refused_as_get_is(world: World) -> None:
    refused = call(world.client(), "HEAD", KEYS)
    assert (refused.status_code, refused.content) == (401, b"")
    assert call(world.client(key=world.key("*").secret), "HEAD", f"{KEYS}/1/revoke").status_code == 405


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "a b", "localhost:x", "[::1", "testserver,b"]
)
def test_foreign_hosts_are_400(client: Client, host: str) -> None:
    refused = call(client, "GET", KEYS, headers={"Host": host})
    problem(refused, 400, "bad_request")
    assert host not in refused.content.decode()


def test_a_body_that_is_too_large_is_413(client: Client, keys_path: str) -> None:
    large = b'{"name": "' + b"x" * 2**20 + b'"}'
    problem(call(client, "POST", keys_path, large), 413, "payload_too_large")


def test_a_body_in_chunks_is_refused_and_not_ignored(client: Client) -> None:
    chunked = call(client, "POST", KEYS, headers={"Transfer-Encoding": "chunked"})
    assert "Content-Length" in problem(chunked, 400, "bad_request")["detail"]


def test_a_database_that_is_down_is_503_with_retry_after(world: World, client: Client) -> None:
    issued = world.key()
    session = world.client(world.manager)
    for who, method, path in (
        (client, "GET", KEYS),
        (client, "GET", f"{KEYS}/{issued.key.pk}"),
        (client, "POST", f"{KEYS}/{issued.key.pk}/revoke"),
        (client, "GET", "/crm/customers"),
        (client, "GET", "/api/v1/permissions"),
        (session, "GET", KEYS),
    ):
        with database_down():
            answer = call(who, method, path)
        assert int(answer["Retry-After"]) > 0
        assert "hunter2" not in str(problem(answer, 503, "unavailable"))
    assert call(client, "GET", KEYS).status_code == 200


def test_a_database_that_is_down_is_503_for_people_too(world: World) -> None:
    session = world.client(world.manager)
    for path in ("/", "/nowhere"):
        with database_down():
            answer = call(session, "GET", path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")
        assert answer["Content-Type"] == "text/html; charset=utf-8"
        assert answer["X-Request-Id"] in answer.content.decode()


def test_health_needs_no_database(world: World) -> None:
    with database_down():
        answer = call(world.client(), "GET", "/healthz")
    assert (answer.status_code, json_of(answer)) == (200, {"status": "ok"})

"""The API describes itself: OpenAPI 3.1, complete enough for programs that read nothing else."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client, RequestFactory

from keyadmin import api as wiring
from tests.api.calls import call, json_of
from tests.world import World


@pytest.fixture
def openapi(world: World) -> dict[str, Any]:
    answer = call(world.client(), "GET", "/api/v1/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    found: dict[str, Any] = json_of(answer)
    return found


def operations(openapi: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(m, path, operation) for path, item in openapi["paths"].items() for m, operation in item.items()]


def test_it_is_openapi_3_1_with_the_key_in_its_header(openapi: dict[str, Any]) -> None:
    assert openapi["openapi"].startswith("3.1.")
    (scheme,) = openapi["components"]["securitySchemes"].values()
    assert scheme == {"type": "apiKey", "in": "header", "name": "X-API-KEY"}


def test_each_operation_has_an_id_of_its_own_and_says_who_may(openapi: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(openapi)]
    assert len(ids) == len(set(ids)) >= 16
    public = {path for _, path, operation in operations(openapi) if "security" not in operation}
    assert public == {"/api/v1/permissions"}
    assert {m for m, path, operation in operations(openapi) if "security" not in operation} == {"get"}
    assert all(operation["description"] for _, _, operation in operations(openapi))


def test_errors_are_problem_details_and_answers_are_json(openapi: dict[str, Any]) -> None:
    for method, path, operation in operations(openapi):
        statuses = set(operation["responses"])
        assert statuses >= {"400", "422", "500", "503"}
        assert ("401" in statuses) == ("security" in operation)
        if method != "get":
            assert statuses >= {"403", "404", "409", "413"}
            assert ("412" in statuses) == ("If-Match" in {p["name"] for p in operation["parameters"]})
        for status, answer in operation["responses"].items():
            media = "application/json" if status < "400" else "application/problem+json"
            assert list(answer.get("content", {})) == ([] if status == "204" else [media]), (path, status)


def test_headers_that_count_are_described(openapi: dict[str, Any]) -> None:
    named = {
        (method, path): {p["name"] for p in operation["parameters"] if p["in"] == "header"}
        for method, path, operation in operations(openapi)
    }
    one, all_have = "/api/v1/api-keys/{api_key_id}", {"X-Organization", "X-SITE-KEY"}
    assert named["get", "/api/v1/permissions"] == set()
    assert named["get", one] == all_have
    assert named["patch", one] == {*all_have, "X-Reason", "If-Match"}
    assert named["post", "/api/v1/api-keys"] == {*all_have, "X-Reason", "Idempotency-Key"}
    assert named["post", f"{one}/regenerate"] == {*all_have, "X-Reason", "If-Match", "Idempotency-Key"}


def test_bodies_name_all_their_fields_and_no_others(openapi: dict[str, Any], client: Client) -> None:
    required = openapi["components"]["schemas"]
    for name, schema in required.items():
        if "properties" in schema and name != "Problem" and not name.endswith("Query"):
            assert schema.get("additionalProperties") is False, name
    assert "api_key" in required["IssuedOut"]["properties"]
    assert "api_key" not in required["IssuedOut"].get("required", [])
    assert "api_key" not in required["KeyOut"]["properties"]
    assert "link" in required["SentInvitation"]["properties"]
    assert "link" not in required["InvitationOut"]["properties"]


def test_an_absent_field_of_a_change_has_no_default(openapi: dict[str, Any]) -> None:
    """A client generated from the schema would send it, and empty what its caller never named."""
    patches = [s for name, s in openapi["components"]["schemas"].items() if name.endswith("Patch")]
    assert len(patches) >= 7
    for schema in patches:
        assert "required" not in schema
        assert not any("default" in field for field in schema["properties"].values())


def test_both_addresses_describe_the_same(openapi: dict[str, Any]) -> None:
    for tail, method in itertools.product(("", "/{api_key_id}"), ("get", "post", "patch", "delete")):
        ours = openapi["paths"][f"/api/v1/api-keys{tail}"].get(method)
        theirs = openapi["paths"][f"/crm/api-keys{tail}"].get(method)
        if ours:
            assert {**theirs, "operationId": ""} == {**ours, "operationId": ""}


def test_it_is_built_once_however_many_ask_at_the_start(monkeypatch: pytest.MonkeyPatch, rf: RequestFactory) -> None:
    built: list[int] = []
    build, together = wiring.api.get_openapi_schema, threading.Barrier(4)

    def counted(**options: Any) -> Any:
        built.append(threading.get_ident())
        return build(**options)

    def ask(_: int) -> bytes:
        together.wait()
        return wiring.openapi(rf.get("/api/v1/openapi.json")).content

    monkeypatch.setattr(wiring.api, "get_openapi_schema", counted)
    wiring._built.cache_clear()
    with ThreadPoolExecutor(4) as threads:
        answers = set(threads.map(ask, range(4)))
    assert (len(built), len(answers)) == (1, 1)

"""How the tests of this folder call the API and what they compare."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from django.http import HttpResponse
from django.test import Client

from keyadmin.activity.queries import chain_of
from tests.world import World

T = TypeVar("T")
KEYS, CRM_KEYS = "/api/v1/api-keys", "/crm/api-keys"


def call(
    client: Client, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Send a request; `body` goes as JSON, bytes as they are, None is no body. A crash is an answer, as in life."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return call_as(client, method, path, data, "application/json" if data else "", headers=headers)


def call_as(
    client: Client, method: str, path: str, data: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The same with any media type."""
    client.raise_request_exception = False
    return cast(HttpResponse, client.generic(method, path, data, content_type, headers=dict(headers or {})))


def some_or_all(values: Sequence[T], number: int, *, soak: bool) -> Sequence[T]:
    """One of them, for each number the next one; with the full numbers all of them."""
    return values if soak else [values[number % len(values)]]


def json_of(response: HttpResponse) -> Any:
    return json.loads(response.content)


def created(client: Client, path: str = KEYS, **fields: object) -> dict[str, Any]:
    """A new key made over REST, as the answer shows it."""
    response = call(client, "POST", path, {"name": "Made by REST", **fields})
    assert response.status_code == 201, response.content
    body: dict[str, Any] = json_of(response)
    return body


def problem(response: HttpResponse, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is problem details (RFC 9457) of this status and code; returns them."""
    assert response.status_code == status, (response.status_code, response.content[:500])
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json_of(response)
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"].endswith(f"/docs/errors/{code}")
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response["X-Request-Id"]
    return body


def comparable(response: HttpResponse) -> tuple[int, bytes, str]:
    """An answer without what differs from request to request, to compare two to the byte."""
    request_id = response["X-Request-Id"].encode()
    challenge = response.get("WWW-Authenticate", "")
    return response.status_code, response.content.replace(request_id, b"req"), challenge


def events(world: World, **target: int) -> list[dict[str, Any]]:
    """What acme's chain says, oldest first; about one key where `api_key` gives its id."""
    found = [json.loads(text) for text in chain_of(world.acme.pk).values_list("text", flat=True)]
    if "api_key" in target:
        found = [e for e in found if e["target"]["kind"] == "api_key" and e["target"]["id"] == target["api_key"]]
    return found


def event_names(world: World, **target: int) -> list[str]:
    return [event["name"] for event in events(world, **target)]

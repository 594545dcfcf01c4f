"""Every answer carries X-Request-Id; one that came with the request is believed from trusted proxies only."""

import dataclasses
import json
import re

import pytest
from django.http import HttpResponse
from pytest_django.fixtures import Settings

from keyadmin.keys import queries
from tests.api.calls import KEYS, call, problem
from tests.world import World

OURS = re.compile(r"req_[0-9a-f]{20}")


def test_each_answer_has_an_id_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client, anybody = world.client(key=world.key("*").secret), world.client()
    foreign = {"Host": "evil.example"}
    answers: list[tuple[int, HttpResponse]] = [
        (200, call(client, "GET", KEYS)),
        (200, call(anybody, "GET", "/healthz")),
        (200, call(anybody, "GET", "/healthz", headers=foreign)),
        (200, call(anybody, "GET", "/static/css/tokens.css")),
        (404, call(anybody, "GET", "/static/nothing.css")),
        (302, call(anybody, "GET", "/")),
        (200, call(anybody, "GET", "/sign-in/")),
        (404, call(anybody, "GET", "/nowhere")),
        (404, call(anybody, "GET", "/api/v1/nowhere")),
        (405, call(anybody, "PUT", KEYS)),
        (405, call(anybody, "POST", "/docs/")),
        (400, call(anybody, "GET", KEYS, headers=foreign)),
        (401, call(anybody, "GET", KEYS)),
        (413, call(client, "POST", KEYS, b"x" * (2**20 + 1))),
        (422, call(client, "POST", KEYS, {})),
        (200, call(client, "HEAD", KEYS)),
        (405, call(client, "OPTIONS", KEYS)),
    ]

    def crash(*args: object) -> None:
        raise RuntimeError("a fault made for this test")

    monkeypatch.setattr(queries, "visible_keys", crash)
    answers.append((500, call(client, "GET", KEYS)))
    for status, answer in answers:
        assert answer.status_code == status
        assert OURS.fullmatch(answer["X-Request-Id"])
    assert len({answer["X-Request-Id"] for _, answer in answers}) == len(answers)


def test_a_fault_is_500_logged_with_its_id_and_without_the_key(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    issued = world.key("*")

    def crash(*args: object) -> None:
        raise RuntimeError(f"a fault that names {issued.secret}")

    monkeypatch.setattr(queries, "visible_keys", crash)
    answer = call(world.client(key=issued.secret), "GET", f"{KEYS}?search={issued.key.name}")
    body = problem(answer, 500, "internal_error")
    assert issued.secret not in json.dumps(body)
    assert "fault" not in json.dumps(body)
    assert body["request_id"] in caplog.text
    assert "search=" not in caplog.text


@pytest.mark.parametrize("given", ["abc-123", "req_ours.1", "x" * 64])
def test_an_id_is_believed_from_a_trusted_proxy_only(world: World, settings: Settings, given: str) -> None:
    client = world.client(key=world.key("*").secret)
    headers = {"X-Request-Id": given}
    assert call(client, "GET", KEYS, headers=headers)["X-Request-Id"] != given
    settings.ENV = dataclasses.replace(settings.ENV, trusted_proxies=("127.0.0.1/32",))
    assert call(client, "GET", KEYS, headers=headers)["X-Request-Id"] == given
    assert problem(call(client, "GET", f"{KEYS}/99", headers=headers), 404, "not_found")["request_id"] == given
    settings.ENV = dataclasses.replace(settings.ENV, trusted_proxies=("10.0.0.0/8",))
    assert call(client, "GET", KEYS, headers=headers)["X-Request-Id"] != given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\r\nSet-Cookie: x=y", "<b>", "é", "a,b"])
def test_nonsense_is_replaced_even_from_a_trusted_proxy(world: World, settings: Settings, given: str) -> None:
    settings.ENV = dataclasses.replace(settings.ENV, trusted_proxies=("127.0.0.1/32",))
    assert OURS.fullmatch(call(world.client(), "GET", KEYS, headers={"X-Request-Id": given})["X-Request-Id"])


def test_the_address_of_the_client_is_believed_from_a_trusted_proxy_only(world: World, settings: Settings) -> None:
    client = world.client(key=world.key(allowed_networks=["203.0.113.0/24"]).secret)
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    assert call(client, "GET", "/api/v1/whoami", headers=headers).status_code == 403
    settings.ENV = dataclasses.replace(settings.ENV, trusted_proxies=("127.0.0.1/32",))
    assert call(client, "GET", "/api/v1/whoami", headers=headers).status_code == 200
    forged = {"X-Forwarded-For": "203.0.113.9, 198.51.100.1"}
    assert call(client, "GET", "/api/v1/whoami", headers=forged).status_code == 403

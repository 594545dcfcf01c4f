"""A request counts when it is complete; until then it holds nothing up and has been let in nowhere."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.running.installation import Installation, prepared
from tests.running.revoking import Office

SOON = 15.0  # seconds; those that hold back a body are given 20
IDLE = 300


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that believes what a proxy on this machine says of the client's address."""
    with prepared(tmp_path_factory.mktemp("proxy"), KEYADMIN_TRUSTED_PROXIES="127.0.0.1/32") as made:
        made.start()
        yield made


@contextmanager
def half_sent(running: Installation, path: str, body: str, *, key: str = "") -> Iterator[socket.socket]:
    """A POST whose body has not come yet."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        head += "Content-Type: application/json\r\nConnection: close\r\n"
        head += f"X-API-KEY: {key}\r\n\r\n" if key else "\r\n"
        connection.sendall(head.encode())
        yield connection


def status_of(connection: socket.socket) -> int:
    return int(connection.makefile("rb").readline().split()[1])


@pytest.mark.parametrize("command", ["revoke_key", "pause_key", "delete_key", "regenerate_key"])
def test_a_request_held_back_until_its_key_is_dead_is_refused(
    running: Installation, office: Office, command: str
) -> None:
    held = office.key(permissions=["*"])
    secret, key_id = held["api_key"], str(held["api_key_id"])
    body = json.dumps({"name": "Planted", "permissions": ["*"]})
    with half_sent(running, "/api/v1/api-keys", body, key=secret) as connection:
        time.sleep(0.2)
        assert running.run(command, key_id).returncode == 0
        connection.sendall(body.encode())
        assert status_of(connection) == 401
    assert office.call("GET", "/api-keys?search=Planted")["total"] == 0


def test_bodies_that_never_come_hold_nobody_up(running: Installation, office: Office) -> None:
    secret = office.key()["api_key"]
    with ExitStack() as stack:
        for path in ("/sign-in/", "/api/v1/api-keys", "/healthz"):
            for _ in range(IDLE // 3):
                stack.enter_context(half_sent(running, path, "never"))
        started = time.monotonic()
        assert running.get("/api/v1/whoami", key=secret).status_code == 200
        assert time.monotonic() - started < SOON


def test_a_header_with_underscores_is_no_header_of_ours(running: Installation, office: Office) -> None:
    admin, viewer = office.key(permissions=["*"])["api_key"], office.key(name="V")["api_key"]
    assert running.get("/api/v1/whoami", X_API_KEY=admin).status_code == 401
    seen = running.get("/api/v1/whoami", key=viewer, X_API_KEY=admin)
    assert seen.json()["name"] == "V"


def test_a_client_does_not_choose_its_own_address(behind_proxy: Installation) -> None:
    key = behind_proxy.secret("create_key", "--name", "Inside", "--network", "10.0.0.0/8", "--network", "127.0.0.0/8")

    def status(*headers: tuple[bytes, bytes]) -> int:
        with socket.create_connection(("127.0.0.1", behind_proxy.port), timeout=10) as connection:
            lines = [
                b"GET /api/v1/whoami HTTP/1.1",
                b"Host: 127.0.0.1",
                b"Connection: close",
                b"X-API-KEY: " + key.encode(),
            ]
            lines += [name + b": " + value for name, value in headers]
            connection.sendall(b"\r\n".join([*lines, b"", b""]))
            return status_of(connection)

    outside = (b"X-Forwarded-For", b"203.0.113.9")
    assert status((b"X-Forwarded-For", b"10.1.1.1")) == 200
    assert status(outside) == 403
    assert status(outside, (b"X_Forwarded_For", b"10.1.1.1")) == 403
    assert status((b"X-Forwarded-For", b"10.1.1.1, 203.0.113.9")) == 403
    assert status((b"X-Forwarded-For", b"\xff, 203.0.113.9")) == 403
    assert status(outside, (b"X-Forwarded-For", b"\xff")) == 403


def test_a_chunked_body_is_read(running: Installation, office: Office) -> None:
    secret = office.key(permissions=["*"])["api_key"]
    body = b'{"name": "In chunks"}'
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        head = (
            "POST /api/v1/api-keys HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        )
        connection.sendall(f"{head}Content-Type: application/json\r\nX-API-KEY: {secret}\r\n\r\n".encode())
        for piece in (body[:9], body[9:], b""):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        assert status_of(connection) == 201


@pytest.mark.parametrize("framing", ["announced", "chunked"])
def test_a_body_that_is_too_long_is_413(running: Installation, framing: str) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        length = 2**21
        line = f"Content-Length: {length}" if framing == "announced" else "Transfer-Encoding: chunked"
        head = f"POST /api/v1/api-keys HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{line}\r\n\r\n"
        connection.sendall(head.encode())
        if framing == "chunked":
            connection.sendall(b"%x\r\n" % length + bytes(length))
        assert status_of(connection) == 413


def test_a_header_that_is_no_text_is_not_absent(running: Installation, office: Office) -> None:
    odd = office.key(permissions=["*"])
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        lines = [
            b"DELETE /api/v1/api-keys/%d HTTP/1.1" % odd["api_key_id"],
            b"Host: 127.0.0.1",
            b"Connection: close",
            b'If-Match: "99\xff"',
            b"X-API-KEY: " + odd["api_key"].encode(),
        ]
        connection.sendall(b"\r\n".join([*lines, b"", b""]))
        assert status_of(connection) == 412

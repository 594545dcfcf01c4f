"""Requests to the byte, as no client library would send them, and what comes back."""

import http.client
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Header = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """`headers` as they came, names in lower case; one that came twice stands there twice."""

    status: int
    headers: tuple[Header, ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header; None if it did not come. It must not come twice."""
        found = [value for one, value in self.headers if one == name]
        assert len(found) < 2, found
        return found[0] if found else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def head(method: str, target: str, headers: Iterable[Header], *, host: str | None = "gateway.example") -> bytes:
    """The head of a request; without a Host where that is None."""
    lines = [f"{method} {target} HTTP/1.1", *([] if host is None else [f"Host: {host}"]), "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def sent(port: int, raw: bytes, *, source: str = "127.0.0.1", method: str = "GET") -> Answer:
    """Send these bytes from an address of this machine and read one answer. OSError, HTTPException if none comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0)) as connection:
        connection.sendall(raw)
        return read(connection, method)


def read(connection: socket.socket, method: str = "GET") -> Answer:
    """The next answer on a connection."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    headers = tuple((name.lower(), value) for name, value in response.getheaders())
    return Answer(response.status, headers, response.read())


def asked(
    port: int,
    target: str,
    *headers: Header,
    key: str = "",
    method: str = "GET",
    source: str = "127.0.0.1",
    host: str | None = "gateway.example",
) -> Answer:
    """A request without a body."""
    credential = [("X-API-KEY", key)] if key else []
    return sent(port, head(method, target, [*credential, *headers], host=host), source=source, method=method)

"""The two sides of a right: who uses it at `/verify`, and who gives it and takes it away by REST."""

import http.client
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.running.installation import CLIENT

PATIENCE = 50  # tries
PATH = "/verify?organization=acme&permission=view_customer"


@dataclass
class Host:
    """One address that verifies keys; each thread keeps connections of its own."""

    address: str
    _mine: threading.local = field(default_factory=threading.local)

    def asks(self, key: str, *, anew: bool = False) -> int:
        """The status of `/verify` for a key; `anew`: on a new connection, which another process may accept."""
        for again in (False, True):
            connection = getattr(self._mine, "connection", None)
            if connection is None or anew or again:
                if connection is not None:
                    connection.close()
                host, _, port = self.address.removeprefix("http://").rpartition(":")
                connection = self._mine.connection = http.client.HTTPConnection(host, int(port), timeout=20)
            try:
                connection.request("GET", PATH, headers={"X-API-KEY": key})
                answer = connection.getresponse()
                answer.read()
            except (http.client.HTTPException, OSError):
                continue
            return answer.status
        raise AssertionError("The server does not answer.")


class Office:
    """The REST endpoints, for whoever takes rights away: at an address from which no wrong keys come."""

    def __init__(self, address: str, key: str) -> None:
        is_here = urlsplit(address).hostname == "127.0.0.1"  # hosts in other networks have their own ideas of that
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2" if is_here else None, verify=False)
        self.client = httpx.Client(
            base_url=f"{address}/api/v1", headers={"X-API-KEY": key}, transport=elsewhere, **CLIENT
        )

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        for _ in range(PATIENCE):
            answer = self.client.request(method, path, json=body, headers={"X-Organization": "acme", **headers})
            if answer.status_code != 503:
                break
            time.sleep(0.2)  # a busy machine: nothing was changed, says the answer
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def key(self, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.call("POST", "/api-keys", {"name": "Watched", **fields})
        return made

"""Requests that go on while rights are taken away: what was sent after an answer must not be accepted any more."""

import http.client
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.running.installation import CLIENT

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


@dataclass
class Found:
    """What became of the requests: how many were sent after an answer, and what was accepted of them."""

    after: int = 0
    accepted: list[str] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)  # seconds that each answer took


class Office:
    """The REST endpoints, for whoever takes rights away."""

    def __init__(self, address: str, key: str) -> None:
        self.client = httpx.Client(base_url=f"{address}/api/v1", headers={"X-API-KEY": key}, **CLIENT)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.client.request(method, path, json=body, headers={"X-Organization": "acme", **headers})
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def key(self, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.call("POST", "/api-keys", {"name": "Watched", **fields})
        return made


def hammered(hosts: Iterable[Host], key: str, number: int, found: Found, act: Callable[[], object], way: str) -> None:
    """Send requests from several threads, take the right away in the middle, and send at least so many after that."""
    enough = found.after + number
    answered = float("inf")
    over = False
    lock = threading.Lock()

    def send(host: Host, place: int) -> None:
        count = 0
        while not over:
            sent = time.monotonic()
            after = sent > answered
            status = host.asks(key, anew=count % 7 == place)
            count += 1
            if after:
                with lock:
                    found.after += 1
                    if status == 200:
                        found.accepted.append(f"{way}: {sent - answered:.3f} s after the answer")

    threads = [threading.Thread(target=send, args=(host, place)) for host in hosts for place in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    began = time.monotonic()
    try:
        act()
        answered = time.monotonic()
        found.slowest.append(answered - began)
        while found.after < enough:
            assert time.monotonic() < answered + 20
            time.sleep(0.01)
    finally:
        over = True
        for thread in threads:
            thread.join()

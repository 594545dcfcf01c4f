"""Clients that go on while a server is killed, and remember all that was acknowledged."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.running.revoking import PATH

AGAIN_SECONDS = 0.02
Event = tuple[str, int]


class Client(threading.Thread):
    """One that acts until it is told to stop, on one connection after the other."""

    def __init__(self, port: int, key: str) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.answered: list[float] = []  # when each good answer had come, by the monotonic clock
        self.request_ids: list[str] = []  # of the answers that must have a record
        self.failure: Exception | None = None
        self.key = key
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        try:
            while not self.over.is_set():
                self.act()
        except Exception as error:
            self.failure = error

    def act(self) -> None:
        raise NotImplementedError

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes] | None:
        """Status and content of a whole answer; None if it did not come."""
        connection = self._connection or http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, content, {"X-API-KEY": self.key, **headers})
            answer = connection.getresponse()
            text = answer.read()
        except (http.client.HTTPException, OSError):
            connection.close()
            self._connection = None
            time.sleep(AGAIN_SECONDS)
            return None
        self._connection = connection
        if answer.status < 300:
            self.answered.append(time.monotonic())
            self.request_ids.append(answer.headers["X-Request-Id"])
        return answer.status, text


class Verifier(Client):
    """Sends the same key again and again; now and then on a new connection, which another process may accept."""

    def act(self) -> None:
        if len(self.answered) % 50 == 49:
            self._connection = None
        got = self.ask("GET", PATH)
        if got is not None:
            assert got[0] in (200, 503), got
            time.sleep(0.001 if got[0] == 200 else AGAIN_SECONDS)


class Changer(Client):
    """Makes keys, pauses, resumes and revokes them. Each act is repeated, as the same one, until it is acknowledged."""

    def __init__(self, port: int, key: str, name: str) -> None:
        super().__init__(port, key)
        self.told: list[Event] = []
        self._name, self._number = name, 0

    def act(self) -> None:
        made = self._surely("created", "", {"name": f"{self._name} {self._number}"})
        for name, way in (("paused", "pause"), ("resumed", "resume"), ("revoked", "revoke")):
            if self.over.is_set():
                return
            self._surely(name, f"/{made}/{way}", None)

    def _surely(self, event: str, path: str, body: Any) -> int:
        self._number += 1
        once = f"{self._name}-{self._number}"
        while True:
            got = self.ask("POST", f"/api/v1/api-keys{path}", body, **{"Idempotency-Key": once})
            if got is None or got[0] == 503:
                time.sleep(AGAIN_SECONDS)
                continue
            assert got[0] in (200, 201), got
            key = int(json.loads(got[1])["api_key_id"])
            self.told.append((f"api_key.{event}", key))
            return key


class Keeper(threading.Thread):
    """Does every so often what has to be done while the others are at it."""

    def __init__(self, do: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self._do = do

    def run(self) -> None:
        while not self.over.wait(0.05):
            self._do()

    def end(self) -> None:
        """Returns when it does nothing any more."""
        self.over.set()
        if self.is_alive():
            self.join()


def longest_gaps(moments: list[float], number: int) -> list[float]:
    """The longest times between two good answers, in seconds, the longest first."""
    return sorted((b - a for a, b in pairwise(sorted(moments))), reverse=True)[:number]

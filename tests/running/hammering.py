"""Load on `/verify` while rights are taken away: what is sent after an answer must not be accepted any more.

One thread, many connections, each with one request under way: what it costs is the server's time, not the tests'.
"""

import random
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.running.revoking import PATH

CONNECTIONS = 12  # to each host
RENEWED = 60  # requests after which a connection is a new one, which another process may accept
PATIENCE = 300.0  # seconds; a busy machine is no fault of the code
ACTING = ThreadPoolExecutor(10)


@dataclass
class Victim:
    """A secret that works, and what takes that away."""

    secret: str
    act: Callable[[], object]
    path: str = PATH
    answered: float = float("inf")  # when the answer to that had come, by the monotonic clock
    after: int = 0  # requests that were sent later than that and answered

    def take_away(self) -> float:
        """Returns the seconds that the answer took."""
        began = time.monotonic()
        self.act()
        self.answered = time.monotonic()
        return self.answered - began


@dataclass
class Found:
    """What became of the requests that were sent after an answer, and how long each of those answers took."""

    after: int = 0
    accepted: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)  # seconds
    statuses: Counter[int] = field(default_factory=Counter)

    def __str__(self) -> str:
        p99 = sorted(self.took)[int(len(self.took) * 0.99)] if self.took else 0.0
        answers = ", ".join(f"{number} x {status}" for status, number in sorted(self.statuses.items()))
        return (
            f"{len(self.took)} taken away (p99 {p99 * 1000:.0f} ms), {self.after} requests after that ({answers}), "
            f"{len(self.accepted)} accepted"
        )


class Connection:
    """One at a time: a request, then its whole answer."""

    def __init__(self, address: str) -> None:
        self.host, _, port = address.removeprefix("http://").rpartition(":")
        self._place = (self.host, int(port))
        self._left = 0
        self.socket: socket.socket | None = None
        self.victim: Victim | None = None
        self.sent = 0.0
        self._received = b""

    def send(self, victim: Victim) -> None:
        self.victim, self._received = victim, b""
        if self.socket is None or self._left <= 0:
            self.close()
            self.socket = socket.create_connection(self._place, timeout=PATIENCE)
            self._left = random.randint(RENEWED // 2, RENEWED)
        self._left -= 1
        request = f"GET {victim.path} HTTP/1.1\r\nHost: {self.host}\r\nX-API-KEY: {victim.secret}\r\n\r\n".encode()
        self.sent = time.monotonic()  # before the first byte: what counts as later is later
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status, as soon as all of the answer is there. Raises ConnectionError where none will come."""
        assert self.socket is not None
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionResetError
        self._received += piece
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        return int(head[9:12]) if len(rest) >= int(length or 0) else None

    def answer(self) -> int:
        """The same, waited for."""
        status = None
        while status is None:
            status = self.receive()
        return status

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Load:
    """Connections to all hosts."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self.connections = [Connection(address) for address in addresses for _ in range(CONNECTIONS)]

    def warm(self, victims: Sequence[Victim]) -> None:
        """Have every process know every secret. Each must be accepted; 503: too many wrong ones are in line."""
        for victim in victims:
            deadline, asking = time.monotonic() + PATIENCE, self.connections
            while asking:
                for connection in asking:
                    connection.send(victim)
                statuses = [(connection, connection.answer()) for connection in asking]
                assert {status for _, status in statuses} <= {200, 503}
                assert time.monotonic() < deadline
                asking = [connection for connection, status in statuses if status != 200]

    def take_away(self, victims: Sequence[Victim], number: int, found: Found, way: str) -> None:
        """Ask for all while what they may do is taken away, and for each at least so often after that."""
        acts: list[Future[float]] = []
        deadline = time.monotonic() + PATIENCE
        with self._asking(victims, number) as answers:
            for status, victim, sent in answers:
                assert time.monotonic() < deadline
                if sent > victim.answered:
                    victim.after += 1
                    found.statuses[status] += 1
                    if status == 200:
                        found.accepted.append(f"{way}: {sent - victim.answered:.3f} s after the answer")
                if not acts:
                    acts = [ACTING.submit(victim.take_away) for victim in victims]
                for act in acts:
                    if act.done():
                        act.result()  # an error ends the round
                if all(victim.after >= number for victim in victims):
                    break
        found.took += [act.result() for act in acts]
        found.after += sum(victim.after for victim in victims)

    @contextmanager
    def _asking(self, victims: Sequence[Victim], number: int) -> Iterator[Iterator[tuple[int, Victim, float]]]:
        with selectors.DefaultSelector() as selector:
            yield self._answers(selector, victims, number)
        for connection in self.connections:
            connection.close()

    def _answers(
        self, selector: selectors.BaseSelector, victims: Sequence[Victim], number: int
    ) -> Iterator[tuple[int, Victim, float]]:
        """Status, victim and moment of sending of each request, for ever."""
        for connection in self.connections:
            self._ask(selector, connection, _next(victims, number))
        while True:
            for key, _ in selector.select(PATIENCE):
                connection = key.data
                try:
                    status = connection.receive()
                except ConnectionError:  # closed while nothing was under way, as a server may
                    connection.close()
                    self._ask(selector, connection, connection.victim, key.fileobj)
                    continue
                if status is not None:
                    yield status, connection.victim, connection.sent
                    self._ask(selector, connection, _next(victims, number), key.fileobj)

    def _ask(
        self, selector: selectors.BaseSelector, connection: Connection, victim: Victim, before: object = None
    ) -> None:
        connection.send(victim)
        if connection.socket is not before:
            if before is not None:
                selector.unregister(before)  # type: ignore[arg-type]
            selector.register(connection.socket, selectors.EVENT_READ, connection)  # type: ignore[arg-type]


def _next(victims: Sequence[Victim], number: int) -> Victim:
    """Whoever lost it last and was asked for least; before that, anybody."""
    due = [victim for victim in victims if victim.answered < float("inf") and victim.after < number]
    return min(due, key=lambda victim: victim.after) if due else random.choice(victims)

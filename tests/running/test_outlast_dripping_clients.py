"""R25: 500 connections that drip their heads or bodies slow nobody down, and are closed in the end."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.running.installation import ADMINISTRATOR, Installation, installation
from tests.running.revoking import PATH

HEAD = b"GET /verify HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = b"POST /api/v1/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"
DRIP_SECONDS = 1.0
PATIENCE = 90.0  # seconds until the last one is closed; the deadline is well below, a busy machine no fault of the code


class Drippers(threading.Thread):
    """Send a byte on each connection every second, as long as the server takes it."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.open = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(number)]
        for place, connection in enumerate(self.open):
            connection.sendall(BODY if place % 2 else HEAD)
            connection.setblocking(False)

    def run(self) -> None:
        while not self.over.wait(DRIP_SECONDS):
            self.open = [connection for connection in self.open if drips(connection)]

    def close(self) -> None:
        self.over.set()
        self.join()
        for connection in self.open:
            connection.close()


def drips(connection: socket.socket) -> bool:
    """Send one byte; whether the server still listens."""
    try:
        while connection.recv(4096):
            pass  # it may say why before it closes
    except BlockingIOError:
        pass
    except OSError:
        connection.close()
        return False
    else:
        connection.close()
        return False
    try:
        connection.send(b"a")
    except OSError:
        connection.close()
        return False
    return True


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("slow"), **ADMINISTRATOR) as one:
        one.start()
        yield one


def times(made: Installation, key: str, number: int) -> list[float]:
    """The seconds that each of so many requests took, on one connection; each must be answered with yes."""
    found = []
    with made.browser() as client:
        for _ in range(number):
            began = time.monotonic()
            answer = client.get(PATH, headers={"X-API-KEY": key})
            found.append(time.monotonic() - began)
            assert answer.status_code == 200
    return sorted(found)


def test_nobody_waits_for_slow_clients(made: Installation, soak: bool, report: Callable[[str], None]) -> None:
    slow, number = (500, 5000) if soak else (100, 200)
    key = made.secret("create_key", "--name", "Quick", "--permission", "view_customer")
    times(made, key, number // 10)
    before = times(made, key, number)
    drippers = Drippers(made.port, slow)
    try:
        drippers.start()
        beside = times(made, key, number)
        there = len(drippers.open)
        p99s = before[int(number * 0.99)], beside[int(number * 0.99)]
        report(f"R25: p99 {p99s[0] * 1000:.1f} ms alone, {p99s[1] * 1000:.1f} ms beside {there} slow connections")
        assert there > slow * 0.9, "they were all open while the others were answered"
        if soak:
            assert p99s[1] <= 2 * p99s[0]
            deadline = time.monotonic() + PATIENCE
            while drippers.open:
                assert time.monotonic() < deadline, f"{len(drippers.open)} are still open"
                time.sleep(0.5)
    finally:
        drippers.close()
    assert made.get(PATH, key=key).status_code == 200

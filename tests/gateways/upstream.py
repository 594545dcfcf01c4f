"""An application behind a gateway: it answers everything, and remembers to the byte what reached it."""

import contextlib
import re
import socket
import threading
from dataclasses import dataclass
from typing import BinaryIO

_LENGTH = re.compile(rb"^content-length:[ \t]*(\d+)[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:[ \t]*chunked[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
BODY = bytes(range(256)) * 40


@dataclass(frozen=True)
class Reached:
    """One request as it came in: the head without the empty line that ends it, with the trailers, and the body."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Names and values as they were sent."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines if line)]

    def values(self, name: str) -> list[str]:
        """The values of all headers that an application could take for this one."""
        return [value for one, value in self.headers if squeezed(one) == squeezed(name)]


def squeezed(name: str) -> str:
    """A header's name as lax applications read it: whatever its case, all but letters and digits are the same."""
    return re.sub(r"[^a-z0-9]", "-", name.lower())


class Upstream:
    """Listens on a port of its own until it is closed."""

    def __init__(self) -> None:
        self.reached: list[Reached] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def taken(self) -> list[Reached]:
        """What has come since the last call."""
        found, self.reached = self.reached, []
        return found

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        with contextlib.suppress(ConnectionError, ValueError):  # gone in the middle of a request
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = stream.readline()
                    if not line:
                        return
                    head += line
                body, trailers = _rest(head, stream)
                self.reached.append(Reached(head[:-2] + trailers, body))
                connection.sendall(
                    b"HTTP/1.1 201 Made\r\nContent-Type: application/x-odd\r\nX-Own: kept\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
                )


def _rest(head: bytes, stream: BinaryIO) -> tuple[bytes, bytes]:
    """The body of a request and the headers behind it."""
    if not _CHUNKED.search(head):
        length = _LENGTH.search(head)
        return stream.read(int(length[1])) if length else b"", b""
    body = trailers = b""
    while size := int(stream.readline().partition(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    while (line := stream.readline()).strip():
        trailers += line
    return body, trailers

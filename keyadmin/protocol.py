"""HTTP/1.1 on one connection: uvicorn's, within bounds of size and time, and with a short cut for `/verify`.

What memory knows is answered as soon as the headers are in, without the task, the scope and the messages that an ASGI
application costs; everything else goes to `asgi.py`. uvicorn itself bounds neither the head of a request nor the time
that one may take to arrive.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from keyadmin.verify import fastpath

LONGEST_HEAD: Final = 32 << 10  # bytes, request line and headers
MOST_HEADERS: Final = 100
RECEIVE_SECONDS: Final = 25.0  # for a request to arrive in whole: longer than `asgi.py` gives a body
IDLE_SECONDS: Final = 75.0  # longer than gateways keep a connection to what is behind them
STUCK_SECONDS: Final = 30.0  # for a client to take its answer
LINGER_SECONDS: Final = 1.0  # for a request that was under way when the process was told to end
VERIFY: Final = b"/verify"


class Protocol(HttpToolsProtocol):
    """One connection. `look_after` is to be called every second or so: no request sets a timer of its own."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._peer: str = self.client[0] if self.client else ""
        self._since = self.loop.time()  # the request that is arriving began, or the connection fell silent
        self._stuck = 0.0  # since when the client takes no answer; 0: it does
        self._is_arriving = self._is_in_head = self._is_ours = self._is_leaving = False
        self._head_length = self._in_pieces = 0

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._in_pieces += len(data)
            if self._in_pieces > LONGEST_HEAD:
                self._refuse_head()

    # What the parser calls

    def on_message_begin(self) -> None:
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._is_arriving = self._is_in_head = True
        self._is_ours = False
        self._head_length = self._in_pieces = 0
        self._since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self._head_length += len(name) + len(value)
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if self._head_length + len(self.url) > LONGEST_HEAD or len(self.headers) > MOST_HEADERS:
            self._refuse_head()
        elif not (self.url.startswith(VERIFY) and self._is_free() and self._answer_at_once()):
            self._hand_on()

    def on_body(self, body: bytes) -> None:
        if not self._is_ours:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_arriving, self._since = False, self.loop.time()
        if not self._is_ours:
            super().on_message_complete()

    # Ours

    def _is_free(self) -> bool:
        """Whether nothing stands before this request: no answer that is still being made or waits to be taken."""
        return not (self._is_being_answered() or self._stuck or self.expect_100_continue)

    def _is_being_answered(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _answer_at_once(self) -> bool:
        path, _, query = self.url.partition(b"?")
        if path != VERIFY:
            return False
        method = self.parser.get_method()
        asked = fastpath.asked_by(method.decode("ascii"), "/verify", query, self.headers, self._peer)
        reply = fastpath.at_once(asked)
        if reply is None:
            return False
        self._is_ours = True
        keep_alive = (
            not self._is_leaving and self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        )
        head = [STATUS_LINE[reply.status]]
        for name, value in self.server_state.default_headers:
            head += (name, b": ", value, b"\r\n")
        head += (fastpath.lines_of(reply, asked), b"" if keep_alive else b"connection: close\r\n", b"\r\n")
        if reply.body and method != b"HEAD":
            head.append(reply.body)
        self.transport.write(b"".join(head))
        if not keep_alive:
            self.transport.close()
        return True

    def _hand_on(self) -> None:
        """Let uvicorn have the request, as if it had read the headers itself."""
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        super().on_headers_complete()
        if self._is_leaving:
            self.cycle.keep_alive = False

    def _refuse_head(self) -> None:
        """431 (RFC 6585 §5), and no more of this connection."""
        self._is_ours, self._is_in_head = True, False
        self.transport.write(STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    # Time

    def look_after(self, now: float) -> None:
        """End a connection whose client takes too long; `now` is the loop's time."""
        if self._stuck:
            if now - self._stuck > STUCK_SECONDS:
                self.transport.abort()
        elif self._is_arriving:
            if now - self._since > RECEIVE_SECONDS:
                self.transport.close()
        elif now - self._since > IDLE_SECONDS and not self._is_being_answered():
            self.transport.close()

    def pause_writing(self) -> None:
        self._stuck = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck = 0.0
        super().resume_writing()

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()

    def shutdown(self) -> None:
        """Take one last request, which may be under way already, and let the next ones go elsewhere."""
        self._is_leaving = True
        if self._is_being_answered():
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(LINGER_SECONDS, self._leave)

    def _leave(self) -> None:
        if not (self._is_arriving or self._is_being_answered()):
            self.transport.close()


def connections(state: Any) -> list[Protocol]:
    """Those of a server (uvicorn's ServerState)."""
    return [one for one in state.connections if isinstance(one, Protocol)]

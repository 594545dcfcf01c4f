"""HTTP/1.1 on one connection: uvicorn's, within bounds of size and time, and with a short cut for `/verify`.

What memory knows is answered as soon as the headers are in, without the task, the scope and the messages that an ASGI
application costs; everything else goes to `asgi.py`. uvicorn itself bounds neither the head of a request nor the time
that one may take to arrive.
"""

import asyncio
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from keyadmin.turn import Sender, Turn
from keyadmin.verify import fastpath

LONGEST_HEAD: Final = 32 << 10  # bytes, request line and headers
MOST_HEADERS: Final = 100
MOST_WAITING: Final = 16  # requests that came before those ahead of them were answered
MOST_AT_ONCE: Final = 32  # answers to what came in one piece: others' turn comes between two pieces
RECEIVE_SECONDS: Final = 25.0  # for a request to arrive in whole: longer than `asgi.py` gives a body
IDLE_SECONDS: Final = 75.0  # longer than gateways keep a connection to what is behind them
STUCK_SECONDS: Final = 30.0  # for a client to take its answer
LINGER_SECONDS: Final = 1.0  # for what is under way when a connection is about to be closed
CLOSE: Final = b"connection: close\r\n"
VERIFY: Final = b"/verify"
_turn = Turn(fastpath.keep_records)


class Protocol(HttpToolsProtocol):
    """One connection. `look_after` is to be called every second or so: no request sets a timer of its own."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        sender = Sender(cast(asyncio.Transport, transport), _turn, self.loop)
        super().connection_made(cast(asyncio.Transport, sender))
        self._peer: str = self.client[0] if self.client else ""
        self._since = self.loop.time()  # the request that is arriving began, or the connection fell silent
        self._stuck = 0.0  # since when the client takes no answer; 0: it does
        self._is_arriving = self._is_in_head = self._is_handed_on = self._has_body = False
        self._is_leaving = False  # the process ends: each answer is the last of its connection
        self._is_ended = False  # nothing that still comes is looked at
        self._begun = self._received = self._head_length = self._body_length = self._at_once = 0
        self._running: RequestResponseCycle | None = None

    def data_received(self, data: bytes) -> None:
        if self._is_ended:
            return
        begun, self._at_once = self._begun, 0
        self._unset_keepalive_if_required()
        self._parse(data)
        if self._is_arriving and self._begun == begun:
            # What is no body is head, the frames of chunks, or trailers: chunks of a byte each are five times that.
            self._received += len(data)
            if self._received > LONGEST_HEAD + 2 * self._body_length:
                self._give_up(431 if self._is_in_head else 400)

    def _parse(self, data: bytes) -> None:
        while data and not self._is_ended:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as wish:
                data = data[wish.args[0] :]  # no other protocol is spoken here: what follows is the next request
            except httptools.HttpParserError:
                self.send_400_response("")
            else:
                return

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client that sends nothing more gets the answers that it waits for."""
        _turn.send()
        self._is_ended = True
        return self._is_being_answered() and not (self._is_arriving and self._is_handed_on)

    # What the parser calls

    def on_message_begin(self) -> None:
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._is_arriving = self._is_in_head = True
        self._is_handed_on = self._has_body = False
        self._begun += 1
        self._received = self._head_length = self._body_length = 0
        self._since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_in_head:
            return  # a trailer, which counts for nothing (RFC 9110 §6.5.1)
        name = name.lower()
        self._head_length += len(name) + len(value)
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            self._has_body = True
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if self._is_ended:
            return
        if self._head_length + len(self.url) > LONGEST_HEAD or len(self.headers) > MOST_HEADERS:
            self._give_up(431)
        elif not (self.url.startswith(VERIFY) and self._is_free() and self._answer_at_once()):
            self._hand_on()

    def on_body(self, body: bytes) -> None:
        self._body_length += len(body)
        if self._is_handed_on:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_arriving, self._since = False, self.loop.time()
        if self._is_handed_on:
            super().on_message_complete()

    # Ours

    def _is_free(self) -> bool:
        """Whether nothing stands before an answer: another one that is made or waits to be taken, or a body."""
        return not (self._is_being_answered() or self._stuck or self._has_body or self.expect_100_continue)

    def _is_being_answered(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _answer_at_once(self) -> bool:
        path, _, query = self.url.partition(b"?")
        if path != VERIFY or self._at_once >= MOST_AT_ONCE:
            return False
        method = self.parser.get_method()
        asked = fastpath.asked_by(method.decode("ascii"), "/verify", query, self.headers, self._peer)
        reply = fastpath.at_once(asked)
        if reply is None:
            return False
        self._at_once += 1
        keep_alive = (
            not self._is_leaving and self.parser.should_keep_alive() and self.parser.get_http_version() != "1.0"
        )
        head = [STATUS_LINE[reply.status]]
        for name, value in self.server_state.default_headers:
            head += (name, b": ", value, b"\r\n")
        head += (fastpath.lines_of(reply, asked), b"" if keep_alive else CLOSE, b"\r\n")
        if reply.body and method != b"HEAD":
            head.append(reply.body)
        self.transport.write(b"".join(head))
        if not keep_alive:
            self._is_ended = True
            self.transport.close()
        return True

    def _hand_on(self) -> None:
        """Let uvicorn have the request, as if it had read the headers itself."""
        if len(self.pipeline) >= MOST_WAITING:
            self._give_up(503)
            return
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        super().on_headers_complete()  # raises for an address that is none
        self._is_handed_on = True
        if self._is_leaving:
            self.cycle.keep_alive = False

    def _give_up(self, status: int) -> None:
        """Look at nothing more of this connection. The answers to what came before are made; then it is closed."""
        self._is_ended = True
        is_own = self._is_arriving and self._is_handed_on  # what is being answered is the request at fault
        if self.pipeline or (self._is_being_answered() and not is_own):
            return
        if not (is_own and self.cycle.response_started):
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\n" + CLOSE + b"\r\n")
        self._close_soon()

    def _close_soon(self) -> None:
        """Later than at once: what a client is still sending would make its system forget our answer."""
        self._is_ended = True
        if self._is_handed_on and self._is_being_answered():
            self.cycle.disconnected = True  # nobody hears the answer
            self.cycle.message_event.set()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        if not self._is_ended:
            self._give_up(400)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()  # uvicorn takes in the next ones
        elif not self._is_being_answered():
            if self._is_arriving and self._is_handed_on:
                self._close_soon()  # it was answered before all of it was there: the rest is not waited for
            elif self._is_ended:
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for cycle in (self._running, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()

    # Time

    def look_after(self, now: float) -> None:
        """End a connection whose client takes too long; `now` is the loop's time."""
        if self._stuck:
            if now - self._stuck > STUCK_SECONDS:
                self.transport.abort()
        elif self._is_arriving and not self._is_ended:
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

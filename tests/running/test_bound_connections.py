"""A connection is given up when its client takes too long, says too much, or says it in two ways at once."""

import asyncio
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn

from keyadmin import protocol
from keyadmin.protocol import Protocol, connections
from keyadmin.system.supervisor import listening
from tests.running.installation import Installation, free_port

LARGE = 30 << 20
SOON = 0.6  # seconds, in place of those that clients are given


class Looking(uvicorn.Server):
    """Looks after its connections ten times a second."""

    async def on_tick(self, counter: int) -> bool:
        for one in connections(self.server_state):
            one.look_after(one.loop.time())
        return await super().on_tick(counter)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers a body with its length, `/large` with more than a client's buffers hold, `/late` after a while."""
    body, more = b"", scope["path"] != "/refused"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    if scope["path"] == "/late":
        await asyncio.sleep(3 * SOON)
    content = bytes(LARGE) if scope["path"] == "/large" else b"%d" % len(body)
    length = (b"content-length", b"%d" % len(content))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RECEIVE_SECONDS", "IDLE_SECONDS", "STUCK_SECONDS"):
            patch.setattr(protocol, name, SOON)
        number = free_port()
        config = uvicorn.Config(application, http=Protocol, loop="uvloop", ws="none", lifespan="off", log_config=None)
        server = Looking(config)
        with listening("127.0.0.1", number) as listens:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listens]})
            thread.start()
            yield number
            server.should_exit = True
            thread.join()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def rest_of(connection: socket.socket) -> bytes:
    """All until the other side closes."""
    found = b""
    while piece := connection.recv(65536):
        found += piece
    return found


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"\r\n\r\n",
        b"GET",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nha",
    ],
)
def test_what_does_not_come_to_an_end_is_given_up(port: int, beginning: bytes) -> None:
    with connected(port) as slow:
        slow.sendall(beginning)
        assert b"200" not in rest_of(slow)


def test_drops_do_not_keep_a_request_going(port: int) -> None:
    with connected(port) as slow, pytest.raises(OSError, match=r"."):
        slow.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        for _ in range(200):
            slow.sendall(b"X-A: b\r\n")
            time.sleep(SOON / 10)


def test_a_client_that_takes_no_answer_is_given_up(port: int) -> None:
    with connected(port) as stuck:
        stuck.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(4 * SOON)
        assert len(rest_of(stuck)) < LARGE


def test_an_answer_that_takes_long_is_waited_for(port: int) -> None:
    with connected(port) as patient:
        patient.sendall(b"GET /late HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert rest_of(patient).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("head", [b"X-A: " + b"b" * 40_000, b"\r\n".join([b"X-%d: b" % at for at in range(101)])])
def test_too_much_of_a_head_is_431(port: int, head: bytes, in_pieces: bool) -> None:
    with connected(port) as long:
        text = b"GET / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n"
        size = 1000 if in_pieces else len(text)
        answer = b""
        try:
            for at in range(0, len(text), size):
                long.sendall(text[at : at + size])
            answer = rest_of(long)
        except ConnectionError:
            return  # cut off while it was still being sent
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: +3",
        b"Content-Length: 3, 3",
        b"Transfer-Encoding: 0",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding : chunked",
        b"X-A: b\r\n folded: c",
        b"X-A: b\nX-B: c",
        b"X A: b",
        b"X-A: b\0c",
    ],
)
def test_what_could_be_read_in_two_ways_is_not_read(port: int, head: bytes) -> None:
    with connected(port) as odd:
        odd.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = rest_of(odd)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (CHUNKED + b"0\r\n", b"a: b\r\n"),  # trailers without end
        (CHUNKED + b"0\r\nA: ", b"b" * 1000),  # one trailer without end
        (CHUNKED + b"1;a=", b"b" * 1000),  # a chunk's extension without end
        (CHUNKED.replace(b"/", b"/refused", 1), b"8000\r\n" + bytes(0x8000) + b"\r\n"),  # after the answer
        (b"\r\n", b"\r\n" * 1000),
    ],
)
def test_what_has_no_end_is_not_taken_in(port: int, beginning: bytes, more: bytes) -> None:
    deadline = time.monotonic() + 20
    with connected(port) as endless, pytest.raises(ConnectionError):
        endless.sendall(beginning)
        while time.monotonic() < deadline:
            endless.sendall(more)


def test_a_trailer_is_no_header(running: Installation) -> None:
    key = running.secret("create_key", "--name", "Trailing").encode()
    for path in (b"/verify", b"/api/v1/whoami"):
        head = b"POST" if path == b"/verify" else b"GET"
        text = b"%b %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = wire(running, text % (head, path) + b"0\r\nX-API-KEY: " + key + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 401 ")


NO_ADDRESSES = [
    address + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    for address in (b"GET http://a:99999999/", b"GET http://[", b"GET http://", b"CONNECT a:1", b"CONNECT http://z")
]


def test_a_fault_does_not_take_the_answer_of_what_came_before(port: int) -> None:
    body = bytes(40_000)
    first = b"POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    faults = (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 101 + b"\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HT",
        *NO_ADDRESSES,
    )
    for fault in faults:
        with connected(port) as both:
            both.sendall(first + fault)
            if fault == b"GET / HT":
                both.shutdown(socket.SHUT_WR)
            answer = rest_of(both)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"\r\n\r\n40000")


@pytest.mark.parametrize("head", NO_ADDRESSES)
def test_what_is_no_address_is_answered_and_not_logged(
    port: int, head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for before in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
        with connected(port) as odd:
            if before:
                odd.sendall(before)
                assert odd.recv(10_000).startswith(b"HTTP/1.1 200 ")
            odd.sendall(head)
            assert [answer[:3] for answer in rest_of(odd).split(b"HTTP/1.1 ")[1:]] == [b"400"]
    assert [one for one in caplog.records if one.levelno > logging.INFO] == []


def test_more_requests_than_can_wait_are_not_kept(port: int) -> None:
    with connected(port) as hasty:
        with suppress(ConnectionError):
            hasty.sendall(b"GET / HTTP/1.1\r\n\r\n" * 3000)
        assert 1 <= rest_of(hasty).count(b"HTTP/1.1 200") <= protocol.MOST_WAITING + 2


def test_who_sends_no_more_is_answered(running: Installation) -> None:
    key = running.secret("create_key", "--name", "Half closed").encode()
    with connected(running.port) as half:
        half.sendall(b"GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: " + key + b"\r\n\r\n")
        half.shutdown(socket.SHUT_WR)
        assert rest_of(half).startswith(b"HTTP/1.1 200 OK\r\n")


def test_who_leaves_before_the_answer_is_no_news(running: Installation) -> None:
    before = running.errors
    for _ in range(5):
        with connected(running.port) as gone:
            gone.sendall(
                b"GET /sign-in/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /verify HTTP/1.1\r\nHost: a\r\n\r\n" * 3
            )
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(1)
    assert running.get("/healthz").status_code == 200
    assert running.errors == before


def wire(running: Installation, text: bytes) -> bytes:
    with connected(running.port) as connection:
        connection.sendall(text)
        return rest_of(connection)


def test_requests_behind_one_another_are_answered_in_their_order(running: Installation) -> None:
    key = running.secret("create_key", "--name", "In turn").encode()
    assert running.get("/verify", key=key.decode()).status_code == 200  # remembered from now on
    verify = b"GET /verify HTTP/1.1\r\nHost: a\r\nX-API-KEY: " + key + b"\r\n\r\n"
    slow = b"GET /api/v1/whoami HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: " + key + b"\r\n\r\n"
    none = b"GET /verify HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = wire(running, verify + slow + verify + verify + none)
    statuses = [line.split()[1] for line in answer.split(b"\r\n") if b"HTTP/1.1 " in line]
    # A body without a line break at its end is followed by the next status on its line.
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"200", b"200", b"401"], statuses
    assert answer.count(b'"api_key_id"') == 1
    assert answer.split(b"HTTP/1.1 ")[2].find(b"api_key_id") > 0, "the second asked who it is"


@pytest.mark.parametrize(("version", "more"), [(b"1.0", b""), (b"1.1", b"Connection: close\r\n")])
def test_a_connection_ends_where_the_client_wants_it(running: Installation, version: bytes, more: bytes) -> None:
    key = running.secret("create_key", "--name", "Once").encode()
    for _ in range(2):  # from the database, from memory
        answer = wire(running, b"GET /verify HTTP/%b\r\nHost: a\r\nX-API-KEY: %b\r\n%b\r\n" % (version, key, more))
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nconnection: close\r\n" in answer


def test_a_body_for_verify_is_passed_over(running: Installation) -> None:
    key = running.secret("create_key", "--name", "Bodied").encode()
    head = b"Host: a\r\nX-API-KEY: %b\r\n" % key
    bodied = b"POST /verify HTTP/1.1\r\n%bContent-Length: 30\r\n\r\nGET /nonsense HTTP/1.1\r\nA: b\r\n\r\n"[:-2] % head
    assert bodied.endswith(b"\r\n\r\n" + b"GET /nonsense HTTP/1.1\r\nA: b\r\n")
    last = b"GET /verify HTTP/1.1\r\n%bConnection: close\r\n\r\n" % head
    answer = wire(running, bodied + bodied + last)
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 3


def test_a_body_of_nothing_is_none(running: Installation) -> None:
    key = running.secret("create_key", "--name", "Bodiless").encode()
    head = b"Host: a\r\nX-API-KEY: %b\r\n" % key
    empty = b"POST /verify HTTP/1.1\r\n%bContent-Length: 0\r\n\r\n" % head
    last = b"GET /verify HTTP/1.1\r\n%bConnection: close\r\n\r\n" % head
    answer = wire(running, empty + empty + last)
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 3


def test_a_wish_for_another_protocol_is_passed_over(running: Installation) -> None:
    key = running.secret("create_key", "--name", "Upgrading").encode()
    ask = b"GET /verify HTTP/1.1\r\nHost: a\r\nX-API-KEY: %b\r\n" % key
    wishing = ask + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    for _ in range(2):
        answer = wire(running, wishing + wishing + ask + b"Connection: close\r\n\r\n")
        assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 3
    for wish in (b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n", b"Connection: close\r\nExpect: 100-continue\r\n"):
        for _ in range(2):
            answer = wire(running, b"GET /verify HTTP/1.1\r\nHost: a\r\nX-API-KEY: %b\r\n%b\r\n" % (key, wish))
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_what_clients_get_wrong_is_not_logged(running: Installation) -> None:
    before = running.errors
    assert wire(running, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert running.errors == before
    assert logging.getLogger("uvicorn.access").handlers == []

"""What is written in one turn of the loop goes out at its end, in order, once what has to come before it is done."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
import uvloop

from keyadmin.turn import LARGE, Sender, Turn


class Line:
    """Connections whose ends are here; what was done, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.turn = Turn(lambda: self.done.append("before"))
        self.ends: list[socket.socket] = []

    async def connection(self) -> Sender:
        here, there = socket.socketpair()
        there.setblocking(False)
        self.ends.append(there)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, here)
        return Sender(transport, self.turn, loop)

    def came(self, number: int) -> bytes:
        try:
            return self.ends[number].recv(1 << 20)
        except BlockingIOError:
            return b""


@contextmanager
def ended(line: Line) -> Iterator[None]:
    yield
    for end in line.ends:
        end.close()


def run(story: Callable[[Line], Awaitable[None]]) -> None:
    line = Line()
    with ended(line):
        uvloop.run(story(line))  # type: ignore[arg-type]


def test_all_goes_out_at_the_end_of_the_turn_after_what_comes_before_it() -> None:
    async def story(line: Line) -> None:
        one, other = await line.connection(), await line.connection()
        one.write(b"a")
        other.write(b"b")
        one.write(b"c")
        assert (line.done, line.came(0), line.came(1)) == ([], b"", b"")
        await asyncio.sleep(0.01)
        assert (line.done, line.came(0), line.came(1)) == (["before"], b"ac", b"b")
        one.write(b"d")
        await asyncio.sleep(0.01)
        assert (line.done, line.came(0)) == (["before"] * 2, b"d")

    run(story)


def test_what_was_written_goes_out_before_a_connection_is_closed() -> None:
    async def story(line: Line) -> None:
        one, other = await line.connection(), await line.connection()
        one.write(b"last")
        other.write(b"b")
        one.close()
        assert line.done[:1] == ["before"]
        await asyncio.sleep(0.01)
        assert (line.came(0), line.came(1)) == (b"last", b"b")
        assert line.ends[0].recv(1) == b"", "closed"

    run(story)


def test_a_connection_that_is_gone_takes_nothing_from_the_others() -> None:
    async def story(line: Line) -> None:
        one, other = await line.connection(), await line.connection()
        one.abort()
        await asyncio.sleep(0.01)
        one.write(b"a")
        other.write(b"b")
        await asyncio.sleep(0.01)
        assert line.came(1) == b"b"

    run(story)


@pytest.mark.parametrize("size", [LARGE + 1, 1 << 17])
def test_much_is_not_kept_back(size: int) -> None:
    async def story(line: Line) -> None:
        one = await line.connection()
        one.write(b"a")
        one.write(b"b" * size)
        assert line.done == ["before"]
        assert line.came(0).startswith(b"ab")

    run(story)

"""What is written during one turn of the event loop goes out at its end.

Waking a client costs more than making its answer. Those whose requests have come together are woken together, once the
records of all these requests have been written in one go.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

LARGE: Final = 16 << 10  # bytes that are not kept back: flow control has to hear of them


class Turn:
    """What waits for the end of the turn, by connection. `before` is called before anything goes out."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before
        self._waiting: dict[asyncio.Transport, list[bytes]] = {}

    def write(self, transport: asyncio.Transport, data: bytes, loop: asyncio.AbstractEventLoop) -> None:
        """Let these bytes go out in the order in which they came."""
        if not self._waiting:
            loop.call_soon(self.send)
        self._waiting.setdefault(transport, []).append(data)
        if len(data) > LARGE:
            self.send()

    def send(self) -> None:
        """Let everything go out now."""
        waiting, self._waiting = self._waiting, {}
        self._before()
        for transport, parts in waiting.items():
            if not transport.is_closing():
                transport.write(b"".join(parts))


class Sender:
    """A transport that keeps what is written until the end of the turn, or until it is closed."""

    def __init__(self, transport: asyncio.Transport, turn: Turn, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._turn, self._loop = transport, turn, loop

    def write(self, data: bytes) -> None:
        self._turn.write(self._transport, data, self._loop)

    def close(self) -> None:
        self._turn.send()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

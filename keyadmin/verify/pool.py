"""Threads to which an event loop hands work: an executor's way there and back takes four times as long."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

Asked = TypeVar("Asked")
Result = TypeVar("Result")


class Pool:
    """A few threads, started when there is work for them. It is full once `most` requests wait for one of them."""

    def __init__(self, name: str, *, threads: int, most: int) -> None:
        self._name, self._threads, self._most = name, threads, most
        self._started = 0
        self._handed: SimpleQueue[tuple[asyncio.Future[Any], Callable[[Any], Any], Any]] = SimpleQueue()

    @property
    def is_full(self) -> bool:
        return self._handed.qsize() >= self._most

    async def do(self, work: Callable[[Asked], Result], asked: Asked, seconds: float) -> Result | None:
        """What comes of the work; None if it is not there within so many seconds. Raises what the work raises.

        What nobody waits for any more is not begun.
        """
        if self._started < self._threads:
            self._started += 1
            threading.Thread(target=self._run, name=f"{self._name}-{self._started}", daemon=True).start()
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Result | None] = loop.create_future()
        late = loop.call_later(seconds, _give, result, None, None)
        self._handed.put((result, work, asked))
        try:
            return await result
        finally:
            late.cancel()

    def _run(self) -> None:
        while True:
            result, work, asked = self._handed.get()
            if result.done():
                continue
            found, error = None, None
            try:
                found = work(asked)
            except Exception as raised:
                error = raised
            with suppress(RuntimeError):  # their loop has been closed
                result.get_loop().call_soon_threadsafe(_give, result, found, error)


def _give(result: asyncio.Future[Any], found: Any, error: Exception | None) -> None:
    if result.done():
        return
    if error is not None:
        result.set_exception(error)
    else:
        result.set_result(found)

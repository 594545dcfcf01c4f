"""Work that an event loop hands to threads: each result goes to whoever asked, or to nobody once it is late."""

import asyncio
import threading

import pytest

from keyadmin.usage.services import Record
from keyadmin.verify import fastpath
from keyadmin.verify.pool import Pool

SOON = 20.0


def test_each_gets_what_it_asked_for() -> None:
    pool = Pool("test", threads=3, most=100)
    names = set()

    def twice(number: int) -> int:
        names.add(threading.current_thread().name)
        return 2 * number

    async def all_of_them() -> list[int | None]:
        return await asyncio.gather(*(pool.do(twice, number, SOON) for number in range(500)))

    for _ in range(2):  # with a loop of its own each
        assert asyncio.run(all_of_them()) == [2 * number for number in range(500)]
    assert names <= {"test-1", "test-2", "test-3"}


def test_what_goes_wrong_is_raised_where_it_was_asked_for() -> None:
    pool = Pool("test", threads=1, most=10)

    async def both() -> tuple[object, object]:
        asked = pool.do(int, "x", SOON), pool.do(int, "7", SOON)
        return await asyncio.gather(*asked, return_exceptions=True)

    wrong, right = asyncio.run(both())
    assert isinstance(wrong, ValueError)
    assert right == 7


def test_what_is_late_is_given_up_and_what_nobody_waits_for_not_begun() -> None:
    pool, hung, done = Pool("test", threads=1, most=2), threading.Event(), list[str]()

    def work(name: str) -> str:
        if name == "hung":
            hung.wait()
        done.append(name)
        return name

    async def story() -> None:
        first = asyncio.create_task(pool.do(work, "hung", 0.2))
        await asyncio.sleep(0.05)  # the thread has it
        assert not pool.is_full
        others = [asyncio.create_task(pool.do(work, name, 0.1)) for name in ("one", "two")]
        await asyncio.sleep(0.01)
        assert pool.is_full
        assert [await one for one in (first, *others)] == [None] * 3
        hung.set()
        assert await pool.do(work, "last", SOON) == "last"
        assert not pool.is_full

    asyncio.run(story())
    assert done == ["hung", "last"]


def test_a_result_for_a_loop_that_has_gone_harms_nobody() -> None:
    pool, go_on = Pool("test", threads=1, most=10), threading.Event()

    def wait(_: None) -> bool:
        return go_on.wait()

    assert asyncio.run(pool.do(wait, None, 0.05)) is None
    go_on.set()
    assert asyncio.run(pool.do(str, 7, SOON)) == "7"


def test_a_crowd_that_is_refused_is_written_down_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write of its own would let all threads go before the event loop."""
    written: list[int] = []

    def record(*records: Record) -> None:
        written.append(len(records))

    async def send(message: dict[str, object]) -> None:
        assert message.get("status", 503) == 503

    async def crowd() -> None:
        await asyncio.gather(*(fastpath.serve(scope, send) for _ in range(50)))

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/verify",
        "query_string": b"",
        "headers": [(b"x-api-key", b"nonsense")],
        "client": ("203.0.113.7", 1),
    }
    full = Pool("full", threads=1, most=0)
    monkeypatch.setattr(fastpath, "_pools", (full, full))
    monkeypatch.setattr("keyadmin.verify.fastpath.usage.record", record)
    asyncio.run(crowd())
    assert written == [50]

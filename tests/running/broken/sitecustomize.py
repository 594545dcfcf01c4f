"""On the PYTHONPATH of a server: breaks what $BROKEN names, so that a proof is seen to fail where it must."""

import importlib.util
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any


def slow_cache(watch: Any) -> None:
    """What is remembered counts for a second after it was confirmed."""
    ask = watch.SqliteWatch.now
    heard: dict[str, Any] = {}

    def now(self: Any) -> Any:
        if not heard or heard["at"] < time.monotonic() - 1:
            heard.update(at=time.monotonic(), epoch=ask(self))
        return heard["epoch"]

    watch.SqliteWatch.now, watch.LEASE, watch.RENEWAL = now, 1.0, 0.9


def late_fill(memory: Any) -> None:
    """At each change everything is forgotten, but what is remembered later does not say when it was read."""
    seen: list[str] = []

    def recall(sign: bytes, epoch: str) -> Any:
        if seen != [epoch]:
            seen[:] = [epoch]
            memory.forget()
        return memory._known.get(sign)

    memory.recall = recall


def slow_reading(lookup: Any) -> None:
    """Facts take a while from the database to the cache."""
    find = lookup.find

    def slowly(*given: Any) -> Any:
        found = find(*given)
        time.sleep(0.3)  # longer than any lease
        return found

    lookup.find = slowly


BREAKS: dict[str, dict[str, Callable[[Any], None]]] = {
    "slow cache": {"keyadmin.freshness.watch": slow_cache},
    "late fill": {"keyadmin.verify.memory": late_fill, "keyadmin.verify.lookup": slow_reading},
}


class Breaker(MetaPathFinder):
    """Loads a module as usual, then breaks it."""

    def __init__(self, breaks: dict[str, Callable[[Any], None]]) -> None:
        self.breaks = breaks

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.breaks:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        assert found is not None
        loader = Broken(fullname, str(found.origin), self.breaks[fullname])
        return importlib.util.spec_from_file_location(fullname, found.origin, loader=loader)


class Broken(SourceFileLoader):
    """The source of a module, and what is done to it."""

    def __init__(self, name: str, file: str, damage: Callable[[Any], None]) -> None:
        super().__init__(name, file)
        self.damage = damage

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        self.damage(module)


sys.meta_path.insert(0, Breaker(BREAKS[os.environ["BROKEN"]]))

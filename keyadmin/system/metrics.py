"""What this process can be measured by, in the format of Prometheus. Each web process answers for itself.

What comes from a database is read in a thread of its own and waited for a second: if it hangs, all else is still told.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple

from django.db import DatabaseError, InterfaceError, connections
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from keyadmin.kernel.actor import SYSTEM
from keyadmin.keys import queries as keys
from keyadmin.system import readiness
from keyadmin.usage import condition
from keyadmin.verify import tally

COUNTED_EVERY: Final = 60.0  # seconds: it reads the table of keys
PATIENCE: Final = 1.0  # seconds


class Stored(NamedTuple):
    """What the databases say: keys by status; bytes that wait in the spool."""

    keys: Mapping[str, int]
    waiting_bytes: int


_thread = ThreadPoolExecutor(1, "metrics")
_asking = threading.Lock()
_reading: "Future[Stored] | None" = None
_counts: tuple[Mapping[str, int], float] = ({}, float("-inf"))


def exposed(accept: str) -> tuple[bytes, str]:
    """All of it as text, and its content type: that of the header Accept which fits best."""
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Ours(Collector):
    """Read at each scrape; nothing is kept up to date between them."""

    def collect(self) -> Iterable[Metric]:
        answers = CounterMetricFamily(
            "keyadmin_verifications",
            "Answers at /verify, by code and by where they came from.",
            labels=["outcome", "place"],
        )
        for place, outcomes in tally.by_place().items():
            for outcome, number in outcomes.items():
                answers.add_metric([outcome, place], number)
        yield answers
        yield CounterMetricFamily(
            "keyadmin_spool_records_dropped", "Access records that could not be kept.", value=condition.dropped()
        )
        ready = GaugeMetricFamily("keyadmin_ready", "Whether a part is well, as /readyz says it.", labels=["part"])
        for part, well in readiness.parts().items():
            ready.add_metric([part], int(well))
        yield ready
        stored = _stored()
        if stored is not None:
            yield from _told(stored)


def _told(stored: Stored) -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "keyadmin_spool_waiting_bytes",
        "Bytes of access records of this host that are not in the database yet.",
        value=stored.waiting_bytes,
    )
    numbers = GaugeMetricFamily("keyadmin_keys", "API keys by status, at most a minute old.", labels=["status"])
    for status, number in stored.keys.items():
        numbers.add_metric([status], number)
    yield numbers


def _stored() -> Stored | None:
    """What the databases say; None if that can't be known within PATIENCE. One question at a time."""
    global _reading
    with _asking:
        if _reading is None or _reading.done():
            _reading = _thread.submit(_read)
        reading = _reading
    try:
        return reading.result(PATIENCE)
    except (TimeoutError, DatabaseError, InterfaceError):
        return None


def _read() -> Stored:
    global _counts
    try:
        waiting = condition.waiting_bytes()
        if time.monotonic() - _counts[1] > COUNTED_EVERY:
            _counts = ({status.value: number for status, number in keys.counts(SYSTEM).items()}, time.monotonic())
        return Stored(_counts[0], waiting)
    finally:
        connections.close_all()


registry = CollectorRegistry()
registry.register(_Ours())
ProcessCollector(registry=registry)

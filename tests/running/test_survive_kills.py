"""R2: kill -9 of whatever runs, under load, loses nothing that was acknowledged and does nothing twice.

Changes by REST, each repeated under its Idempotency-Key until it is acknowledged, and requests to `/verify`. Processes
of the installation are killed one by one and all at once; on PostgreSQL those of the database server too. What ends is
started again at once, as a service manager would.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from tests.running.clients import Changer, Client, Keeper, Verifier, longest_gaps
from tests.running.installation import ADMINISTRATOR, Installation
from tests.running.revoking import PATH
from tests.running.tables import damage, rows
from tests.running.test_write_at_once import result, start
from tests.servers import DatabaseKind, PostgresServer, postgres

CHANGERS, VERIFIERS = 3, 2
CHANGES = 12  # acknowledged between two kills, at least
PATIENCE = 120.0  # seconds; a busy machine is no fault of the code
OFTEN = 4  # of so many kills, how many are of one process while the others go on


@dataclass
class Place:
    """An installation that is kept running, the database server that it may have, and who asks it."""

    made: Installation
    server: PostgresServer | None
    clients: list[Client]
    keeper: Keeper = field(init=False)

    def __post_init__(self) -> None:
        self.keeper = Keeper(self.keep_running)

    def keep_running(self) -> None:
        if self.made.process is None or self.made.process.poll() is not None:
            self.made.launch()

    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return self.made.get(PATH, key=self.clients[0].key).status_code == 200
        return False

    def changes(self) -> int:
        """How many were acknowledged."""
        return sum(len(client.told) for client in self.clients if isinstance(client, Changer))

    def failed(self) -> bool:
        return any(client.failure for client in self.clients)

    # --- the ways to end something ----------------------------------------------------------------------------------

    def one(self) -> None:
        """Any process but the one that watches the others."""
        assert self.made.process is not None
        others = [pid for pid in self.made.processes() if pid != self.made.process.pid]
        if others:
            kill(random.choice(others))

    def all(self) -> None:
        """Everything, as when the machine stops."""
        for pid in self.made.processes():
            kill(pid)

    def watcher(self) -> None:
        assert self.made.process is not None
        kill(self.made.process.pid)

    def stop(self) -> None:
        """In order, and a new start."""
        assert self.made.process is not None
        with suppress(ProcessLookupError):
            self.made.process.send_signal(signal.SIGTERM)

    def backend(self) -> None:
        """One process of the database server, which then ends and begins all its connections."""
        assert self.server is not None
        kill(random.choice(self.server.processes()[1:]))

    def whole_server(self) -> None:
        assert self.server is not None
        for pid in self.server.processes():
            kill(pid)
        self.server.restart()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory, database_kind: DatabaseKind) -> Iterator[Place]:
    with ExitStack() as stack:
        server = stack.enter_context(postgres()) if database_kind == "postgres" else None
        environment = {"KEYADMIN_WORKERS": "2", **ADMINISTRATOR}
        made = Installation(tmp_path_factory.mktemp("kills") / "it", server.url if server else None, environment)
        stack.callback(made.close)
        made.start()
        secret = made.secret("create_key", "--name", "All", "--admin")
        clients: list[Client] = [Verifier(made.port, secret) for _ in range(VERIFIERS)]
        clients += [Changer(made.port, secret, f"client-{number}") for number in range(CHANGERS)]
        place = Place(made, server, clients)
        stack.callback(place.keeper.end)  # before all else: it would start again what has been ended
        yield place


def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(
    place: Place, soak: bool, report: Callable[[str], None]
) -> None:
    ways = ways_of(place, 200 if soak else 3)
    began = time.monotonic()
    for thread in (place.keeper, *place.clients):
        thread.start()
    for way in ways:
        under_load(place)
        time.sleep(random.uniform(0, 0.2))
        way()
        time.sleep(0.5)
        wait_for(place.answers)
    time.sleep(0.5)
    for client in place.clients:
        client.over.set()
    for client in place.clients:
        client.join(PATIENCE)
    seconds = time.monotonic() - began
    assert [client.failure for client in place.clients] == [None] * len(place.clients)
    kept = Counter(records_of(place))
    place.keeper.end()
    figures(place, len(ways), seconds, report)

    asked = [one for client in place.clients for one in client.request_ids]
    assert len(asked) > 20 * len(ways)
    assert not set(asked) - set(kept), "lost"
    assert not [one for one, times in kept.items() if times > 1], "doubled"
    changes_hold(place, [event for client in place.clients if isinstance(client, Changer) for event in client.told])


def ways_of(place: Place, number: int) -> list[Callable[[], None]]:
    """What is ended in each cycle: each way at least once, most often one process while the others go on."""
    others = [place.all, place.watcher, place.stop]
    if place.server is not None:
        others = [place.whole_server, place.backend, *others]
    one_each = [place.one, *others]
    more = [place.one if turn % OFTEN else random.choice(others) for turn in range(number - len(one_each))]
    return [*one_each[:number], *more]


def under_load(place: Place) -> None:
    """Returns as soon as some more changes have been acknowledged."""
    enough = place.changes() + CHANGES
    wait_for(lambda: place.changes() >= enough or place.failed())


def wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def records_of(place: Place) -> list[str]:
    """The request ids of all access records, as soon as the spools have been drained."""
    asked = {one for client in place.clients for one in client.request_ids}
    deadline = time.monotonic() + PATIENCE
    while True:
        found = [one for (one,) in rows(place.made, "SELECT request_id FROM usage_accessrecord", database="usage")]
        if not asked - set(found) or time.monotonic() > deadline:
            return found
        time.sleep(1)


def changes_hold(place: Place, told: list[tuple[str, int]]) -> None:
    """Each acknowledged change has one event and stands in the table, and there is no other."""
    made = place.made
    written = Counter(map(tuple, rows(made, "SELECT name, target_id FROM activity_event WHERE name LIKE 'api_key.%'")))
    written -= Counter({("api_key.created", 1): 1})  # the key of the clients
    assert written == Counter(told)
    assert set(written.values()) == {1}
    keys = dict(rows(made, "SELECT id, revoked_at IS NOT NULL FROM keys_apikey WHERE id > 1"))
    assert set(keys) == {key for name, key in told if name == "api_key.created"}
    assert {key for key, revoked in keys.items() if revoked} == {key for name, key in told if name == "api_key.revoked"}
    assert result(start(made, "check"))["problems"] == {}
    assert damage(made) == []
    assert "Traceback" not in made.errors, made.errors[-5000:]


def figures(place: Place, cycles: int, seconds: float, report: Callable[[str], None]) -> None:
    records = sum(len(client.request_ids) for client in place.clients)
    gaps = longest_gaps([at for client in place.clients for at in client.answered], cycles)
    report(
        f"R2: {cycles} kills in {seconds:.0f} s; {place.changes()} changes and {records} records acknowledged; "
        f"without an answer for {gaps[0]:.2f} s at most, {gaps[len(gaps) // 2]:.2f} s in the median"
    )

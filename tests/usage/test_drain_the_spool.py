"""Records go from the spools into the database, each once, and what is counted is what a recount finds."""

import fcntl
import os
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keyadmin.usage.models import AccessRecord, KeyAddress, LastUse, SpoolPosition, UsageDay, UsageHour
from keyadmin.usage.queries import ACCEPTED
from keyadmin.usage.services import counts, drain, insertion
from keyadmin.usage.spool import LONGEST, MAGIC, Record, Spool, frame, waiting

pytestmark = pytest.mark.django_db

NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 1_000_000
HOUR = 3_600_000_000


def record(number: int, **fields: object) -> Record:
    made = Record(
        NOON + number, 3, 5, -1, "GET", "/verify", "allowed", "", "", "Billing", "8f3kQ2mZp0Xa", "192.0.2.7", "curl", ""
    )
    return made._replace(request_id=str(number), **fields)  # type: ignore[arg-type]


def numbers() -> list[int]:
    """Which records are in the database, in the order of their time."""
    return [int(text) for text in AccessRecord.objects.order_by("time", "pk").values_list("request_id", flat=True)]


def let_go(spool: Spool) -> None:
    """Close it, and wait for the locks on its files: a sync under way keeps them a little longer."""
    paths = waiting(spool.directory)
    spool.close()
    for path in paths:
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)


def abandoned(spool: Spool, *parts: bytes) -> Path:
    """A file that a process has left behind."""
    spool.directory.mkdir(exist_ok=True)
    path = spool.directory / "00000000000000000001-00000000000000aa.spool"
    path.write_bytes(b"".join(parts))
    return path


def test_each_field_arrives_as_it_was(spool: Spool) -> None:
    sent = record(
        7, user_id=9, reason="paused", missing_permission="view_customer", path="/ä%20€", who="Bäcker & Söhne"
    )
    for one in (sent, record(8, organization_id=-1, key_id=-1, outcome="missing_key")):
        spool.append(one)
    assert drain().records == 2

    first, second = AccessRecord.objects.order_by("time")
    for name in Record._fields[1:]:
        assert getattr(first, name) == getattr(sent, name), name
    assert first.time == datetime(2026, 11, 20, 12, 0, 0, 7, tzinfo=UTC)
    assert (second.organization_id, second.key_id, second.user_id) == (None, None, None)


def test_records_that_were_kept_together_are_drained_one_by_one(spool: Spool) -> None:
    spool.append(*map(record, range(5)))
    assert drain().records == 5
    assert numbers() == list(range(5))


def test_a_live_file_is_drained_again_and_again_and_stays(spool: Spool) -> None:
    for number in range(5):
        spool.append(record(number))
        assert drain().records == 1
        assert drain().records == 0
    assert numbers() == list(range(5))
    assert len(waiting(spool.directory)) == 1


def test_an_orphan_is_adopted_and_removed_with_its_position(spool: Spool) -> None:
    for number in range(3):
        spool.append(record(number))
    drain()
    spool.append(record(3))
    let_go(spool)
    assert drain().records == 1
    assert waiting(spool.directory) == []
    assert not SpoolPosition.objects.exists()
    assert numbers() == [0, 1, 2, 3]


def test_a_torn_tail_waits_for_its_rest_until_nobody_can_write_it(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    spool.append(record(0))
    last = frame(record(1))
    (path,) = waiting(spool.directory)
    with path.open("ab") as file:
        file.write(last[:20])
    assert drain() == (1, 0)
    assert drain() == (0, 0)
    with path.open("ab") as file:
        file.write(last[20:] + last[:30])
    assert drain() == (1, 0)
    let_go(spool)
    assert drain() == (0, 30)
    assert "30 bytes in the spool were no record" in caplog.text
    assert waiting(spool.directory) == []
    assert numbers() == [0, 1]


@pytest.mark.parametrize(
    "broken",
    [
        frame(record(99))[:25],
        MAGIC,
        b"\0" * 4096,
        b"x" + MAGIC + b"\xff\xff\0\0\0\0",
        random.Random(1).randbytes(70_000),
    ],
    ids=["cut short", "a beginning", "zeros", "a false length", "noise"],
)
def test_what_is_no_record_in_the_middle_costs_no_other(spool: Spool, broken: bytes) -> None:
    abandoned(spool, frame(record(0)), broken, frame(record(1)), broken, frame(record(2)))
    assert drain() == (3, 2 * len(broken))
    assert numbers() == [0, 1, 2]


def test_more_noise_than_a_piece_holds_stops_nothing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyadmin.usage.services.draining.PIECE", 2 * LONGEST)
    abandoned(spool, frame(record(0)), b"\0" * 10 * LONGEST, frame(record(1)))
    assert drain() == (2, 10 * LONGEST)
    assert numbers() == [0, 1]


def test_what_can_not_be_stored_is_made_so_and_holds_up_nothing(spool: Spool) -> None:
    spool.append(record(0))
    spool.append(record(1, who="a\0b" + "x" * 500, outcome="o" * 99, time=2**62))
    spool.append(record(2))
    assert drain().records == 3
    assert sorted(numbers()) == [0, 1, 2]


def test_a_file_shorter_than_its_position_is_done(spool: Spool) -> None:
    path = abandoned(spool, frame(record(0)))
    SpoolPosition.objects.create(name=path.name, done=10_000)
    assert drain() == (0, 0)
    assert waiting(spool.directory) == []


def test_two_drains_at_once_do_not_double(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second begins in the middle of the first, as if there were no lock."""
    spool.append(record(0))
    first, nested = insertion.insert, []

    def meanwhile(database: object, records: list[Record]) -> None:
        monkeypatch.setattr(insertion, "insert", first)
        nested.append(drain())
        first(database, records)  # type: ignore[arg-type]

    monkeypatch.setattr(insertion, "insert", meanwhile)
    assert drain().records == 1
    assert nested == [(0, 0)], "the lock keeps it out"
    assert numbers() == [0]


def test_a_position_that_has_moved_undoes_the_batch(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append(record(0))
    drain()
    spool.append(record(1))
    first = insertion.insert

    def overtaken(database: object, records: list[Record]) -> None:
        first(database, records)  # type: ignore[arg-type]

    monkeypatch.setattr("keyadmin.usage.services.draining._position", lambda database, name: 0)
    monkeypatch.setattr(insertion, "insert", overtaken)
    assert drain().records == 0
    assert numbers() == [0]


def some_records(count: int) -> list[Record]:
    chance = random.Random(7)
    return [
        record(
            number,
            time=NOON + chance.randrange(100 * HOUR),
            key_id=chance.choice([-1, 1, 2, 3]),
            organization_id=chance.choice([-1, 1, 2]),
            outcome=chance.choice(["allowed", "insufficient_scope", "invalid_key", "key_expired"]),
            address=f"192.0.2.{chance.randrange(9)}",
        )
        for number in range(count)
    ]


def test_counts_equal_a_recount(spool: Spool) -> None:
    every = some_records(900)
    for number, one in enumerate(every):
        spool.append(one)
        if number % 100 == 99:
            drain()

    for model, hours in ((UsageHour, 1), (UsageDay, 24)):
        expected = Counter[tuple[object, ...]]()
        for one in every:
            start = datetime.fromtimestamp(one.time // (hours * HOUR) * hours * 3600, UTC)
            for key in {0, max(one.key_id, 0)}:
                expected[key, max(one.organization_id, 0), start, one.outcome] += 1
        found = {(row.key_id, row.organization_id, row.start, row.outcome): row.number for row in model.objects.all()}
        assert found == expected
    used = [one for one in every if one.key_id > 0 and one.outcome in ACCEPTED]
    assert {(row.key_id, row.organization_id, row.address): row.number for row in KeyAddress.objects.all()} == Counter(
        (one.key_id, max(one.organization_id, 0), one.address) for one in used
    )
    for key in (1, 2, 3):
        last = max((one for one in used if one.key_id == key), key=lambda one: one.time)
        row = LastUse.objects.get(key_id=key)
        assert (int(row.time.timestamp() * 1_000_000), row.address) == (last.time, last.address)


def test_addresses_of_a_key_are_bounded_the_oldest_go(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_ADDRESSES", 5)
    for number in range(20):
        spool.append(record(number, address=f"10.0.0.{number}"))
        spool.append(record(number, key_id=6))
    drain()
    kept = KeyAddress.objects.filter(key_id=5).order_by("last_seen").values_list("address", flat=True)
    assert list(kept) == [f"10.0.0.{number}" for number in range(15, 20)]
    assert KeyAddress.objects.get(key_id=6).number == 20


def test_guesses_at_a_key_are_no_use_of_it(spool: Spool) -> None:
    spool.append(record(0, outcome="invalid_key", reason="wrong_secret", address="198.51.100.1"))
    spool.append(record(1, outcome="key_expired"))
    drain()
    assert not LastUse.objects.exists()
    assert not KeyAddress.objects.exists()


def test_what_a_dead_writer_and_a_dead_drain_left_is_swept(spool: Spool) -> None:
    path = abandoned(spool, frame(record(0)))
    drain()
    SpoolPosition.objects.create(name=path.name, done=9)
    path.with_suffix(".done").write_bytes(b"")
    unnamed = spool.directory / "00000000000000000001-00000000000000ab"
    unnamed.write_bytes(b"")
    os.utime(unnamed, (0, 0))
    drain()
    assert [left.name for left in spool.directory.iterdir()] == ["drain.lock"]
    assert not SpoolPosition.objects.exists()


def test_a_file_that_can_not_be_removed_stops_no_other_and_is_not_read_again(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    path = abandoned(spool, frame(record(0)))
    path.with_suffix(".done").mkdir()
    spool.append(record(1))
    for _ in range(3):
        drain()
    assert numbers() == [0, 1]
    assert caplog.text.count("Access records wait in the spool") <= 1

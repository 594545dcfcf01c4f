"""The number of rounds that is saved: who may save which, what the log says, and what outdoes it."""

import dataclasses
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from pytest_django import Settings

from keyadmin.freshness.queries import current
from keyadmin.instance import queries, services
from keyadmin.instance.models import Instance
from keyadmin.instance.queries import Source
from keyadmin.kernel.errors import ConflictError, DeniedError, InvalidError, NotFoundError, StaleError
from tests.instance.saving import events, give_by_environment, save
from tests.world import OPERATOR, World


def test_without_a_saved_number_it_is_the_default(world: World) -> None:
    found = queries.rounds()
    assert (found.number, found.source, found.saved, found.can_be_saved) == (30_000, Source.DEFAULT, None, True)


def test_a_saved_number_counts_at_once(world: World) -> None:
    found = save(45_000)
    assert found == queries.rounds()
    assert (found.number, found.source, found.saved, found.version) == (45_000, Source.SAVED, 45_000, 2)
    assert queries.hasher("pbkdf2_sha256").rounds == 45_000
    assert "$45000$" in queries.hasher("pbkdf2_sha256").hash("x", "pbkdf2_sha256")


def test_each_change_is_an_entry_with_before_and_after(world: World) -> None:
    save(45_000)
    save(60_000)
    assert [(event["before"], event["after"]) for event in events()] == [
        ({"api_key_rounds_no": None}, {"api_key_rounds_no": 45_000}),
        ({"api_key_rounds_no": 45_000}, {"api_key_rounds_no": 60_000}),
    ]
    newest = queries.last_change()
    assert newest is not None
    assert newest.name == "settings.updated"


def test_the_same_number_again_changes_nothing(world: World) -> None:
    save(45_000)
    epoch = current()
    assert save(45_000).version == 2
    assert len(events()) == 1
    assert current() == epoch


def test_every_cache_learns_of_it(world: World) -> None:
    epoch = current()
    save(45_000)
    assert current() != epoch


def test_nothing_said_is_nothing_changed(world: World) -> None:
    assert services.edit_settings(actor=OPERATOR, changes={}).source is Source.DEFAULT
    assert events() == []


@pytest.mark.parametrize("who", ["manager", "auditor", "developer", "stranger"])
def test_instance_administrators_alone_save(world: World, who: str) -> None:
    with pytest.raises(DeniedError, match="Only instance administrators"):
        save(45_000, actor=world.actor(getattr(world, who)))
    save(45_000, actor=world.actor(world.admin))


def test_a_key_that_sees_only_what_it_made_finds_nothing(world: World) -> None:
    with pytest.raises(NotFoundError):
        save(45_000, actor=dataclasses.replace(world.actor(world.admin), segment=True))


@pytest.mark.parametrize("rounds", [0, -1, 100_000_001, 2**40])
def test_a_number_out_of_range_is_refused(world: World, rounds: int) -> None:
    with pytest.raises(InvalidError, match="from 1 to 100,000,000") as refused:
        save(rounds)
    assert list(refused.value.errors) == ["api_key_rounds_no"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Instance.objects.update(api_key_rounds_no=100_000_001)
    assert queries.rounds().saved is None


def test_a_number_that_would_keep_requests_waiting_is_refused(world: World) -> None:
    """No machine hashes a hundred million rounds in two seconds."""
    with pytest.raises(InvalidError, match=r"At most 2 s are allowed, which are some [0-9,]+ rounds\."):
        save(100_000_000)
    assert queries.rounds().saved is None


def test_who_read_an_older_version_saves_nothing(world: World) -> None:
    save(45_000, expected_version=1)
    with pytest.raises(StaleError):
        save(60_000, expected_version=1)
    assert queries.rounds().number == 45_000
    assert save(60_000, expected_version=2).version == 3


def sources(env: Any) -> list[tuple[str, Source]]:
    return [
        ("API_KEY_ROUNDS_NO", Source.ENVIRONMENT),
        (str(env.data_dir / "config.yml"), Source.DATA_DIRECTORY),
        ("/etc/keyadmin/config.yml", Source.MACHINE),
    ]


def test_environment_and_files_outdo_a_saved_number(world: World, settings: Settings) -> None:
    save(45_000)
    for source, named in sources(settings.ENV):
        settings.ENV = dataclasses.replace(settings.ENV, rounds=70_000, rounds_source=source)
        found = queries.rounds()
        assert (found.number, found.source, found.saved, found.can_be_saved) == (70_000, named, 45_000, False)


def test_while_they_decide_nothing_can_be_saved(world: World, settings: Settings) -> None:
    give_by_environment(settings, 70_000)
    with pytest.raises(ConflictError) as refused:
        save(45_000)
    assert refused.value.kind.code == "set_elsewhere"
    assert queries.hasher("pbkdf2_sha256").rounds == 70_000


@pytest.mark.parametrize(("rounds", "is_weak", "warnings"), [(9_999, True, 2), (10_000, False, 1), (600_000, False, 0)])
def test_weak_numbers_are_saved_with_a_warning(world: World, rounds: int, is_weak: bool, warnings: int) -> None:
    found = queries.rounds_of(rounds)
    assert (found.is_weak, len(found.warnings)) == (is_weak, warnings)
    assert not is_weak or found.warnings[0] == "Below 10,000 rounds is weak."


def test_the_migration_goes_back_and_forth(lasting_world: World) -> None:
    save(45_000)
    try:
        MigrationExecutor(connection).migrate([("instance", "0002_cache_of_all_processes")])
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert Instance.objects.count() == 1
    assert queries.rounds().source is Source.DEFAULT
    save(45_000)

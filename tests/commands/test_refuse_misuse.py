"""What is wrong is said in one line on standard error, with exit code 1 or 2, and no secret comes back."""

import logging
import re

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

from keyadmin.activity.models import Event
from keyadmin.instance.models import Instance
from keyadmin.keys.models import APIKey
from keyadmin.management.base import KeyadminCommand, PlainCommand
from tests.commands.conftest import Done, Run
from tests.world import World

OURS = sorted(name for name, app in get_commands().items() if app == "keyadmin")
MEASURES = ["calibrate_rounds"]  # changes nothing, so there is no reason to give
OF_ACTS = ["groups", "policies", "members"]
ON_A_KEY = [
    *("show_key", "edit_key", "pause_key", "resume_key", "regenerate_key", "revoke_key", "delete_key"),
    *("block_key", "unblock_key"),
]


def refused(done: Done, code: int) -> str:
    """The one line."""
    assert (done.code, done.out) == (code, "")
    assert re.fullmatch(r"[^\n]+\n", done.err), done.err
    assert done.err[:-1].isprintable()
    return done.err


def test_all_commands_of_this_version_are_there() -> None:
    assert set(OURS) >= {
        "up",
        "worker",
        "list_keys",
        "create_key",
        "create_api_user",
        "load_permissions",
        *ON_A_KEY,
        *OF_ACTS,
        *MEASURES,
    }


@pytest.mark.parametrize("name", OURS)
def test_help_shows_an_example_that_parses(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert (done.code, done.err) == (0, "")
    command = load_command_class("keyadmin", name)
    assert isinstance(command, PlainCommand)
    assert f"example:\n  .venv/bin/python manage.py {command.example}" in done.out
    assert command.example.split()[0] == name
    logged = isinstance(command, KeyadminCommand)
    assert ("--reason" in done.out) == logged
    assert ("--json" in done.out) == (logged or name in MEASURES)


@pytest.mark.parametrize("name", OURS)
def test_unknown_option_is_misuse(run: Run, name: str) -> None:
    needed = {
        **dict.fromkeys(ON_A_KEY, "1"),
        **dict.fromkeys(OF_ACTS, "list"),
        "load_permissions": "crm",
        "assign_key": "--user 1",
        "calibrate_rounds": "hmac_sha256 100",
    }
    arguments = needed.get(name, "--name x" if name.startswith("create") else "").split()
    assert "unrecognized arguments: --nonsense" in refused(run(name, *arguments, "--nonsense"), 2)


@pytest.mark.parametrize("name", ON_A_KEY)
def test_whole_secret_as_reference_is_refused_without_echo(
    world: World, run: Run, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    issued = world.key()
    events = Event.objects.count()
    caplog.set_level(logging.DEBUG)
    for arguments in ([issued.secret], ["1", issued.secret], [f" {issued.secret} "], ["1", f"--x={issued.secret}"]):
        line = refused(run(name, *arguments), 2)
        assert issued.secret[20:52] not in line + caplog.text
    assert Event.objects.count() == events
    assert APIKey.objects.get().version == 1


@pytest.mark.parametrize(
    "option", ["--organization", "--user", "--permission", "--environment", "--expires", "--network"]
)
def test_secret_in_another_option_does_not_come_back(world: World, run: Run, option: str) -> None:
    issued = world.key()
    done = run("create_key", "--organization", "acme", "--name", "x", option, issued.secret)
    assert issued.secret[20:52] not in done.out + done.err
    assert done.code in (1, 2)


@pytest.mark.parametrize(
    "reference", ["0", "999999", "9" * 11, "8f3kQ2mZp0Xa", "ka_live_8f3kQ2mZp0Xa...9t0w", "é", "' OR 1"]
)
def test_unknown_key(world: World, run: Run, reference: str) -> None:
    assert refused(run("show_key", reference), 1) == "keyadmin: There is no such API key.\n"


def test_unknown_organization_lists_the_ones_there_are(world: World, run: Run) -> None:
    line = refused(run("create_key", "--organization", "acne", "--name", "x"), 1)
    assert line == "keyadmin: There is no organisation 'acne'; there are: acme, globex.\n"


def test_organization_must_be_said_where_there_are_several(world: World, run: Run) -> None:
    assert refused(run("create_key", "--name", "x"), 2).endswith("--organization: acme, globex.\n")


@pytest.mark.django_db
def test_no_organization_yet(run: Run) -> None:
    Instance.objects.all().delete()
    assert "open the set-up link" in refused(run("create_key", "--name", "x"), 1)


def test_unknown_permission_names_the_nearest(world: World, run: Run) -> None:
    done = run("create_key", "--organization", "acme", "--name", "x", "--permission", "view_customers")
    assert "Did you mean view_customer?" in refused(done, 2)


def test_unknown_group_lists_the_ones_there_are(world: World, run: Run) -> None:
    done = run("create_api_user", "--organization", "acme", "--name", "x", "--group", "Raeders")
    assert "Auditors, Developers, Key managers, Readers" in refused(done, 1)


def test_unknown_user(world: World, run: Run) -> None:
    for reference in ("", "0", "999999", "nobody@example.org", "é"):
        assert "There is no such user" in refused(run("create_key", "--name", "x", "--user", reference), 1)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "x" * 81,
        "a\nb",
        "a\rb",
        "a\x1b[2Kb",
        "a\x07b",
        "a\x9b2Jb",
        "a\x00b",
        "a\u2028b",
        "a\udcffb",
        "\x7f",
        "\u202ea",
    ],
)
def test_names_that_would_move_the_cursor_can_not_get_in(world: World, run: Run, name: str) -> None:
    assert "name: " in refused(run("create_key", "--organization", "acme", "--name", name), 2)
    assert "name: " in refused(run("create_api_user", "--organization", "acme", "--name", name * 2), 2)
    assert not APIKey.objects.exists()


def test_name_that_turns_the_line_is_printed_harmlessly(world: World, run: Run) -> None:
    run("create_key", "--organization", "acme", "--name", "key")
    APIKey.objects.update(name="key \u202egnp.exe")  # as an older version let it in
    for command in (["list_keys"], ["show_key", str(APIKey.objects.get().pk)]):
        out = run(*command).out
        assert "\u202e" not in out
        assert "key \\u202egnp.exe" in out


@pytest.mark.parametrize("option", ["--search", "--organization", "--sort", "--reason"])
def test_bytes_that_are_no_text(world: World, run: Run, option: str) -> None:
    refused(run("list_keys", option, "\udcff"), 2)


def test_reason_is_bounded(world: World, run: Run) -> None:
    assert "reason: " in refused(run("list_keys", "--reason", "x" * 201), 2)
    assert "reason: " in refused(run("list_keys", "--reason", "a\x1b[31m"), 2)


def test_whole_key_in_a_search(world: World, run: Run) -> None:
    issued = world.key()
    line = refused(run("list_keys", "--search", issued.secret), 2)
    assert issued.secret[20:52] not in line


def test_wrong_master_key_is_refused(world: World, run: Run) -> None:
    Instance.objects.update(master_fingerprint="0" * 32)
    for command in (["list_keys"], ["worker"], ["create_key", "--name", "x", "--organization", "acme"]):
        assert "master key does not fit" in refused(run(*command), 1)
    assert settings.ENV.master.fingerprint != "0" * 32

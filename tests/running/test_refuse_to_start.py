"""What stands in the way of a start is one line on standard error, soon, and never a traceback."""

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.running.installation import ROOT, Installation, free_port, installation
from tests.running.revoking import Office

OTHER_KEY = base64.b64encode(os.urandom(32)).decode()


def line(done: "subprocess.CompletedProcess[str]", code: int) -> str:
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("keyadmin: ")
    return done.stderr


@pytest.mark.parametrize("command", [["up"], ["worker"], ["list_keys"]])
def test_wrong_master_key(running: Installation, command: list[str]) -> None:
    done = running.run(*command, KEYADMIN_MASTER_KEY=OTHER_KEY, KEYADMIN_PORT=str(free_port()))
    assert "master key does not fit this database" in line(done, 1)
    assert OTHER_KEY not in done.stderr


@pytest.mark.parametrize(
    ("environ", "words"),
    [({"KEYADMIN_MASTER_KEY": OTHER_KEY}, "does not fit"), ({"KEYADMIN_PORT": "x"}, "KEYADMIN_PORT: 'x' is not")],
)
def test_web_application_alone(running: Installation, environ: dict[str, str], words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import keyadmin.wsgi"],
        cwd=ROOT,
        env={**running.environment, **environ},
        capture_output=True,
        text=True,
    )
    assert words in line(done, 1)


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("elsewhere")) as made:
        yield made


def test_database_that_refuses(elsewhere: Installation) -> None:
    url = f"postgresql://dana:sesame@127.0.0.1:{free_port()}/keyadmin"
    for command in ("up", "worker", "list_keys"):
        refused = line(elsewhere.run(command, DATABASE_URL=url), 1)
        assert "The database can't be used" in refused
        assert "sesame" not in refused


def test_database_that_does_not_answer(elsewhere: Installation, silent_server: int) -> None:
    url = f"postgresql://dana:sesame@localhost:{silent_server}/keyadmin"
    assert "The database can't be used" in line(elsewhere.run("up", DATABASE_URL=url), 1)  # waited for in vain


@pytest.mark.parametrize("command", ["list_keys", "worker", "show_key 1"])
def test_database_without_tables(elsewhere: Installation, command: str) -> None:
    assert line(elsewhere.run(*command.split()), 1).endswith("Start keyadmin once (`make run`) to create the tables.\n")


def test_first_administrator_that_can_not_be_made(elsewhere: Installation) -> None:
    for password, words in (
        ("sesame", "KEYADMIN_ADMIN_PASSWORD: This password is too short"),
        ("dana.scully.example", "KEYADMIN_ADMIN_PASSWORD: The password is too similar"),
    ):
        environ = {"KEYADMIN_ADMIN_EMAIL": "dana.scully@example.org", "KEYADMIN_ADMIN_PASSWORD": password}
        refused = line(elsewhere.run("up", **environ), 2)
        assert words in refused
        assert password not in refused


def test_unknown_option(elsewhere: Installation) -> None:
    done = elsewhere.run("up", "--nonsense")
    assert (done.returncode, done.stderr) == (
        2,
        "manage.py up: unrecognized arguments: --nonsense (--help shows an example)\n",
    )


def test_full_disk_behind_the_output(running: Installation) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "manage.py", "list_keys", "--help"],
            cwd=ROOT,
            env=running.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_reader_that_has_seen_enough(running: Installation, office: Office) -> None:
    office.key()
    script = '"$0" manage.py list_keys --json | head -c 1'
    done = subprocess.run(
        ["/bin/sh", "-c", script, sys.executable], cwd=ROOT, env=running.environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[", "")

"""Loaded by pytest before Django reads its settings: a clean environment and the database that was asked for.

Run `.venv/bin/python -m pytest` (which finds this file), with `--database=postgres` for PostgreSQL.
"""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psycopg
import pytest

DatabaseKind = Literal["sqlite", "postgres"]

# Of a developer's own settings nothing may reach the tests; KEYADMIN_SOAK is for the tests themselves.
FOREIGN_PREFIXES = ("KEYADMIN_", "PG")
FOREIGN_NAMES = {
    "API_KEY_ROUNDS_NO",
    "DATABASE_URL",
    "DJANGO_SETTINGS_MODULE",
    "EMAIL_URL",
    "REDIS_URL",
    "USAGE_DATABASE_URL",
}
OURS = "KEYADMIN_SOAK"

# The server lives as long as its standard input, which the kernel closes even when the tests die of kill -9.
# Each other line that comes in starts it again, after a test has killed it.
KEEP_SERVER = """
trap 'rm -rf "$PWD"' EXIT
start() {
    "$1/pg_ctl" -D "$2" -l log -w start >/dev/null 2>&1
}
if "$1/initdb" -D "$2" -X "$PWD/wal" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >log 2>&1 &&
    printf '%s\n' "listen_addresses = '$(echo "$3" | tr ' ' ,)'" "unix_socket_directories = '$PWD'" \
        'max_connections = 200' 'fsync = off' 'full_page_writes = off' >>"$2/postgresql.conf" &&
    for address in $3; do
        printf '%s\n' "host all all $address/30 trust" >>"$2/pg_hba.conf" || exit
    done &&
    start "$@"
then
    echo ready
    while read -r word && [ "$word" = start ]; do
        tries=0
        until start "$@" || [ $((tries += 1)) -gt 100 ]; do sleep 0.2; done
        echo ready
    done
    "$1/pg_ctl" -D "$2" -m immediate stop >/dev/null
else
    cat log
fi
"""


class NoServerError(Exception):
    """PostgreSQL is missing or did not start; the text says why."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server: the DATABASE_URL of an empty database in it, and how to end and begin it."""

    url: str
    data: Path
    _keeper: "subprocess.Popen[str]"

    def processes(self) -> list[int]:
        """Its processes, the first one before those of its connections and its other work."""
        (first, *_) = (self.data / "postmaster.pid").read_text().splitlines()
        found = subprocess.run(["ps", "--ppid", first, "-o", "pid="], capture_output=True, text=True, check=False)
        return [int(first), *map(int, found.stdout.split())]

    def restart(self) -> None:
        """Start it, after a test has killed it; returns when it answers."""
        assert self._keeper.stdin
        assert self._keeper.stdout
        self._keeper.stdin.write("start\n")
        self._keeper.stdin.flush()
        assert self._keeper.stdout.readline() == "ready\n"


@contextmanager
def postgres_server() -> Iterator[str]:
    """A throw-away PostgreSQL server on a unix socket; yields the DATABASE_URL of an empty database in it."""
    with postgres() as server:
        yield server.url


@contextmanager
def postgres(data: Path | None = None, addresses: Sequence[str] = ()) -> Iterator[PostgresServer]:
    """The same, as what can be killed; its tables in the empty directory `data`, its write-ahead log never there.

    It also listens on `addresses` of this machine, port 5432, to whoever is in the same /30 network.
    """
    account = _server_account()
    # Not TMPDIR: a socket's path has at most about 100 bytes, and the server's account must reach it.
    directory = Path(tempfile.mkdtemp(prefix="keyadmin-pg-", dir="/tmp"))
    if account:
        for mine in [directory, *([data] if data else [])]:
            os.chown(mine, account.pw_uid, account.pw_gid)
    data = data or directory / "data"
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", KEEP_SERVER, "sh", _postgres_programs(), str(data), " ".join(addresses)],
        cwd=directory,
        env={"PATH": os.defpath, "TZ": "UTC"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for the tests; they stop the server when they have ended.
        start_new_session=True,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )
    try:
        assert keeper.stdout
        if keeper.stdout.readline() != "ready\n":
            raise NoServerError(f"PostgreSQL did not start: {keeper.stdout.read().strip()}")
        address = f"postgresql://postgres@/{{}}?host={quote(str(directory), safe='')}"
        with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE keyadmin")
        yield PostgresServer(address.format("keyadmin"), data, keeper)
    finally:
        # A word and not only the end of the input, which a forked process of some test might still hold open.
        keeper.communicate("stop\n", timeout=60)


def _server_account() -> pwd.struct_passwd | None:
    """The account to run the server as: our own (None), but PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {account.pw_name: account for account in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _postgres_programs() -> str:
    """The folder of initdb and pg_ctl: on PATH, else Debian's newest."""
    on_path = shutil.which("initdb")
    if on_path:
        return str(Path(on_path).resolve().parent)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise NoServerError("PostgreSQL is missing; scripts/setup dev brings it or says how to get it")
    return str(found[-1].parent)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgres"), default="sqlite", help="what to run on")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set the stage before pytest-django, whose hook of this name reads the settings."""
    for name in list(os.environ):
        if name != OURS and (name in FOREIGN_NAMES or name.startswith(FOREIGN_PREFIXES)):
            del os.environ[name]
    resources = ExitStack()
    atexit.register(resources.close)
    os.environ["KEYADMIN_DATA_DIR"] = resources.enter_context(tempfile.TemporaryDirectory(prefix="keyadmin-"))
    # Collected files would stand there; WhiteNoise warns where the folder is missing.
    Path(os.environ["KEYADMIN_DATA_DIR"], "static").mkdir()
    if early_config.known_args_namespace.database == "postgres":
        try:
            os.environ["DATABASE_URL"] = resources.enter_context(postgres_server())
        except NoServerError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def database_kind(pytestconfig: pytest.Config) -> DatabaseKind:
    """What these tests run on."""
    kind: DatabaseKind = pytestconfig.getoption("database")
    return kind


@pytest.fixture(scope="session")
def soak() -> bool:
    """Whether the big proofs run with their full numbers (make soak)."""
    return os.environ.get(OURS) == "1"

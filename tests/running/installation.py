"""A whole installation as its operator runs it: `manage.py up`, commands beside it, requests over the network."""

import contextlib
import functools
import os
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psycopg

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "seven grey herons wade"
ADMINISTRATOR = {
    "KEYADMIN_ADMIN_EMAIL": "dana@example.org",
    "KEYADMIN_ADMIN_PASSWORD": PASSWORD,
    "KEYADMIN_ORG": "Acme",
}
# No proxy of the developer's; and no certificates, whose loading takes longer than a request.
CLIENT: dict[str, Any] = {"timeout": 20, "trust_env": False, "verify": False}
START_SECONDS = STOP_SECONDS = 60.0
TEMPLATE = "running_template"  # the name of a database
# In an order of each run's own, as several run at once; below those that Linux takes for connections of its own accord.
_ports = iter(random.sample(range(10_000, 32_000), 22_000))
# What `manage.py up` does before it serves anybody.
FIRST_START = """
import django
django.setup()
from keyadmin.system.services import prepare
from keyadmin.web.assets import collect
prepare()
collect()
"""


class Installation:
    """One data directory and one database, with everything that runs on them.

    It listens on `host`; `within` is what its commands begin with, where they run in a network of their own.
    """

    def __init__(
        self,
        directory: Path,
        database_url: str | None,
        environment: Mapping[str, str],
        *,
        host: str = "127.0.0.1",
        within: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self.host = host
        self.command = [*within, sys.executable, "manage.py"]
        self.data = directory / "data"
        self.port = free_port()
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "KEYADMIN_DATA_DIR": str(self.data),
            "KEYADMIN_HOST": host,
            "KEYADMIN_PORT": str(self.port),
            **({"DATABASE_URL": database_url} if database_url else {}),
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.printed = 0  # characters, by earlier starts
        self.said_at_start = ""  # on standard error

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def output(self) -> str:
        return (self.directory / "stdout").read_text()

    @property
    def errors(self) -> str:
        return (self.directory / "stderr").read_text()

    def start(self, *arguments: str) -> None:
        """`manage.py up`, until it answers requests."""
        self.launch(*arguments)
        self.wait()
        self.said_at_start = self.errors

    def launch(self, *arguments: str) -> None:
        self.directory.mkdir(exist_ok=True)
        self.printed = len(self.output) if (self.directory / "stdout").exists() else 0
        with (self.directory / "stdout").open("ab") as out, (self.directory / "stderr").open("ab") as err:
            self.process = subprocess.Popen(
                [*self.command, "up", *arguments], cwd=ROOT, env=self.environment, stdout=out, stderr=err
            )

    def wait(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert self.process.poll() is None, self.errors
            assert time.monotonic() < deadline, self.errors
            with contextlib.suppress(httpx.TransportError):
                if self.get("/healthz").status_code == 200 and "Keyadmin: " in self.output[self.printed :]:
                    return
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to `up` alone; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def close(self) -> None:
        """Leave nothing behind, however the test ended."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self) -> dict[int, str]:
        """Every living process of this installation with its command line, known by its environment."""
        found = {}
        mark = f"KEYADMIN_DATA_DIR={self.data}".encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def ended(self, *, within: float) -> bool:
        """Whether no process is left after at most so many seconds."""
        deadline = time.monotonic() + within
        while self.processes():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """One command of `manage.py`, run to its end."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def secret(self, *arguments: str) -> str:
        """What `create_key` and its like print: the secret alone."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(r"ka_live_[0-9A-Za-z]{50}\n", done.stdout)
        return done.stdout.strip()

    def get(self, path: str, *, key: str = "", **headers: str) -> httpx.Response:
        sent = {**({"X-API-KEY": key} if key else {}), **headers}
        return httpx.get(f"{self.address}{path}", headers=sent, **CLIENT)

    def browser(self) -> httpx.Client:
        """Keeps cookies, follows no redirect."""
        return httpx.Client(base_url=self.address, **CLIENT)


def submit(browser: httpx.Client, path: str, fields: Mapping[str, str]) -> httpx.Response:
    """Open a page and send its form, as a browser does."""
    page = browser.get(path)
    assert page.status_code == 200, page.text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token is not None
    return browser.post(path, data={"csrfmiddlewaretoken": token[1], **fields}, headers={"Origin": origin(browser)})


def origin(browser: httpx.Client) -> str:
    return str(browser.base_url).rstrip("/")


def free_port() -> int:
    """A port that nobody has, and that is not given twice."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return port
    raise AssertionError("no port is free")


@contextlib.contextmanager
def installation(directory: Path, **environment: str) -> Iterator[Installation]:
    """An installation that is not started yet, on a database of its own; ended and removed afterwards."""
    with own_database() as url:
        made = Installation(directory, url, environment)
        try:
            yield made
        finally:
            made.close()


@contextlib.contextmanager
def prepared(directory: Path, **environment: str) -> Iterator[Installation]:
    """The same with a first start behind it: an administrator (dana@example.org) and an organisation (acme).

    What a first start makes takes as long as all the rest of it: it is made once, and copied for each.
    """
    data = Path(_first_start().name)
    with own_database(TEMPLATE) as url:
        made = Installation(directory, url, {**ADMINISTRATOR, **environment})
        shutil.copytree(data, made.data)
        try:
            yield made
        finally:
            made.close()


@functools.cache
def _first_start() -> "tempfile.TemporaryDirectory[str]":
    """The data directory that a first start leaves, on PostgreSQL beside the database TEMPLATE."""
    directory = tempfile.TemporaryDirectory(prefix="keyadmin-first-")
    url = os.environ.get("DATABASE_URL")
    if url is not None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        url = _beside(url, TEMPLATE)
    environment = {**ADMINISTRATOR, "KEYADMIN_DATA_DIR": directory.name, "DJANGO_SETTINGS_MODULE": "keyadmin.settings"}
    made = Installation(Path(directory.name), url, environment)
    subprocess.run([sys.executable, "-c", FIRST_START], cwd=ROOT, env=made.environment, check=True)
    return directory


@contextlib.contextmanager
def own_database(template: str = "template1") -> Iterator[str | None]:
    """A database in the server of the tests, empty or a copy of another one; None where they run on SQLite."""
    url = os.environ.get("DATABASE_URL")
    if url is None:
        yield None
        return
    name = f"running_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield _beside(url, name)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _beside(url: str, name: str) -> str:
    """The address of another database in the same server."""
    return url.replace("/keyadmin?", f"/{name}?")

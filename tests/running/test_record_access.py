"""Access records of a real installation, and that verification and sign-in never depend on them."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.running.installation import Installation, own_database, prepared, submit

WHOAMI = "/api/v1/whoami"
SOON = 4.0
WAITING = "Access records wait in the spool"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """With access records in a database of their own, on PostgreSQL too."""
    with own_database() as url:
        usage = {"USAGE_DATABASE_URL": url} if url else {}
        with prepared(tmp_path_factory.mktemp("access"), **usage) as one:
            one.start()
            yield one


def file_of(made: Installation) -> Path:
    return made.data / "usage.sqlite3"


def query(made: Installation, sql: str) -> list[Any]:
    """Rows of the usage database, read by its own program, past Django."""
    url = made.environment.get("USAGE_DATABASE_URL")
    if url is None:
        connection = sqlite3.connect(f"file:{file_of(made)}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
    with psycopg.connect(url) as server:
        return server.execute(sql).fetchall()


def drained(made: Installation, number: int) -> list[Any]:
    """The records, as soon as there are so many: the worker takes them out of the spools every half second."""
    deadline = time.monotonic() + 20
    while True:
        try:
            found = query(
                made, "SELECT method, path, outcome, user_id, address FROM usage_accessrecord ORDER BY time, id"
            )
        except (sqlite3.Error, psycopg.Error):
            found = []
        if len(found) >= number or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def refuse_one(made: Installation) -> None:
    """A wrong key, refused as always and soon."""
    began = time.monotonic()
    refused = made.get(WHOAMI, key="nonsense")
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_key")
    assert time.monotonic() - began < SOON


def test_a_wrong_key_and_a_wrong_password_are_two_records(made: Installation) -> None:
    assert made.get(WHOAMI, key="nonsense").status_code == 401
    with made.browser() as browser:
        wrong = {"login": "dana@example.org", "password": "canary of the coal mine"}
        assert submit(browser, "/sign-in/", wrong).status_code == 200

    assert drained(made, 2) == [
        ("GET", WHOAMI, "invalid_key", None, "127.0.0.1"),
        ("POST", "/sign-in/", "wrong_password", 1, "127.0.0.1"),
    ]
    if "USAGE_DATABASE_URL" not in made.environment:
        assert file_of(made).stat().st_mode & 0o077 == 0
        assert b"canary" not in file_of(made).read_bytes()
    assert made.errors == ""


def lock(made: Installation) -> Callable[[], object]:
    """Keep writers out; returns what lets them in again."""
    url = made.environment.get("USAGE_DATABASE_URL")
    if url is None:
        writer = sqlite3.connect(file_of(made), isolation_level=None)
        writer.execute("BEGIN EXCLUSIVE")
        return writer.close
    with psycopg.connect(url) as server:
        server.execute("ALTER TABLE usage_accessrecord RENAME TO away")

    def back() -> None:
        with psycopg.connect(url) as server:
            server.execute("ALTER TABLE away RENAME TO usage_accessrecord")

    return back


def test_without_its_database_everything_answers_as_before(made: Installation) -> None:
    secret = made.secret("create_key", "--name", "Works", "--permission", "view_customer")
    let_in = lock(made)
    try:
        refuse_one(made)
        assert made.get(WHOAMI, key=secret).status_code == 200
    finally:
        let_in()
    refuse_one(made)
    outcomes = [row[2] for row in drained(made, 5)]
    assert outcomes == ["invalid_key", "wrong_password", "invalid_key", "allowed", "invalid_key"], "they have waited"
    assert all(WAITING in line for line in made.errors.splitlines())
    assert "nonsense" not in made.errors


def test_a_key_s_last_use_and_usage_are_told(made: Installation) -> None:
    secret = made.secret("create_key", "--name", "Reader", "--permission", "apikey.view", "--permission", "usage.view")
    for _ in range(3):
        assert made.get("/verify", key=secret).status_code == 200
    assert made.get("/verify?permission=org.ctrl", key=secret).status_code == 403
    key = made.get("/verify", key=secret).headers["X-Auth-Key-Id"]
    drained(made, 10)
    told = made.get(f"/api/v1/api-keys/{key}/usage", key=secret).json()
    assert told["requests"] == {"allowed": 4, "insufficient_scope": 1}
    assert told["last_used_from"] == "127.0.0.1"


def test_a_start_makes_a_lost_database_again(made: Installation) -> None:
    if "USAGE_DATABASE_URL" in made.environment:
        pytest.skip("a file of SQLite")
    for path in made.data.glob("usage.sqlite3*"):
        path.unlink()
    refuse_one(made)

    made.stop()
    made.start()
    refuse_one(made)
    assert drained(made, 2)[-1][2] == "invalid_key"
    assert "nonsense" not in made.errors

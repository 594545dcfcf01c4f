"""Rows of an installation's databases, read by their own programs, past Django."""

import contextlib
import sqlite3
from typing import Any

import psycopg

from tests.running.installation import Installation


def rows(made: Installation, sql: str, *, database: str = "keyadmin") -> list[Any]:
    """What a query finds; on SQLite in the file of that name."""
    url = made.environment.get("DATABASE_URL")
    if url is None:
        with contextlib.closing(sqlite3.connect(f"file:{made.data}/{database}.sqlite3?mode=ro", uri=True)) as file:
            return file.execute(sql).fetchall()
    with psycopg.connect(url) as server:
        return server.execute(sql).fetchall()


def damage(made: Installation) -> list[str]:
    """What SQLite finds wrong with the file itself; PostgreSQL looks by itself when it starts."""
    if "DATABASE_URL" in made.environment:
        return []
    found = [said for name in ("keyadmin", "usage") for (said,) in rows(made, "PRAGMA integrity_check", database=name)]
    return [said for said in found if said != "ok"]

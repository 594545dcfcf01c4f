"""Objects in the database that many tests begin with: made by the services once, after that from their rows."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from django.apps import apps
from django.db import connection, router, transaction
from django.db.models import Model

T = TypeVar("T")
Rows = dict[type[Model], set[tuple[Any, ...]]]


@dataclass(frozen=True)
class Made:
    """What was returned, to be copied, and the statements that write its rows again."""

    result: bytes
    statements: list[tuple[str, list[tuple[Any, ...]]]]


_made: dict[str, Made] = {}


def remembered(name: str, make: Callable[[], T]) -> T:
    """Have in the database what `make` writes there, and return a copy of what it returned.

    In a test `make` costs twenty times as much as writing its rows again. Their ids are the same in every test.
    """
    if name in _made:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement, rows in _made[name].statements:
                cursor.executemany(statement, rows)
    else:
        before, result = _rows(), make()
        more = {model: list(rows - before[model]) for model, rows in _rows().items()}
        written = [(_writing(model), rows) for model, rows in more.items() if rows]
        _made[name] = Made(pickle.dumps(result), written)
    return cast(T, pickle.loads(_made[name].result))  # noqa: S301 - our own


def _rows() -> Rows:
    """All that the tables hold, as the database has it."""
    found: Rows = {}
    with connection.cursor() as cursor:
        for model in _models():
            cursor.execute(f"SELECT {', '.join(_columns(model))} FROM {model._meta.db_table}")  # noqa: S608
            found[model] = set(cursor.fetchall())
    return found


def _writing(model: type[Model]) -> str:
    """The statement that writes a row that was read from the table, over that of the same primary key."""
    columns, key = _columns(model), connection.ops.quote_name(model._meta.pk.column)
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "  # noqa: S608 - names of our own
        f"VALUES ({', '.join(['%s'] * len(columns))}) "
        f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns)}"
    )


def _models() -> list[type[Model]]:
    """Those with a table in this database."""
    every = apps.get_models(include_auto_created=True)
    return [model for model in every if router.allow_migrate_model(connection.alias, model)]


def _columns(model: type[Model]) -> list[str]:
    return [connection.ops.quote_name(field.column) for field in model._meta.concrete_fields]

"""Objects in the database that many tests begin with: made by the services once, after that from their rows."""

import copy
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.apps import apps
from django.db import connection, router, transaction
from django.db.models import Model

T = TypeVar("T")
Rows = dict[type[Model], set[tuple[Any, ...]]]
_made: dict[str, tuple[object, Rows]] = {}


def remembered(name: str, make: Callable[[], T]) -> T:
    """Have in the database what `make` writes there, and return a copy of what it returned.

    In a test `make` costs twenty times as much as writing its rows again. Their ids are the same in every test.
    """
    if name in _made:
        _write(_made[name][1])
    else:
        before, result = _rows(), make()
        _made[name] = result, {model: rows - before[model] for model, rows in _rows().items()}
    return cast(T, copy.deepcopy(_made[name][0]))


def _rows() -> Rows:
    """All that the tables hold, as the database has it."""
    found: Rows = {}
    with connection.cursor() as cursor:
        for model in _models():
            cursor.execute(f"SELECT {', '.join(_columns(model))} FROM {model._meta.db_table}")  # noqa: S608
            found[model] = set(cursor.fetchall())
    return found


def _write(made: Rows) -> None:
    """Write rows that were read from tables, over those of the same primary key."""
    with transaction.atomic(), connection.cursor() as cursor:
        for model, rows in made.items():
            columns, key = _columns(model), connection.ops.quote_name(model._meta.pk.column)
            if rows:
                cursor.executemany(
                    f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) "  # noqa: S608
                    f"VALUES ({', '.join(['%s'] * len(columns))}) "
                    f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns)}",
                    list(rows),
                )


def _models() -> list[type[Model]]:
    """Those with a table in this database."""
    every = apps.get_models(include_auto_created=True)
    return [model for model in every if router.allow_migrate_model(connection.alias, model)]


def _columns(model: type[Model]) -> list[str]:
    return [connection.ops.quote_name(field.column) for field in model._meta.concrete_fields]

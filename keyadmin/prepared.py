"""Queries whose SQL is made once: Django takes ten times as long to write a statement as the database to answer it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")


class Prepared(Generic[Row]):
    """A query with one value in its filter, asked again and again with other values.

    `rows` gives the query set with any value, of objects (also with `only`) or a `values_list`. A value is handed to
    the database as it is: text, or a number.
    """

    def __init__(self, rows: Callable[[], QuerySet[Any, Row]]) -> None:
        self._rows = rows
        self._made: tuple[str, SQLCompiler, Any, Callable[[Sequence[Any]], Row]] | None = None

    def all(self, value: str | int) -> list[Row]:
        """The rows for a value. One query."""
        sql, compiler, converters, made_of = self._made or self._make()
        with connection.cursor() as cursor:
            cursor.execute(sql, (value,))
            found: Iterable[Sequence[Any]] = cursor.fetchall()
        return [made_of(row) for row in (compiler.apply_converters(found, converters) if converters else found)]

    def first(self, value: str | int) -> Row | None:
        """The first of them, if there is one."""
        found = self.all(value)
        return found[0] if found else None

    def _make(self) -> tuple[str, SQLCompiler, Any, Callable[[Sequence[Any]], Row]]:
        query = self._rows().query
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, values = compiler.as_sql()
        assert len(values) == 1, sql  # noqa: S101  whoever wrote the query sees it in the first test
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        self._made = sql, compiler, converters, cast(Any, tuple) if query.values_select else _models(compiler)
        return self._made


def _models(compiler: SQLCompiler) -> Callable[[Sequence[Any]], Any]:
    """What makes an object of a row, as `QuerySet` does."""
    model: type[Model] = cast(dict[str, Any], compiler.klass_info)["model"]
    names = frozenset(cast(Any, column).target.attname for column, _, _ in compiler.select)
    return lambda row: model.from_db(DEFAULT_DB_ALIAS, names, row)

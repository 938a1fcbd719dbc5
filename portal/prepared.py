"""Queries that are compiled once, by Django, and by PostgreSQL once for each connection. Turning a query set into SQL
takes Django longer than PostgreSQL takes to answer it, and so does PostgreSQL's planning; for the few queries behind
every page that is most of what the page costs.

A prepared query is written as a query set like any other, so it cannot drift from the models, and is executed through
Django's own compiler and cursor: converters, instances, logging and query counts are what they always are.
"""

import secrets
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import QuerySet
from django.db.models.sql import UpdateQuery

from .postgresql.statements import Preparable

Scalar = uuid.UUID | str | int
# The rows, and what their fields become.
Update = tuple[QuerySet[Any, Any], dict[str, Any]]


class Prepared:
    """`Prepared(build)(**values)` is `list(build(**values))`. The values are strings, numbers and UUIDs, each of
    which goes into the SQL as a parameter; what `build` decides by looking at one is decided once."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        # A compiler belongs to a connection, and a connection to a thread.
        self._compiled = threading.local()

    def __call__(self, **values: Scalar) -> list[Any]:
        if not hasattr(self._compiled, "query"):
            self._compiled.query = _Compiled(self._build, values)
        return self._compiled.query.results(values)


class _Compiled:
    def __init__(self, build: Callable[..., QuerySet[Any, Any]], values: dict[str, Scalar]) -> None:
        markers = {name: _marker_like(value) for name, value in values.items()}
        self._queryset: Any = build(**markers).using(DEFAULT_DB_ALIAS)
        self._compiler = self._queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = self._compiler.as_sql()
        self._parameters = _places(parameters, markers)
        self._sql = _preparable(sql, self._parameters)
        # From here on the query set's iterable finds this compiler, and the compiler its SQL and what each column of an
        # answer has to go through.
        columns = [expression for expression, *_rest in self._compiler.select[: self._compiler.col_count]]
        converters = self._compiler.get_converters(columns)
        self._compiler.get_converters = lambda _columns: converters
        self._queryset.query.get_compiler = lambda *_, **__: self._compiler  # type: ignore[method-assign]

    def results(self, values: dict[str, Scalar]) -> list[Any]:
        parameters = tuple(place.filled(values) for place in self._parameters)
        self._compiler.as_sql = lambda *_, **__: (self._sql, parameters)
        return list(self._queryset._iterable_class(self._queryset))


class PreparedUpdate:
    """`PreparedUpdate(build)(**values)` is `rows.update(**fields)`, where `build(**values)` is `(rows, fields)`.

    SQL and parameters are the same on every connection to the database, so it is compiled once for all threads."""

    def __init__(self, build: Callable[..., Update]) -> None:
        self._build = build
        self._compiled: tuple[str, list[_Place]] | None = None

    def __call__(self, **values: Scalar) -> int:
        if self._compiled is None:
            self._compiled = self._compile(values)
        sql, places = self._compiled
        with transaction.mark_for_rollback_on_error(using=DEFAULT_DB_ALIAS), connection.cursor() as cursor:
            cursor.execute(sql, [place.filled(values) for place in places])
            return int(cursor.rowcount)

    def _compile(self, values: dict[str, Scalar]) -> tuple[str, list["_Place"]]:
        markers = {name: _marker_like(value) for name, value in values.items()}
        rows, fields = self._build(**markers)
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(fields)
        sql, parameters = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        places = _places(parameters, markers)
        return _preparable(sql, places), places


class _Place:
    """One of the SQL's parameters: a value to be filled in, or what it is."""

    def __init__(self, constant: Any, name: str = "", is_hex: bool = False) -> None:
        self.constant, self.name, self._is_hex = constant, name, is_hex

    @classmethod
    def of(cls, parameter: Any, markers: dict[str, Scalar]) -> "_Place":
        for name, marker in markers.items():
            if parameter == marker:
                return cls(None, name)
            if isinstance(marker, uuid.UUID) and parameter == marker.hex:  # as SQLite keeps it
                return cls(None, name, is_hex=True)
        return cls(parameter)

    def filled(self, values: dict[str, Scalar]) -> Any:
        if not self.name:
            return self.constant
        value = values[self.name]
        return value.hex if self._is_hex and isinstance(value, uuid.UUID) else value


def _preparable(sql: str, places: Iterable[_Place]) -> str:
    return Preparable(sql, [position for position, place in enumerate(places) if place.name])


def _places(parameters: Iterable[Any], markers: dict[str, Scalar]) -> list[_Place]:
    places = [_Place.of(parameter, markers) for parameter in parameters]
    if missing := set(markers) - {place.name for place in places}:
        raise TypeError(f"not among the query's parameters: {missing}")
    return places


def _marker_like(value: Scalar) -> Scalar:
    """A value of that kind that stands nowhere else in the SQL."""
    if isinstance(value, int):
        return 2**30 + secrets.randbelow(2**30)
    return uuid.uuid4() if isinstance(value, uuid.UUID) else uuid.uuid4().hex

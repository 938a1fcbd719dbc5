"""Queries that are compiled once. Turning a query set into SQL takes Django longer than PostgreSQL takes to answer it;
for the few queries behind every page that is most of what the page costs.

A prepared query is written as a query set like any other, so it cannot drift from the models, and is executed through
Django's own compiler and cursor: converters, instances, logging and query counts are what they always are.
"""

import threading
import uuid
from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet


class Prepared:
    """`Prepared(build)(**values)` is `list(build(**values))`. The values are strings and UUIDs, each of which goes
    into the SQL as a parameter; what `build` decides by looking at one is decided once."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        # A compiler belongs to a connection, and a connection to a thread.
        self._compiled = threading.local()

    def __call__(self, **values: uuid.UUID | str) -> list[Any]:
        if not hasattr(self._compiled, "query"):
            self._compiled.query = _Compiled(self._build, values)
        return self._compiled.query.results(values)


class _Compiled:
    def __init__(self, build: Callable[..., QuerySet[Any, Any]], values: dict[str, uuid.UUID | str]) -> None:
        markers = {name: _marker_like(value) for name, value in values.items()}
        self._queryset: Any = build(**markers).using(DEFAULT_DB_ALIAS)
        self._compiler = self._queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, parameters = self._compiler.as_sql()
        self._parameters = [_Place.of(parameter, markers) for parameter in parameters]
        found = {place.name for place in self._parameters if place.name}
        if found != set(markers):
            raise TypeError(f"not among the query's parameters: {set(markers) - found}")
        # From here on the query set's iterable finds this compiler, and the compiler its SQL and what each column of an
        # answer has to go through.
        columns = [expression for expression, *_rest in self._compiler.select[: self._compiler.col_count]]
        converters = self._compiler.get_converters(columns)
        self._compiler.get_converters = lambda _columns: converters
        self._queryset.query.get_compiler = lambda *_, **__: self._compiler  # type: ignore[method-assign]

    def results(self, values: dict[str, uuid.UUID | str]) -> list[Any]:
        parameters = tuple(place.filled(values) for place in self._parameters)
        self._compiler.as_sql = lambda *_, **__: (self._sql, parameters)
        return list(self._queryset._iterable_class(self._queryset))


class _Place:
    """One of the SQL's parameters: a value to be filled in, or what it is."""

    def __init__(self, constant: Any, name: str = "", is_hex: bool = False) -> None:
        self.constant, self.name, self._is_hex = constant, name, is_hex

    @classmethod
    def of(cls, parameter: Any, markers: dict[str, uuid.UUID | str]) -> "_Place":
        for name, marker in markers.items():
            if parameter == marker:
                return cls(None, name)
            if isinstance(marker, uuid.UUID) and parameter == marker.hex:  # as SQLite keeps it
                return cls(None, name, is_hex=True)
        return cls(parameter)

    def filled(self, values: dict[str, uuid.UUID | str]) -> Any:
        if not self.name:
            return self.constant
        value = values[self.name]
        return value.hex if self._is_hex and isinstance(value, uuid.UUID) else value


def _marker_like(value: uuid.UUID | str) -> uuid.UUID | str:
    """A value of that kind that stands nowhere else in the SQL."""
    return uuid.uuid4() if isinstance(value, uuid.UUID) else uuid.uuid4().hex

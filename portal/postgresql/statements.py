"""Statements that PostgreSQL parses and plans once for each connection (SQL's PREPARE), instead of each time they are
executed: planning a join of five tables takes it several times as long as finding the rows.

All that is above the cursor, such as logs and lists of queries, sees SQL and parameters as they would be without this.
A pooler that gives a session's transactions to several connections does not go with it.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from psycopg2 import errors, extensions

# What becomes of a prepared statement when a migration alters a column that it reads; and when somebody discards it.
_NO_LONGER_VALID = (errors.FeatureNotSupported, errors.InvalidSqlStatementName)


class Preparable(str):
    """SQL whose parameters at these positions may be others each time; the rest stay as they are."""

    name: str
    _varying: list[int]  # positions

    def __new__(cls, sql: str, varying: Sequence[int]) -> "Preparable":
        made = super().__new__(cls, sql)
        # Nobody else's name: where a pooler stands between nevertheless, another process's statement is never executed.
        made.name, made._varying = f"prepared_{secrets.token_hex(8)}", list(varying)
        return made

    def preparing(self, parameters: Sequence[Any]) -> tuple[str, list[Any]]:
        """The statement that prepares it, and that one's parameters."""
        start, *others = self.split("%s")
        marks = ["%s"] * len(others)
        for number, position in enumerate(self._varying, 1):
            marks[position] = f"${number}"
        sql = start + "".join(mark + other for mark, other in zip(marks, others, strict=True))
        constants = [value for position, value in enumerate(parameters) if position not in self._varying]
        return f"PREPARE {self.name} AS {sql}", constants

    def executing(self, parameters: Sequence[Any]) -> tuple[str, list[Any]]:
        """The statement that executes it, and that one's parameters."""
        values = [parameters[position] for position in self._varying]
        return f"EXECUTE {self.name} ({', '.join(['%s'] * len(values))})", values


class Connection(extensions.connection):
    """Knows what has been prepared over it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.prepared: set[str] = set()
        self.prepares = True

    def is_in_failed_transaction(self) -> bool:
        return self.info.transaction_status == extensions.TRANSACTION_STATUS_INERROR


class Cursor(extensions.cursor):
    connection: Connection
    _asked: tuple[str, Any] | None = None

    def execute(self, sql: Any, parameters: Any = None) -> None:
        """As always; what can be prepared, is."""
        self._asked = None
        if not (isinstance(sql, Preparable) and self.connection.prepares):
            return super().execute(sql, parameters)
        try:
            self._execute_prepared(sql, parameters)
        except _NO_LONGER_VALID:
            self.connection.prepares = False  # as long as it is kept, which is not for long
            if self.connection.is_in_failed_transaction():
                raise
            super().execute(sql, parameters)

    def _execute_prepared(self, sql: Preparable, parameters: Sequence[Any]) -> None:
        if sql.name not in self.connection.prepared:
            super().execute(*sql.preparing(parameters))
            self.connection.prepared.add(sql.name)
        super().execute(*sql.executing(parameters))
        self._asked = sql, parameters

    @property
    def query(self) -> bytes | None:
        """What was asked for last, for Django's list of queries."""
        return self.mogrify(*self._asked) if self._asked else super().query

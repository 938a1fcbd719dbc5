"""Moments: now is the database's clock, and what is stored is whole milliseconds.

Several machines have several clocks; the database has one. Queries use `Now()`; what is written before a
query is possible asks here.
"""

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models.functions import Now

_SQL = {
    "postgresql": "SELECT STATEMENT_TIMESTAMP()",
    "sqlite": "SELECT STRFTIME('%Y-%m-%dT%H:%M:%f+00:00', 'NOW')",
}


def now() -> datetime:
    """The database's clock, in UTC, truncated to milliseconds. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL[connection.vendor])
        moment = cursor.fetchone()[0]
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return truncated(moment.astimezone(UTC))


class ThisMillisecond(Now):
    """The same in a query, where `Now()` has microseconds on PostgreSQL."""

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="DATE_TRUNC('milliseconds', STATEMENT_TIMESTAMP())", **context
        )


def truncated(moment: datetime) -> datetime:
    """The moment without its fraction of a millisecond, so that a value read back equals the value written."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

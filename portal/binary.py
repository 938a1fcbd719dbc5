"""Rows of a query with many bytes in them, for where thousands are opened while somebody waits.

In a result PostgreSQL writes bytes as hexadecimal digits; on 400 texts of 4 kB both sides spend more time with those
than with all else. COPY gives the same rows in binary form.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

# The form (PostgreSQL's manual, SQL command COPY): a signature, flags and the length of an extension, both 0; of each
# row the number of its fields, -1 at the end of all; of each field its length, -1 for NULL, and itself.
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COUNT, _LENGTH, _MICROSECONDS = struct.Struct("!h"), struct.Struct("!i"), struct.Struct("!q")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_Reader = Callable[[bytes], Any]


def _moment(field: bytes) -> datetime:
    return _EPOCH + timedelta(microseconds=_MICROSECONDS.unpack(field)[0])


_READERS: dict[str, _Reader] = {
    "BinaryField": bytes,
    "CharField": bytes.decode,
    "DateTimeField": _moment,
    "TextField": bytes.decode,
    "UUIDField": lambda field: UUID(bytes=field),
}


def rows(values: QuerySet) -> list[tuple[Any, ...]]:
    """What `list` makes of a `values_list` of texts, bytes, moments and UUIDs."""
    if connection.vendor != "postgresql":
        return list(values)
    compiler = values.query.get_compiler(connection.alias)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:  # no row can be one of these, whatever the table holds
        return []
    readers = [_READERS[column.output_field.get_internal_type()] for column, _sql, _alias in compiler.select]
    return list(_read(_copied(sql, parameters), readers))


def _copied(sql: str, parameters: Sequence[Any]) -> bytes:
    copied = BytesIO()
    with connection.cursor() as cursor, connection.wrap_database_errors:
        query = cursor.mogrify(sql, parameters).decode()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT BINARY)", copied)
    return copied.getvalue()


def _read(copied: bytes, readers: Sequence[_Reader]) -> Iterator[tuple[Any, ...]]:
    if not copied.startswith(_HEAD):
        raise ValueError("not the binary form of COPY that is known here")
    at = len(_HEAD)
    while _COUNT.unpack_from(copied, at)[0] >= 0:
        at += _COUNT.size
        row: list[Any] = []
        for read in readers:
            (length,) = _LENGTH.unpack_from(copied, at)
            at += _LENGTH.size
            if length < 0:
                row.append(None)
                continue
            row.append(read(copied[at : at + length]))
            at += length
        yield tuple(row)

"""Many rows in one statement, for where a person waits for it: a message to 500 recipients is 1,500 rows.

Django makes an object of each row and prepares each value of it by itself. Most values of such rows are the same in
all of them; here those go in once, and the others as whole columns.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, models
from django.db.models.base import ModelState
from django.db.models.expressions import RawSQL

Row = TypeVar("Row", bound=models.Model)


def among(ids: Sequence[UUID | str]) -> Any:
    """For `filter(id__in=…)`: many ids as one value. Django prepares each of a list by itself, which costs more than
    the look-up does."""
    return _among("SELECT unnest(%s::uuid[])", ids)


def among_texts(texts: Sequence[str]) -> Any:
    """The same for a column of text."""
    return _among("SELECT unnest(%s::text[])", texts)


def _among(sql: str, values: Sequence[UUID | str]) -> Any:
    return RawSQL(sql, [_as_array(values)]) if connection.vendor == "postgresql" else list(values)  # noqa: S611


def insert(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """`bulk_create` for new rows of one model whose fields are all set (no auto_now). Rows that a unique constraint
    stands against are an error, or with `ignore_conflicts` left out."""
    if not rows:
        return
    if connection.vendor != "postgresql":
        type(rows[0])._default_manager.bulk_create(rows, ignore_conflicts=ignore_conflicts)
        return
    columns = {}
    for field in rows[0]._meta.local_concrete_fields:
        values = [getattr(row, field.attname) for row in rows]
        if field.primary_key or values.count(values[0]) < len(values):
            columns[field.attname] = values
    insert_like(rows[0], columns, ignore_conflicts=ignore_conflicts)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def insert_like(row: models.Model, columns: Mapping[str, Sequence[Any]], *, ignore_conflicts: bool = False) -> None:
    """Insert new rows, all like this one (which itself is not inserted) but for these columns: by attribute (user_id,
    not user), the id among them, a value for each row. No object is made of any."""
    if not all(columns.values()):
        return
    if connection.vendor != "postgresql":
        rows = [_like(row, dict(zip(columns, values, strict=True))) for values in zip(*columns.values(), strict=True)]
        type(row)._default_manager.bulk_create(rows, ignore_conflicts=ignore_conflicts)
        return
    quote = connection.ops.quote_name
    names, sources, same, varying = [], [], [], []
    for field in row._meta.local_concrete_fields:
        names.append(quote(str(field.column)))
        if field.attname in columns:
            varying.append((field, _as_array(columns[field.attname])))
            sources.append(f"line.{quote(str(field.column))}")
        else:
            same.append(field.get_db_prep_save(getattr(row, field.attname), connection))
            sources.append(f"%s::{field.db_type(connection)}")
    _execute(type(row), names, sources, same, varying, ignore_conflicts)


def _like(row: Row, values: Mapping[str, Any]) -> Row:
    new = type(row).__new__(type(row))
    new.__dict__.update(row.__dict__)
    new.__dict__.update(values, _state=ModelState())
    return new


def _as_array(values: Sequence[Any]) -> str:
    """As PostgreSQL writes an array: one text, which is read far quicker than a list of as many expressions."""
    kinds = set(map(type, values))
    if kinds == {UUID}:
        return f"{{{','.join([value.hex for value in values])}}}"
    if kinds == {str}:
        texts = '","'.join(values)
        if texts.count('"') == 2 * len(values) - 2 and "\\" not in texts:  # nothing to escape in any of them
            return f'{{"{texts}"}}'
    return f"{{{','.join(map(_written, values))}}}"


def _written(value: Any) -> str:
    """NULL, or in double quotes, with those and backslashes escaped."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes | memoryview):
        return f'"\\\\x{bytes(value).hex()}"'
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _execute(
    model: type[models.Model],
    names: list[str],
    sources: list[str],
    same: list[Any],
    varying: list[tuple[Any, str]],
    ignore_conflicts: bool,
) -> None:
    quote = connection.ops.quote_name
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field, _array in varying)
    columns = ", ".join(quote(str(field.column)) for field, _array in varying)
    statement = (
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(names)}) SELECT {', '.join(sources)} "  # noqa: S608
        f"FROM unnest({arrays}) AS line({columns})"
    )
    if ignore_conflicts:
        statement += " ON CONFLICT DO NOTHING"
    with connection.cursor() as cursor:
        cursor.execute(statement, [*same, *(array for _field, array in varying)])

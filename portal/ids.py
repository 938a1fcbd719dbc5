"""Ids of every row: UUIDv7 (RFC 9562, section 5.7), opaque in URLs, known before the insert, in time order.

Those made by one process also keep the order in which they were made, so that recipients stand as they were typed;
between processes, ids of one millisecond have no order.
"""

import secrets
import threading
import time
import uuid
from datetime import datetime
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast

_lock = threading.Lock()
_last = 0  # milliseconds and counter of the newest id


def uuid7() -> uuid.UUID:
    """A new id: 48 bits of milliseconds since 1970, 12 bits that count within one (section 6.2), 62 random bits."""
    return uuid7s(1)[0]


def uuid7s(count: int) -> list[uuid.UUID]:
    """So many of them, in order."""
    global _last
    with _lock:
        first = max(time.time_ns() // 1_000_000 << 12, _last + 1)
        _last = first + count - 1
    random = memoryview(secrets.token_bytes(8 * count)).cast("Q")
    return [
        uuid.UUID(int=moment >> 12 << 80 | 7 << 76 | (moment & 0xFFF) << 64 | 2 << 62 | bits >> 2)
        for moment, bits in enumerate(random, first)
    ]


def first_of(moment: datetime) -> uuid.UUID:
    """Not an id, but the bound that those made at the moment or later are not below."""
    return uuid.UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


class AsText(Cast):
    """The id in a column as the text that `str` makes of it, for where thousands are read: an object of each takes
    several times as long as all else that is done to fetch it."""

    def __init__(self, column: str) -> None:
        super().__init__(column, TextField())

    def as_sqlite(self, compiler: Any, connection: Any, **_extra: Any) -> Any:
        """SQLite keeps ids as 32 digits."""
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        template = " || '-' || ".join(f"SUBSTR(%(expressions)s, {start}, {length})" for start, length in parts)
        return super(Cast, self).as_sql(compiler, connection, template=f"({template})")

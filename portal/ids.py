"""Ids of every row: UUIDv7 (RFC 9562, section 5.7), opaque in URLs, known before the insert, in time order.

Those made by one process also keep the order in which they were made, so that recipients stand as they were typed;
between processes, ids of one millisecond have no order.
"""

import secrets
import threading
import time
import uuid
from datetime import datetime

_lock = threading.Lock()
_last = (0, 0)  # milliseconds and counter of the newest id


def uuid7() -> uuid.UUID:
    """A new id: 48 bits of milliseconds since 1970, 12 bits that count within one (section 6.2), 62 random bits."""
    global _last
    with _lock:
        milliseconds, counter = max(time.time_ns() // 1_000_000, _last[0]), 0
        if milliseconds == _last[0]:
            counter = _last[1] + 1
        if counter == 1 << 12:
            milliseconds, counter = milliseconds + 1, 0
        _last = (milliseconds, counter)
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | counter << 64 | 2 << 62 | secrets.randbits(62))


def first_of(moment: datetime) -> uuid.UUID:
    """Not an id, but the bound that those made at the moment or later are not below."""
    return uuid.UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)

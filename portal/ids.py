"""Ids of every row: UUIDv7 (RFC 9562, section 5.7), opaque in URLs, known before the insert, in time order."""

import secrets
import time
import uuid
from datetime import datetime


def uuid7() -> uuid.UUID:
    """A new id: 48 bits of milliseconds since 1970, 74 random bits. Ids of one millisecond have no order."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def first_of(moment: datetime) -> uuid.UUID:
    """Not an id, but the bound that those made at the moment or later are not below."""
    return uuid.UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)

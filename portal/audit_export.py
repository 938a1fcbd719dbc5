"""The audit log as a file: CSV for a spreadsheet, JSON lines for a machine, each event with its place in the chain.

Written line by line, in bounded memory. A file of JSON lines can be verified without the database: every line carries
what is hashed, the hash before it and its own.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from . import audit
from .models import AuditEvent
from .table_files import csv_line

COLUMNS = (
    "at",
    "action",
    "actor_address",
    "about",
    "details",
    "id",
    "actor",
    "organization",
    "sequence",
    "previous_hash",
    "hash",
)
_CHUNK = 1000


def _lines(events: QuerySet[AuditEvent]) -> Iterator[dict[str, Any]]:
    for event in events.select_related("link").order_by("id").iterator(chunk_size=_CHUNK):
        link = getattr(event, "link", None)
        yield audit.content_of(event, link.sequence if link else None) | {
            "previous_hash": bytes(link.previous_hash).hex() if link else "",
            "hash": bytes(link.hash).hex() if link else "",
        }


def as_json_lines(events: QuerySet[AuditEvent]) -> Iterator[str]:
    for line in _lines(events):
        yield json.dumps(line, ensure_ascii=False) + "\n"


def as_csv(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """RFC 4180; cells that a spreadsheet would run as formulas begin with an apostrophe."""
    yield csv_line(COLUMNS)
    for line in _lines(events):
        line["details"] = json.dumps(line["details"], ensure_ascii=False, sort_keys=True)
        yield csv_line(line[column] for column in COLUMNS)


@dataclass(frozen=True)
class FileVerification:
    """What a file of JSON lines shows: how many links, and the first that is wrong with why (empty: none)."""

    links: int
    broken_at: int | None
    why: str


def verify(lines: Iterable[str]) -> FileVerification:
    """Recompute every link in the file. Where two in a row are in it, the later must continue the earlier; what is not
    in the file (another range was exported) is not missed."""
    links: list[tuple[str, int, bytes, bytes]] = []
    for number, text in enumerate(lines, 1):
        try:
            line = json.loads(text)
            previous, digest = bytes.fromhex(line.pop("previous_hash")), bytes.fromhex(line.pop("hash"))
        except (ValueError, KeyError, TypeError, AttributeError):
            return FileVerification(len(links), number, f"line {number} is not a line of an export")
        if line.get("sequence") is None:
            continue  # not linked yet when it was exported
        if audit.content_hash(line, previous) != digest:
            return FileVerification(len(links), line["sequence"], f"event {line.get('id')} is not what was linked")
        links.append((line["organization"], line["sequence"], previous, digest))
    return _verify_order(sorted(links))


def _verify_order(links: list[tuple[str, int, bytes, bytes]]) -> FileVerification:
    for number, (before, after) in enumerate(zip(links, links[1:], strict=False), 1):
        follows = before[0] == after[0] and after[1] == before[1] + 1
        if follows and after[2] != before[3]:
            return FileVerification(number, after[1], "it does not continue the link before it")
    return FileVerification(len(links), None, "")

"""Files that could not be scanned when they arrived are scanned later, by the clock: each again after a minute, then
after twice as long each time, to a day at most. So is one whose scan takes longer than a task may run. One that turns
out to be infected is destroyed, in every message it has been forwarded in, and told of (infected_files.py).
"""

import time
from collections.abc import Iterator
from datetime import timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from portal import audit, moments
from portal.keyring import SealBroken

from . import attachments, infected_files, scanning, sealing
from .models import Attachment, MailboxEntry, Message
from .scanning import Scan, Verdict

FIRST_DELAY, LONGEST_DELAY = timedelta(minutes=1), timedelta(days=1)
# For one file: longer than a task may run, so that no other worker begins while this one is at it.
LEASE = timedelta(minutes=5)


def scan_waiting(seconds: float = 45) -> int:
    """Scan what is due, for so long; returns how many files. Nothing happens while there is no scanner."""
    ends, scanned = time.monotonic() + seconds, 0
    while scanning.is_on() and time.monotonic() < ends and (attachment := _claimed()) is not None:
        _conclude(attachment, _verdict_on(attachment))
        scanned += 1
    return scanned


def _claimed() -> Attachment | None:
    """The next file due, put off for the time it takes; no lock is held while it is scanned."""
    with transaction.atomic():
        due = (
            Attachment.objects.filter(next_scan_at__lte=Now())
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("next_scan_at")
            .first()
        )
        if due is not None:
            Attachment.objects.filter(file_id=due.file_id).update(next_scan_at=moments.now() + LEASE)
    return due


def _verdict_on(attachment: Attachment) -> Verdict:
    stream = scanning.Stream()
    try:
        for chunk in _content(attachment):
            stream.write(chunk)
        return stream.finish()
    except (SealBroken, SoftTimeLimitExceeded):
        stream.abandon()
        return Verdict(Scan.WAITING)


def _content(attachment: Attachment) -> Iterator[bytes]:
    """Opened through any copy, of any message that carries the file, that still can be. SealBroken when there is
    none."""
    carrying = Attachment.objects.filter(file_id=attachment.file_id)
    copies = MailboxEntry.objects.filter(message__in=carrying.values("message"), wrapped_key__isnull=False)
    # In no order: one would have the database walk through all copies there are.
    entry = next(iter(copies.select_related("message__retention_key").order_by()[:1]), None)
    if entry is None:
        raise SealBroken("nobody can open this attachment any more")
    row = carrying.filter(message=entry.message_id)[0]
    return attachments.bytes_of(row, sealing.open_message_key(entry))


def _conclude(attachment: Attachment, verdict: Verdict) -> None:
    """Written to every message that carries the file, forwarded or not."""
    with transaction.atomic():
        # Held, as whoever forwards a file holds it: the new message's row is seen here, or copies what is written here.
        carrying = Message.objects.filter(attachments__file_id=attachment.file_id).order_by("pk")
        list(carrying.select_for_update(of=("self",), no_key=True))
        rows = Attachment.objects.select_related("message__organization", "message__sender").filter(
            file_id=attachment.file_id
        )
        if verdict.scan in (Scan.WAITING, Scan.TOO_LARGE):
            rows.update(scan=verdict.scan, next_scan_at=moments.now() + _delay(attachment, verdict))
            return
        _written_down(rows, verdict)
        rows.update(scan=verdict.scan, next_scan_at=None)
        if verdict.scan == Scan.INFECTED:
            attachments.destroy_file_on_commit(attachment.file_id)


def _written_down(rows: QuerySet[Attachment], verdict: Verdict) -> None:
    for row in rows:
        found = {"scan": verdict.scan, "virus": verdict.virus}
        event = audit.record(row.message.organization, "attachment.scanned", about=row.message_id, **found)
        if verdict.scan == Scan.INFECTED:
            infected_files.tell(event, row.message)


def _delay(attachment: Attachment, verdict: Verdict) -> timedelta:
    if verdict.scan == Scan.TOO_LARGE:
        return LONGEST_DELAY  # until its operator raises the scanner's limit
    return min(LONGEST_DELAY, max(FIRST_DELAY, moments.now() - attachment.created_at))

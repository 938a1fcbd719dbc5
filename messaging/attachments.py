"""Attachments of drafts and messages: taking in what was uploaded, listing, opening, clearing up."""

import contextlib
import logging
import os
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from portal import audit, bulk, moments
from portal.prepared import Prepared

from . import attachment_limits, file_types, sealed_files, sealing
from .models import Attachment, Message
from .scanning import Scan
from .uploads import SealedUpload

_UNSCANNED = (Scan.WAITING, Scan.TOO_LARGE)

logger = logging.getLogger(__name__)

# A file without a row is an upload still under way, or one whose request failed; after this long it is the latter.
ORPHAN_SECONDS = 3600
_FILES = 500  # that are looked up at once
_FILE_NAME = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class NamedAttachment:
    """An attachment with its name opened."""

    id: uuid.UUID
    file_id: uuid.UUID
    name: str
    size: int
    content_type: str
    released: bool = True  # False: nobody gets its bytes, now or ever; the note says why
    note: str = ""  # what there is to say against it: its scan, its type


def attach(message: Message, message_key: bytes, uploads: Sequence[SealedUpload]) -> list[str]:
    """Make received files the draft's attachments. Returns a sentence for each that was not kept."""
    if not uploads:
        return []
    problems: list[str] = []
    taken: list[SealedUpload] = []
    room = attachment_limits.room_in(message, message.sender)
    for upload in uploads:
        name = upload.name or ""
        _audit_scan(message, upload)
        if refusal := room.refusal(name, upload):
            upload.discard()
            problems.append(refusal)
        else:
            taken.append(upload)
    Attachment.objects.bulk_create([_row(message, message_key, upload) for upload in taken])
    for upload in taken:
        # From here on it may be committed, even where a lost connection says otherwise: collect_orphans finds out.
        upload.is_attached = True
    return problems


def _audit_scan(message: Message, upload: SealedUpload) -> None:
    if upload.verdict.scan in (*_UNSCANNED, Scan.INFECTED):
        verdict = {"scan": upload.verdict.scan, "virus": upload.verdict.virus}
        audit.record(message.organization, "attachment.scanned", actor=message.sender, about=message.id, **verdict)


def _row(message: Message, message_key: bytes, upload: SealedUpload) -> Attachment:
    name = upload.name or ""
    attachment = Attachment(
        file_id=upload.file_id, message=message, content_type=(upload.content_type or "")[:120], size=upload.size or 0
    )
    attachment.doubt = attachment_limits.doubt_about(name, upload)
    attachment.scan = upload.verdict.scan
    attachment.next_scan_at = moments.now() if attachment.scan in _UNSCANNED else None
    sealing.seal_attachment(attachment, message_key, name=name, attachment_key=upload.key)
    return attachment


def copy_to(draft: Message, draft_key: bytes, source: Message, source_key: bytes) -> None:
    """Let the draft carry the source's attachments: rows that wrap the same files' keys again, no byte copied. After
    the quotes, with which the messages that the files come from are held (replies.quote_under)."""
    # Held, as retention holds it: a file is either shared before it is asked who shares it, or not at all. Not for its
    # key: the draft refers to it already, as another may that waits for this one.
    list(Message.objects.select_for_update(no_key=True).filter(id=source.id).values_list("id"))
    if draft.quotes.filter(source=source.id, content__isnull=True).exists():
        return  # recalled at this moment
    copies = []
    for row in source.attachments.all():
        copy = Attachment(message=draft, file_id=row.file_id, content_type=row.content_type, size=row.size)
        copy.scan, copy.next_scan_at, copy.doubt = row.scan, row.next_scan_at, row.doubt
        sealing.seal_attachment(
            copy,
            draft_key,
            name=sealing.open_attachment_name(row, source_key),
            attachment_key=sealing.open_attachment_key(row, source_key),
        )
        copies.append(copy)
    Attachment.objects.bulk_create(copies)


_rows = Prepared(lambda message: Attachment.objects.filter(message=message))


def listed(message: Message, message_key: bytes) -> list[NamedAttachment]:
    """The message's attachments by name; one query."""
    hold = message.organization.hold_unscanned
    opened = [
        NamedAttachment(
            row.id,
            row.file_id,
            sealing.open_attachment_name(row, message_key),
            row.size,
            row.content_type,
            row.is_released(hold),
            " ".join(filter(None, (note_on(row, hold), file_types.in_words(row.doubt)))),
        )
        for row in _rows(message=message.id)
    ]
    return sorted(opened, key=lambda attachment: (attachment.name.casefold(), attachment.id))


def note_on(attachment: Attachment, hold: bool) -> str:
    """What a reader, and its author, is told of the file's scan; empty: nothing stands against it."""
    match attachment.scan:
        case Scan.INFECTED:
            return _("Removed: a virus was found in it.")
        case Scan.WAITING if hold:
            return _("Not yet checked for viruses; it can be fetched as soon as it has been.")
        case Scan.TOO_LARGE if hold:
            return _("Too large to be checked for viruses; it cannot be fetched.")
        case Scan.WAITING:
            return _("Not checked for viruses yet.")
        case Scan.TOO_LARGE:
            return _("Not checked for viruses: it is too large for that.")
    return ""


class NotReleased(Exception):
    """A file nobody gets, now or ever; the message, for people, says why."""


def open_attachment(attachment: Attachment, message_key: bytes) -> Iterator[bytes]:
    """The file's bytes in chunks. NotReleased while they are held back; SealBroken when it is not what was stored."""
    hold = attachment.message.organization.hold_unscanned
    if not attachment.is_released(hold):
        raise NotReleased(note_on(attachment, hold))
    return bytes_of(attachment, message_key)


def bytes_of(attachment: Attachment, message_key: bytes) -> Iterator[bytes]:
    """The same whatever a scan has found: for scanning alone."""
    key = sealing.open_attachment_key(attachment, message_key)
    return sealed_files.open_sealed(attachment.file_id, key, attachment.size)


def detach(message: Message, files: Sequence[uuid.UUID]) -> None:
    """Take files off a draft; they go once that is committed. Named by file: where a draft has split in two, the page
    of the second window still shows what the first carries."""
    rows = message.attachments.filter(file_id__in=files)
    file_ids = [row.file_id for row in rows]
    rows.delete()
    remove_files_on_commit(file_ids)


def remove_files_on_commit(file_ids: list[uuid.UUID]) -> None:
    """Delete the files once their rows are gone for good and no forward shares them; what a crash in between
    leaves, collect_orphans finds."""

    def remove_files() -> None:
        shared = set(Attachment.objects.filter(file_id__in=bulk.among(file_ids)).values_list("file_id", flat=True))
        for file_id in set(file_ids) - shared:
            with _leaving_what_sticks():
                sealed_files.remove(file_id)

    transaction.on_commit(remove_files)


def destroy_file_on_commit(file_id: uuid.UUID) -> None:
    """Delete the file that rows still name: they say why it is gone."""
    transaction.on_commit(lambda: sealed_files.remove(file_id))


def collect_orphans() -> int:
    """Delete files no row knows: interrupted uploads, failed requests, rolled-back drafts. Returns how many. Looks at
    so many at a time, whatever their number is."""
    removed = 0
    old = _files_older_than(time.time() - ORPHAN_SECONDS)
    while some := list(islice(old, _FILES)):
        known = Attachment.objects.filter(file_id__in=bulk.among([file_id for file_id, _path in some]))
        shared = set(known.values_list("file_id", flat=True))
        for file_id, path in some:
            if file_id in shared:
                continue
            with _leaving_what_sticks():
                path.unlink(missing_ok=True)
                removed += 1
    return removed


@contextlib.contextmanager
def _leaving_what_sticks() -> Iterator[None]:
    """A file that cannot be deleted is for people to look at, and no reason to leave the others."""
    try:
        yield
    except OSError:
        logger.exception("an attachment's file could not be deleted")


def _files_older_than(oldest: float) -> Iterator[tuple[uuid.UUID, Path]]:
    """Files of ours, finished or not; what else lies there is somebody else's."""
    for folder in settings.ATTACHMENTS_DIR.glob("??/"):
        with os.scandir(folder) as files:
            for file in files:
                name = file.name.partition(".")[0]
                if _FILE_NAME.fullmatch(name) and _is_older(file, oldest):
                    yield uuid.UUID(name), Path(file.path)


def _is_older(file: os.DirEntry[str], oldest: float) -> bool:
    try:
        return file.stat().st_mtime < oldest
    except FileNotFoundError:
        return False  # finished, removed or collected by another meanwhile

"""Folders: listing a page of one, counting, and moving one's own copies about. What somebody does with their copy
changes nobody else's."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from portal import audit
from portal.keyring import SealBroken

from . import access, sealing
from .models import Attachment, MailboxEntry

PAGE_ROWS = 25
Folder = MailboxEntry.Folder
Kind = MailboxEntry.Kind


@dataclass(frozen=True)
class Row:
    """One line of a folder page."""

    entry: uuid.UUID
    message: uuid.UUID
    kind: str
    who: str
    subject: str | None
    at: datetime
    unread: bool
    state: str  # "", "expired", "recalled" or "unreadable"
    has_attachments: bool


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    older_than: uuid.UUID | None  # the key of the next page, when there is one


def page(user: User, folder: str, *, older_than: uuid.UUID | None = None) -> Page:
    """A page of the folder, newest first, by key: three queries however large the folder is."""
    entries = listable(access.entries_of(user).filter(folder=folder, removed_at__isnull=True)).order_by("-id")
    if older_than is not None:
        entries = entries.filter(id__lt=older_than)
    found = list(entries.defer("message__body")[: PAGE_ROWS + 1])
    shown = found[:PAGE_ROWS]
    return Page([row(entry) for entry in shown], shown[-1].id if len(found) > PAGE_ROWS else None)


def listable(entries: QuerySet[MailboxEntry]) -> QuerySet[MailboxEntry]:
    """The copies with what their rows take beyond access.entries_of."""
    return entries.annotate(
        has_attachments=Exists(Attachment.objects.filter(message=OuterRef("message")))
    ).prefetch_related("message__recipients")


def row(entry: MailboxEntry) -> Row:
    """A copy as one line of a folder page."""
    state, subject = _state_and_subject(entry)
    return Row(
        entry=entry.id,
        message=entry.message_id,
        kind=entry.kind,
        who=_who(entry),
        subject=subject,
        at=entry.message.sent_at or entry.message.created_at,
        unread=entry.read_at is None,
        state=state,
        has_attachments=entry.has_attachments,  # type: ignore[attr-defined]
    )


def _state_and_subject(entry: MailboxEntry) -> tuple[str, str | None]:
    message = entry.message
    expired = message.is_expired(entry.now) and entry.kind != Kind.DRAFT  # type: ignore[attr-defined]
    if expired and entry.kind == Kind.RECEIVED:
        return "expired", None
    try:
        subject = sealing.open_subject(message, sealing.open_message_key(entry))
    except SealBroken:
        return "unreadable", None
    if message.is_recalled():
        return "recalled", subject
    return ("expired" if expired else ""), subject


def _who(entry: MailboxEntry) -> str:
    """The other side: who wrote a received message, who a sent one went to."""
    if entry.kind == Kind.RECEIVED:
        return entry.message.sender.get_full_name()
    names = [recipient.name or recipient.address for recipient in entry.message.recipients.all()]
    if len(names) <= 2:
        return ", ".join(names)
    return _("%(name)s and %(count)d others") % {"name": names[0], "count": len(names) - 1}


def counts(user: User) -> dict[str, int]:
    """What stands beside each folder's name: the unread in Inbox and Deleted Items, all in Drafts; one query."""
    counted = (
        MailboxEntry.objects.filter(owner=user, removed_at__isnull=True, visible_at__lte=Now())
        .filter(Q(read_at__isnull=True) | Q(folder=Folder.DRAFTS))
        .values("folder")
        .annotate(count=Count("id"))
        .values_list("folder", "count")
    )
    return dict(counted.order_by())


def _own(user: User, entry_ids: Iterable[uuid.UUID]) -> QuerySet[MailboxEntry]:
    return MailboxEntry.objects.filter(
        owner=user, id__in=list(entry_ids), removed_at__isnull=True, visible_at__lte=Now()
    ).exclude(kind=Kind.DRAFT)


@transaction.atomic
def delete(*, actor: User, entry_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Move to Deleted Items; returns the ids moved, for Undo. What lies in Deleted Items already stays."""
    moved = list(_own(actor, entry_ids).exclude(folder=Folder.DELETED).values_list("id", flat=True))
    _own(actor, moved).update(deleted_from=F("folder"), folder=Folder.DELETED, deleted_at=Now())
    return moved


@transaction.atomic
def restore(*, actor: User, entry_ids: Iterable[uuid.UUID]) -> int:
    """Back to where each was before it was deleted."""
    return (
        _own(actor, entry_ids)
        .filter(folder=Folder.DELETED)
        .update(folder=F("deleted_from"), deleted_from="", deleted_at=None)
    )


@transaction.atomic
def remove(*, actor: User, entry_ids: Iterable[uuid.UUID]) -> int:
    """Remove from Deleted Items, for good: the copy's key is destroyed, for this person only."""
    entries = _own(actor, entry_ids).filter(folder=Folder.DELETED)
    messages = list(entries.values_list("message_id", flat=True))
    removed = entries.update(removed_at=Now(), wrapped_key=None)
    for message_id in messages:
        audit.record(actor.organization, "message.removed", actor=actor, about=message_id)
    return removed


def mark_read(*, actor: User, entry_ids: Iterable[uuid.UUID], read: bool) -> int:
    """Change how the copies show in one's own list. Opening a message is another thing (receipts.py): only that
    is told to the sender."""
    return _own(actor, entry_ids).exclude(kind=Kind.SENT).update(read_at=Now() if read else None)

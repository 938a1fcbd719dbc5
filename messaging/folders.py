"""Folders: listing a page of one, counting, and moving one's own copies about. What somebody does with their copy
changes nobody else's."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from portal import audit
from portal.prepared import Prepared

from . import access, drafts
from .models import MailboxEntry, Message
from .rows import Row, lines, rows_of

PAGE_ROWS = 25
Folder = MailboxEntry.Folder
Kind = MailboxEntry.Kind


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    older_than: str | None  # the key of the next page, when there is one


def page(user: User, folder: str, *, older_than: uuid.UUID | None = None) -> Page:
    """A page of the folder, newest first, by key: a query or two however large the folder is."""
    if older_than is None:
        found = _first_page(owner=user.id, folder=folder)
    else:
        found = _page_older(owner=user.id, folder=folder, than=older_than)
    rows = rows_of(user, found[:PAGE_ROWS])
    return Page(rows, rows[-1].entry if len(found) > PAGE_ROWS else None)


def _in_folder(owner: uuid.UUID, folder: str) -> QuerySet[MailboxEntry]:
    return access.entries_of(owner).filter(folder=folder, removed_at__isnull=True)


def _lines_of_newest(entries: QuerySet[MailboxEntry]) -> QuerySet[MailboxEntry, tuple[Any, ...]]:
    """A page of these copies, and one more. Chosen before anything is joined to them: one plan serves every owner, and
    where most have few copies, PostgreSQL would join all that somebody with many has."""
    newest = entries.order_by("-id").values("id")[: PAGE_ROWS + 1]
    return lines(MailboxEntry.objects.filter(id__in=newest).annotate(now=Now())).order_by("-id")


_first_page = Prepared(lambda owner, folder: _lines_of_newest(_in_folder(owner, folder)))
_page_older = Prepared(lambda owner, folder, than: _lines_of_newest(_in_folder(owner, folder).filter(id__lt=than)))


def counts(user: User) -> dict[str, int]:
    """What stands beside each folder's name: the unread in Inbox and Deleted Items, all in Drafts; one query."""
    return dict(_counted(owner=user.id))


_counted = Prepared(
    lambda owner: (
        MailboxEntry.objects.filter(
            Q(read_at__isnull=True) | Q(folder=Folder.DRAFTS),
            owner=owner,
            removed_at__isnull=True,
            visible_at__lte=Now(),
        )
        .values("folder")
        .annotate(count=Count("id"))
        .values_list("folder", "count")
        .order_by()
    )
)


def _own(user: User, entry_ids: Iterable[uuid.UUID]) -> QuerySet[MailboxEntry]:
    return MailboxEntry.objects.filter(
        owner=user, id__in=list(entry_ids), removed_at__isnull=True, visible_at__lte=Now()
    ).exclude(kind=Kind.DRAFT)


@transaction.atomic
def delete(*, actor: User, entry_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Move to Deleted Items; returns the ids moved, for Undo. What lies in Deleted Items already stays."""
    elsewhere = _own(actor, entry_ids).exclude(folder=Folder.DELETED)
    moved = list(elsewhere.values_list("id", flat=True))
    # Where it lies is asked once more: deleted by another request meanwhile, it would lose where it came from.
    elsewhere.filter(id__in=moved).update(deleted_from=F("folder"), folder=Folder.DELETED, deleted_at=Now())
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
    entries = _deleted(actor, entry_ids)
    messages = list(entries.values_list("message_id", flat=True))
    removed = entries.update(removed_at=Now(), wrapped_key=None)
    for message_id in messages:
        audit.record(actor.organization, "message.removed", actor=actor, about=message_id)
    return removed


def _deleted(user: User, entry_ids: Iterable[uuid.UUID]) -> QuerySet[MailboxEntry]:
    return _own(user, entry_ids).filter(folder=Folder.DELETED)


def deleted_already(user: User, entry_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Which of these lie in one's Deleted Items."""
    return list(_deleted(user, entry_ids).values_list("id", flat=True))


def deleted_among(user: User, entry_ids: Iterable[uuid.UUID]) -> list[Row]:
    """Which of these can be removed: copies in one's Deleted Items."""
    return _rows(user, _deleted(user, entry_ids))


def drafts_among(user: User, entry_ids: Iterable[uuid.UUID]) -> list[Row]:
    """Which of these can be discarded: drafts of one's own, no more than a page holds."""
    return _rows(user, _own_drafts(user, entry_ids))


def _rows(user: User, entries: QuerySet[MailboxEntry]) -> list[Row]:
    return rows_of(user, lines(entries.annotate(now=Now())).order_by("-id"))


def _own_drafts(user: User, entry_ids: Iterable[uuid.UUID]) -> QuerySet[MailboxEntry]:
    return MailboxEntry.objects.filter(owner=user, kind=Kind.DRAFT, id__in=list(entry_ids)[:PAGE_ROWS])


def are_last_of_sent(user: User, entry_ids: list[str]) -> bool:
    """Whether without these the person has no copy left of something they sent: from one it is recalled, and seen who
    has read it."""
    written = MailboxEntry.objects.filter(owner=user, kind__in=[Kind.SENT, Kind.OWN_COPY], removed_at__isnull=True)
    others = written.exclude(id__in=entry_ids).filter(message=OuterRef("message"))
    return written.filter(id__in=entry_ids).exclude(Exists(others)).exists()


def any_held(user: User, entry_ids: Iterable[uuid.UUID]) -> bool:
    """Whether one of these copies is the person's still, wherever it lies."""
    return _own(user, entry_ids).exists()


def any_sent(user: User, message_ids: Iterable[uuid.UUID]) -> bool:
    """Whether one of these, which were drafts of the person's, has been sent."""
    return Message.objects.filter(sender=user, id__in=list(message_ids)[:PAGE_ROWS], sent_at__isnull=False).exists()


@transaction.atomic
def discard(*, actor: User, entry_ids: Iterable[uuid.UUID]) -> int:
    """Destroy the drafts among these, for good. Their messages are held, so that sending one is either before this
    (and it stays) or finds no draft."""
    entries = _own_drafts(actor, entry_ids)
    unsent = Message.objects.filter(id__in=entries.values("message_id"), sent_at__isnull=True)
    held = list(unsent.select_for_update().order_by("pk").values_list("pk", flat=True))
    drafts.hold_what_is_quoted(held)
    # A body may be megabytes, and nobody reads it any more.
    found = entries.filter(message__in=held).select_related("message").defer("message__body")
    for entry in found:
        drafts.discard_draft(entry=entry)
    return len(found)


def mark_read(*, actor: User, entry_ids: Iterable[uuid.UUID], read: bool) -> int:
    """Change how the copies show in one's own list. Opening a message is another thing (receipts.py): only that
    is told to the sender."""
    return _own(actor, entry_ids).exclude(kind=Kind.SENT).update(read_at=Now() if read else None)

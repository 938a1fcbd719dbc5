"""The only doors to a message. Every look-up starts from a person and finds that person's own copies; what is
absent and what is somebody else's is the same 404. Now is the database's, at the moment of the query."""

import uuid

from django.db.models import FilteredRelation, QuerySet
from django.db.models.functions import Now
from django.http import Http404

from accounts.models import User
from portal.prepared import Prepared

from .models import Attachment, MailboxEntry, Message


class Gone(Exception):
    """One's own copy, whose content may not be shown any more; `reason` is recalled, expired or purged."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Undone(Http404):
    """What was a message they had sent: its sending has been undone, and it is a draft of theirs again."""

    def __init__(self, message_id: uuid.UUID) -> None:
        super().__init__(str(message_id))
        self.message_id = message_id


def entries_of(user: User | uuid.UUID) -> QuerySet[MailboxEntry]:
    """The person's copies with everything that opening their subjects takes, the moment of the query as `.now`.
    Bodies are left out until they are asked for. Their organisation is the person's own: to join it, too, would take
    PostgreSQL as long as all the rest."""
    return (
        MailboxEntry.objects.filter(owner=user, visible_at__lte=Now())
        .select_related("message", "message__retention_key", "message__sender")
        .defer("message__body", "message__draft_recipients")
        .annotate(now=Now())
    )


def openable_entry(user: User, entry_id: uuid.UUID) -> MailboxEntry:
    """The person's copy, sent or received, that may be opened at this moment. Http404, Undone, or Gone with the
    reason."""
    found = _entry(owner=user.id, entry=entry_id)
    if not found:
        _refuse_if_undone(user, entry_id)
    return _opened(user, found)


def _refuse_if_undone(user: User, entry_id: uuid.UUID) -> None:
    """The draft has the id of the copy that it was when sent (undo.py)."""
    draft = MailboxEntry.objects.filter(id=entry_id, owner=user, kind=MailboxEntry.Kind.DRAFT).first()
    if draft is not None:
        raise Undone(draft.message_id)


def openable_content_with_body(user: User, entry_id: uuid.UUID) -> MailboxEntry:
    """The same for what needs nothing but keys and body, which may be megabytes, and whether its sender knows of it
    (receipts.py): the sender is fetched when asked for."""
    return _opened(user, _content_with_body(owner=user.id, entry=entry_id))


def openable_file(user: User, entry_id: uuid.UUID, attachment_id: uuid.UUID) -> tuple[MailboxEntry, Attachment]:
    """The same for one of the message's files, which is found along with the copy. Http404 for any other file."""
    entry = _opened(user, _content_with_file(owner=user.id, entry=entry_id, attachment=attachment_id))
    file: Attachment = entry.file  # type: ignore[attr-defined]
    file.message = entry.message
    return entry, file


def _any_entry(owner: uuid.UUID, entry: uuid.UUID) -> QuerySet[MailboxEntry]:
    return entries_of(owner).exclude(kind=MailboxEntry.Kind.DRAFT).filter(id=entry)


def _any_content(owner: uuid.UUID, entry: uuid.UUID) -> QuerySet[MailboxEntry]:
    return _any_entry(owner, entry).select_related(None).select_related("message__retention_key")


_entry = Prepared(lambda owner, entry: _any_entry(owner, entry).select_related("recipient"))
_content_with_body = Prepared(
    lambda owner, entry: (
        _any_content(owner, entry).select_related("recipient").defer(None).defer("message__draft_recipients")
    )
)
_content_with_file = Prepared(
    lambda owner, entry, attachment: (
        _any_content(owner, entry)
        .annotate(file=FilteredRelation("message__attachments"))
        .filter(file=attachment)
        .select_related("file")  # type: ignore[misc]  # the stubs know of no FilteredRelation
    )
)


def _opened(user: User, found: list[MailboxEntry]) -> MailboxEntry:
    if not found:
        raise Http404
    refuse_if_gone(found[0])
    return _in_own_organization(user, found[0])


def _in_own_organization(user: User, entry: MailboxEntry) -> MailboxEntry:
    if entry.message.organization_id == user.organization_id:
        entry.message.organization = user.organization
    return entry


def refuse_if_gone(entry: MailboxEntry) -> None:
    if entry.message.retention_key.destroyed_at is not None:
        raise Gone("purged")
    if entry.is_openable(entry.now):  # type: ignore[attr-defined]
        return
    if entry.kind == MailboxEntry.Kind.RECEIVED and _is_recalled(entry):
        raise Gone("recalled")
    if entry.message.purged_at is not None:
        raise Gone("purged")
    if entry.kind == MailboxEntry.Kind.RECEIVED and entry.message.is_expired(entry.now):  # type: ignore[attr-defined]
        raise Gone("expired")
    if entry.deleted_at is not None:
        raise Http404  # its owner removed it for good
    raise Gone("purged")


def _is_recalled(entry: MailboxEntry) -> bool:
    return entry.message.is_recalled() or (entry.recipient is not None and entry.recipient.recalled_at is not None)


def sent_entry(user: User, entry_id: uuid.UUID) -> MailboxEntry:
    """The person's copy of what they wrote themselves. Http404 for any other; Undone or Gone where it is."""
    entry = openable_entry(user, entry_id)
    if not entry.is_authors:
        raise Http404
    return entry


def draft_entry(user: User, message_id: uuid.UUID) -> MailboxEntry | None:
    """The person's draft of that message id; None where no such message exists yet. Http404 for somebody else's."""
    entry = entries_of(user).defer(None).filter(message_id=message_id, kind=MailboxEntry.Kind.DRAFT).first()
    if entry is not None:
        return _in_own_organization(user, entry)
    if Message.objects.filter(id=message_id).exclude(sender=user).exists():
        raise Http404
    return None

"""Retention: when its time is over, a message's content is destroyed, for its author too; its history stays.

Due is what was sent longer ago than the organisation keeps messages, as its setting stands at this moment: nothing
stores a due date, and a changed setting rewrites nothing. Destroying goes in steps, each in transactions of its own
that are small however many recipients and files a message has:

    every copy's key · the files · what is sealed in the message itself, and with it `purged_at`

Keys first: from the first step on nobody can open the message. Whatever stands in the rows says how far it got, so
a worker that is killed anywhere is simply followed by the next one, and two at once skip what the other holds.
"""

import logging
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Length, Now

from portal import audit, bulk, moments
from portal.models import Organization, RetentionKey

from . import attachments, drafts
from .models import Attachment, AttachmentFetch, MailboxEntry, Message, Quote
from .purge_pace import Pace

logger = logging.getLogger(__name__)

# What one transaction destroys at most: messages, keys of copies, files, bytes of bodies.
_messages, _keys = Pace(100, is_repeatable=True), Pace(250, is_repeatable=True)
_files = Pace(250)  # their rows have to be gone for good before they are
_BYTES = 4 * 1024 * 1024


def purge_due(*, seconds: float = 50) -> int:
    """Destroy the content of what is due, oldest first, for so long at most; returns how many messages.

    Each organisation has a round in turn: what one has left for years keeps no other waiting."""
    ends = time.monotonic() + seconds
    purged, waiting = 0, deque(map(_rounds, Organization.objects.all()))
    while waiting and time.monotonic() < ends:
        rounds = waiting.popleft()
        if count := next(rounds, 0):
            purged += count
            waiting.append(rounds)
    return purged


def _rounds(organization: Organization) -> Iterator[int]:
    """How many messages each brings to an end, until nothing is due."""
    due = all_due = _left(organization).filter(sent_at__lte=Now() - timedelta(days=organization.retention_days))
    while some := _some(due):
        yield _purge_some([id_ for id_, _at in some], organization)
        # Nothing older is left; the index still has it, until it is vacuumed.
        due = all_due.filter(sent_at__gte=some[0][1])


def purge_some_of_all(organization: Organization) -> int:
    """Whatever its age, drafts too: one round; returns how many messages it brought to an end."""
    return _purge_some([id_ for id_, _at in _some(_left(organization))], organization)


def is_anything_left(organization: Organization) -> bool:
    """Whether a message or draft has any content."""
    return _left(organization).exists()


def _purge_some(messages: Sequence[uuid.UUID], organization: Organization) -> int:
    """One round; returns how many messages it brought to an end."""
    while _destroy_some_keys(messages):
        pass
    while _destroy_some_files(messages):
        pass
    return _empty(messages, organization)


def _left(organization: Organization) -> QuerySet[Message]:
    return Message.objects.filter(organization=organization, purged_at__isnull=True)


def _some(messages: QuerySet[Message]) -> list[tuple[uuid.UUID, datetime | None]]:
    """Id and sent_at of the next ones, up to so many, and to so many bytes unless one alone has more."""
    chosen: list[tuple[uuid.UUID, datetime | None]] = []
    total = 0
    oldest = messages.order_by("sent_at").values_list("id", "sent_at", Length("body"))
    for message_id, sent_at, size in oldest[: _messages.rows]:
        total += size
        if chosen and total > _BYTES:
            break
        chosen.append((message_id, sent_at))
    return chosen


def _destroy_some_keys(messages: Sequence[uuid.UUID]) -> bool:
    """Every kind of copy, the author's own included. False: there are no more."""
    rows = _keys.rows
    held = MailboxEntry.objects.filter(message__in=bulk.among(messages), removed_at__isnull=True).order_by()
    with _keys.transaction():
        # Chosen first: PostgreSQL may run a subquery more than once, and choose others each time.
        some = list(held.select_for_update(skip_locked=True).values_list("id", flat=True)[:rows])
        MailboxEntry.objects.filter(id__in=bulk.among(some)).update(wrapped_key=None, removed_at=Now())
    return len(some) == rows


def _destroy_some_files(messages: Sequence[uuid.UUID]) -> bool:
    """Rows first; a file goes once that is committed, unless a forward shares it. False: there are no more."""
    most = _files.rows
    with _files.transaction():
        # Held, as whoever copies attachments for a forward holds it: no row is ever left to a file that is gone.
        locked = _locked(messages)
        rows = list(Attachment.objects.filter(message__in=bulk.among(locked)).values_list("id", "file_id")[:most])
        if rows:
            _delete_attachments([id_ for id_, _file in rows])
            attachments.remove_files_on_commit([file_id for _id, file_id in rows])
    return len(rows) == most


def _delete_attachments(ids: Sequence[uuid.UUID]) -> None:
    """What delete() does, but for fetching every row first; that they were fetched, when and by whom, stays."""
    AttachmentFetch.objects.filter(attachment__in=bulk.among(ids)).update(attachment=None)
    rows = Attachment.objects.filter(id__in=bulk.among(ids))
    rows._raw_delete(rows.db)


def _empty(messages: Sequence[uuid.UUID], organization: Organization) -> int:
    """The last step, for those of which no copy and no file is left; quotes of them in answers live and end with those
    answers."""
    copies = MailboxEntry.objects.filter(message=OuterRef("pk"), removed_at__isnull=True)
    files = Attachment.objects.filter(message=OuterRef("pk"))
    with _messages.transaction():
        locked = _locked(messages)
        bare = Message.objects.filter(~Exists(copies), ~Exists(files), id__in=bulk.among(locked))
        ids = list(bare.values_list("id", flat=True))
        Quote.objects.filter(message__in=bulk.among(ids)).delete()
        ended = Message.objects.filter(id__in=bulk.among(ids))
        ended.update(subject=b"", body=b"", draft_recipients=b"", purged_at=Now())
        audit.record_each(organization, "message.purged", about=ids)
    return len(ids)


def _locked(messages: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Those of the messages that are not purged yet and that nobody else holds; held until the transaction ends."""
    waiting = Message.objects.filter(id__in=bulk.among(messages), purged_at__isnull=True).order_by("id")
    return list(waiting.select_for_update(skip_locked=True).values_list("id", flat=True))


# --- Drafts ---------------------------------------------------------------------------------------------------


def purge_old_drafts(*, seconds: float = 20) -> int:
    """Discard drafts that nobody has saved for as long as messages are kept; returns how many."""
    ends = time.monotonic() + seconds
    discarded = 0
    for organization in Organization.objects.all():
        for draft in _old_drafts(organization).order_by("saved_at").values_list("id", flat=True):
            if time.monotonic() >= ends:
                return discarded
            discarded += _purge_draft(organization, draft)
    return discarded


def _old_drafts(organization: Organization) -> QuerySet[Message]:
    return Message.objects.filter(
        organization=organization,
        sent_at__isnull=True,
        saved_at__lte=Now() - timedelta(days=organization.retention_days),
    )


def _purge_draft(organization: Organization, draft: uuid.UUID) -> bool:
    """False where it was saved meanwhile, somebody holds it, or it does not go, which keeps no other from going."""
    try:
        with transaction.atomic():
            if not _old_drafts(organization).filter(id=draft).select_for_update(skip_locked=True).exists():
                return False
            drafts.discard_draft(entry=MailboxEntry.objects.select_related("message").get(message=draft))
            audit.record(organization, "draft.purged", about=draft)
    except Exception:
        logger.exception("Draft %s could not be destroyed", draft)
        return False
    return True


# --- Retention keys ---------------------------------------------------------------------------------------------


def destroy_ended_keys() -> int:
    """Destroy the keys of months that are over and of which nothing is left, so that what backups of the database
    still hold cannot be read either; returns how many."""
    # A day later, for requests that began in one month and end in the next.
    today = (moments.now() - timedelta(days=1)).date()
    over = RetentionKey.objects.filter(destroyed_at__isnull=True, month__lt=date(today.year, today.month, 1))
    return sum(_destroy(key) for key in over.select_related("organization").order_by("month"))


def _destroy(key: RetentionKey) -> bool:
    with transaction.atomic():
        row = RetentionKey.objects.select_for_update(skip_locked=True).filter(id=key.id, destroyed_at__isnull=True)
        if not row.exists() or _is_in_use(key):
            return False
        RetentionKey.objects.filter(id=key.id).update(wrapped_key=None, destroyed_at=Now())
        audit.record(key.organization, "retention_key.destroyed", about=key.id, month=f"{key.month:%Y-%m}")
    return True


def _is_in_use(key: RetentionKey) -> bool:
    """Whether a message or draft that is not purged hangs on it."""
    live: QuerySet[Message] = Message.objects.filter(organization=key.organization_id, purged_at__isnull=True)
    return live.filter(retention_key=key).exists()

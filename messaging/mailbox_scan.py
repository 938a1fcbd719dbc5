"""One's own copies, newest first, as far as looking through them takes: in batches, so that memory stays flat however
large the mailbox and however long the bodies are; what the database can narrow is narrowed there."""

import heapq
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import BinaryField, Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce, Length, Now
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from accounts.models import User
from portal import binary, bulk, ids
from portal.models import RetentionKey

from . import access
from .models import Attachment, MailboxEntry, Quote, Recipient

Kind, Folder = MailboxEntry.Kind, MailboxEntry.Folder

# Sealed bytes: what is longer is left out, to be fetched when its turn comes, one at a time.
_LONG = 16 * 1024
_FIRST_BATCH, _LARGEST_BATCH = 50, 400  # copies
# Web machines' clocks, which ids are made by, and the database's, which dates are, may be this far apart.
_CLOCKS_APART = timedelta(hours=1)


@dataclass(frozen=True)
class Narrowing:
    """What the database narrows the copies to; empty fields do not. Dates are days of the current time zone, both
    included. Whom a draft names and what attachments are called is sealed: the caller looks at those."""

    folder: str = ""
    person: str = ""
    since: date | None = None
    until: date | None = None
    has_attachments: bool = False
    with_quotes: bool = True


class _Sealed(NamedTuple):
    """A message as far as opening it takes. Model instances would double the time of a search."""

    id: str
    organization_id: str
    retention_key: RetentionKey
    subject: bytes
    body: bytes | None  # None: a long one
    draft_recipients: bytes | None  # a draft's alone


class Copy(NamedTuple):
    """Ids are the texts that their contents are sealed with (ids.AsText)."""

    id: str
    owner_id: str
    message_id: str
    kind: str
    folder: str
    at: datetime
    wrapped_key: bytes
    message: _Sealed
    quotes: list[Quote]
    attachments: list[Attachment]


class _Keys(dict[str, RetentionKey]):
    """Retention keys by id, each looked up once."""

    def __missing__(self, key_id: str) -> RetentionKey:
        self[key_id] = RetentionKey.objects.get(id=key_id)
        return self[key_id]


def newest_first(user: User, narrowing: Narrowing, older_than: uuid.UUID | None) -> Iterator[Copy]:
    """The copies to look through, folder by folder, which is how they are indexed, merged by their ids."""
    scan = _Scan(user, narrowing, _Keys())
    chosen = [narrowing.folder] if narrowing.folder else Folder.values
    return heapq.merge(*(scan.of(folder, older_than) for folder in chosen), key=lambda copy: copy.id, reverse=True)


@dataclass(frozen=True)
class _Scan:
    user: User
    narrowing: Narrowing
    keys: _Keys

    def of(self, folder: str, older_than: uuid.UUID | str | None) -> Iterator[Copy]:
        """One folder's copies, newest first, a batch at a time; the first ones small, for a page may soon be full."""
        entries = _narrowed(openable(self.user), self.narrowing).filter(folder=folder).order_by("-id")
        rows, size = entries.annotate(**_READ).values_list(*_FIELDS), _FIRST_BATCH
        while True:
            batch = binary.rows((rows.filter(id__lt=older_than) if older_than else rows)[:size])
            yield from self._copies(folder, batch)
            if len(batch) < size:
                return
            older_than, size = batch[-1][0], min(2 * size, _LARGEST_BATCH)

    def _copies(self, folder: str, batch: list[tuple[Any, ...]]) -> Iterator[Copy]:
        message_ids = [row[1] for row in batch]
        quotes = _by_message(_quotes(message_ids)) if self.narrowing.with_quotes else {}
        files = Attachment.objects.filter(message__in=bulk.among(message_ids)) if self.narrowing.has_attachments else ()
        attachments = _by_message(files)
        owner, organization = str(self.user.id), str(self.user.organization_id)
        for entry, message_id, kind, at, wrapped_key, retention_key, *sealed in batch:
            message = _Sealed(message_id, organization, self.keys[retention_key], *sealed)
            own = quotes.get(message_id, []), attachments.get(message_id, [])
            yield Copy(entry, owner, message_id, kind, folder, at, wrapped_key, message, *own)


def openable(user: User) -> QuerySet[MailboxEntry]:
    """The person's copies that may be opened at this moment."""
    return (
        access.entries_of(user)
        .filter(removed_at__isnull=True, message__retention_key__destroyed_at__isnull=True)
        .exclude(kind=Kind.RECEIVED, message__expires_at__lte=Now())
    )


def _narrowed(entries: QuerySet[MailboxEntry], narrowing: Narrowing) -> QuerySet[MailboxEntry]:
    entries = entries.annotate(at=Coalesce("message__sent_at", "message__created_at"))
    if narrowing.since:
        since = _midnight(narrowing.since)
        # By the id too, which the index is in the order of: older copies are not even looked at.
        entries = entries.filter(at__gte=since, id__gte=ids.first_of(since - _CLOCKS_APART))
    if narrowing.until:
        entries = entries.filter(at__lt=_midnight(narrowing.until + timedelta(days=1)))
    if narrowing.has_attachments:
        entries = entries.filter(Exists(Attachment.objects.filter(message=OuterRef("message"))))
    if narrowing.person:
        entries = entries.filter(_is_from_or_to(narrowing.person))
    return entries


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())


def _is_from_or_to(person: str) -> Q:
    """Bcc readers are known to the sender alone; whom a draft names is sealed, and looked at later."""
    senders = User.objects.filter(_named(person), id=OuterRef("message__sender"))
    recipients = Recipient.objects.filter(_named(person), message=OuterRef("message"))
    received = Q(Exists(senders)) | Q(Exists(recipients.exclude(role=Recipient.Role.BCC)))
    own = Q(kind__in=[Kind.SENT, Kind.OWN_COPY]) & Q(Exists(recipients))
    return Q(kind=Kind.DRAFT) | own | Q(kind=Kind.RECEIVED) & received


def _named(person: str) -> Q:
    condition = Q()
    for word in unicodedata.normalize("NFKC", person).split():
        condition &= Q(name__icontains=word) | Q(address__icontains=word) | Q(address__icontains=_as_sent(word))
    return condition


def _as_sent(word: str) -> str:
    """An international domain as addresses have it (RFC 5890); anything else, as it is."""
    local, at, domain = word.rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        return word


def _unless_long(field: str) -> Case:
    return Case(When(LessThanOrEqual(Length(field), _LONG), then=F(field)), output_field=BinaryField())


_READ = {
    "entry_text": ids.AsText("id"),
    "message_text": ids.AsText("message_id"),
    "key_text": ids.AsText("message__retention_key_id"),
    "body_at_once": _unless_long("message__body"),
    "recipients_of_draft": Case(When(kind=Kind.DRAFT, then=F("message__draft_recipients")), output_field=BinaryField()),
}
_FIELDS = (
    *("entry_text", "message_text", "kind", "at", "wrapped_key", "key_text"),
    *("message__subject", "body_at_once", "recipients_of_draft"),
)


def _quotes(message_ids: list[str]) -> Iterator[Quote]:
    rows = Quote.objects.filter(message__in=bulk.among(message_ids), content__isnull=False).annotate(
        content_at_once=_unless_long("content")
    )
    values = rows.order_by("position").values_list("id", "message_id", "source_id", "content_at_once")
    for id_, message_id, source_id, content in binary.rows(values):
        yield Quote(id=id_, message_id=message_id, source_id=source_id, content=content)


def _by_message(rows: Iterable[Any]) -> dict[str, list[Any]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[str(row.message_id)].append(row)
    return grouped

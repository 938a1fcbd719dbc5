"""Rows: copies as the lines of a list, in as few queries and as little work as a page that is opened all day deserves.

Model instances with everything a line needs would cost several times what the line itself does.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from accounts.models import User
from portal import bulk, ids, keyring
from portal.keyring import SealBroken
from portal.models import RetentionKey

from . import sealing
from .models import Attachment, MailboxEntry, Recipient

Kind = MailboxEntry.Kind


class Row(NamedTuple):
    """One line of a folder page. Ids are texts, which is all that a page makes of them (ids.AsText)."""

    entry: str
    message: str
    kind: str
    who: str
    subject: str | None
    at: datetime
    unread: bool
    state: str  # "", "expired", "recalled" or "unreadable"
    has_attachments: bool


class _Taken(NamedTuple):
    """What the line of a copy is made of, in the order of _FIELDS."""

    id: str
    message_id: str
    kind: str
    read_at: datetime | None
    wrapped_key: memoryview
    subject: memoryview
    draft_recipients: memoryview
    sent_at: datetime | None
    created_at: datetime
    expires_at: datetime | None
    recalled_at: datetime | None
    sender_name: str
    sender_address: str
    key_id: str
    key_month: date
    key_master: str
    key_wrapped: memoryview | None
    a_file: uuid.UUID | None
    now: datetime


_FIELDS = (
    *("entry_text", "message_text", "kind", "read_at", "wrapped_key"),
    *("message__subject", "message__draft_recipients", "message__sent_at", "message__created_at"),
    *("message__expires_at", "message__recalled_at"),
    *("message__sender__name", "message__sender__address"),
    *("key_text", "message__retention_key__month", "message__retention_key__master_key_id"),
    *("message__retention_key__wrapped_key", "a_file", "now"),
)


def lines(entries: QuerySet[MailboxEntry]) -> QuerySet[MailboxEntry, tuple[Any, ...]]:
    """The query for what `rows_of` takes of these copies (access.entries_of)."""
    # Not Exists: for what may be many lines PostgreSQL would read all attachments there are, and a page shows few.
    file = Attachment.objects.filter(message=OuterRef("message")).values("id")[:1]
    texts = {"entry_text": "id", "message_text": "message_id", "key_text": "message__retention_key_id"}
    as_texts = {name: ids.AsText(column) for name, column in texts.items()}
    return entries.annotate(a_file=Subquery(file), **as_texts).values_list(*_FIELDS)


def rows_of(user: User, lines: Iterable[tuple[Any, ...]]) -> list[Row]:
    """One query for the lines of this person's copies; a second where what they wrote is among them, for whom that
    went to."""
    taken = [_Taken(*line) for line in lines]
    written = (copy.message_id for copy in taken if copy.kind not in (Kind.RECEIVED, Kind.DRAFT))
    recipients = _recipients_in_words(written)
    seals = _Seals(user)
    return [_row(copy, recipients, seals) for copy in taken]


def _row(copy: _Taken, recipients: dict[str, str], seals: "_Seals") -> Row:
    state, subject = _state_and_subject(copy, seals)
    return Row(
        entry=copy.id,
        message=copy.message_id,
        kind=copy.kind,
        who=_other_side(copy, recipients, seals),
        subject=subject,
        at=copy.sent_at or copy.created_at,
        unread=copy.read_at is None,
        state=state,
        has_attachments=copy.a_file is not None,
    )


def _other_side(copy: _Taken, recipients: dict[str, str], seals: "_Seals") -> str:
    """Who wrote a received message, who a sent one went to, who a draft names."""
    if copy.kind == Kind.RECEIVED:
        return copy.sender_name or copy.sender_address
    if copy.kind != Kind.DRAFT:
        return recipients.get(copy.message_id, "")
    try:
        return ", ".join(filter(None, seals.open_recipients(copy).values()))
    except SealBroken:
        return ""


def _state_and_subject(copy: _Taken, seals: "_Seals") -> tuple[str, str | None]:
    expired = copy.expires_at is not None and copy.expires_at <= copy.now and copy.kind != Kind.DRAFT
    if expired and copy.kind == Kind.RECEIVED:
        return "expired", None
    try:
        subject = seals.open_subject(copy)
    except SealBroken:
        return "unreadable", None
    if copy.recalled_at is not None:
        return "recalled", subject
    return ("expired" if expired else ""), subject


class _Seals:
    """Opens what a line shows of one person's copies; a month's retention key once, not for each line. SealBroken as
    everywhere."""

    def __init__(self, user: User) -> None:
        # As texts, which is how they are sealed: made once.
        self._owner, self._organization = str(user.id), str(user.organization_id)
        self._keys: dict[str, bytes] = {}

    def open_subject(self, copy: _Taken) -> str:
        return sealing.open_subject_of(copy.subject, self._key(copy), self._organization, copy.message_id)

    def open_recipients(self, copy: _Taken) -> dict[str, str]:
        sealed, key = copy.draft_recipients, self._key(copy)
        return sealing.open_draft_recipients_of(sealed, key, self._organization, copy.message_id)

    def _key(self, copy: _Taken) -> bytes:
        if copy.key_id not in self._keys:
            row = RetentionKey(
                id=uuid.UUID(copy.key_id),
                organization_id=uuid.UUID(self._organization),
                month=copy.key_month,
                master_key_id=copy.key_master,
                wrapped_key=copy.key_wrapped,
            )
            self._keys[copy.key_id] = keyring.open_retention_key(row)
        return sealing.open_wrap(copy.wrapped_key, self._keys[copy.key_id], copy.id, self._owner, copy.message_id)


def _recipients_in_words(messages: Iterable[str]) -> dict[str, str]:
    """Whom these messages went to: one or two by name, more by number. Only two rows of each are fetched, for there
    may be 500."""
    written = list(messages)
    if not written:
        return {}
    place = Window(RowNumber(), partition_by="message", order_by="id")
    first_two = (
        Recipient.objects.filter(message__in=bulk.among(written))
        .annotate(place=place, count=Window(Count("id"), partition_by="message"))
        .filter(place__lte=2)
        .order_by("id")
        .values_list("message_id", "name", "address", "count")
    )
    named: dict[str, list[str]] = defaultdict(list)
    counts = {}
    for message_id, name, address, count in first_two:
        message = str(message_id)
        named[message].append(name or address)
        counts[message] = count
    return {message: _in_words(names, counts[message]) for message, names in named.items()}


def _in_words(first_two: list[str], count: int) -> str:
    if count <= 2:
        return ", ".join(first_two)
    return _("%(name)s and %(count)d others") % {"name": first_two[0], "count": count - 1}

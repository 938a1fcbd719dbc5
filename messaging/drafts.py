"""Drafts: a draft is a message not sent yet. Its id is known to the form before the first save, so that saving or
sending twice, from two clicks or a repeated request, finds the same message."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from portal import keyring, moments
from portal.ids import uuid7

from . import attachments, definitions, draft_quotes, replies, sealing
from .models import MailboxEntry, Message, Quote
from .replies import Answer
from .uploads import SealedUpload


@dataclass(frozen=True)
class DraftText:
    """What a person has written so far; addresses as typed, the body as HTML."""

    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    body: str = ""
    expires_at: datetime | None = None
    read_receipt: bool = False
    revision: int | None = None  # the save this text was written over, and the window it was written in
    window: str = ""
    definition: uuid.UUID | None = None  # None: the default


@dataclass
class SavedDraft:
    entry: MailboxEntry
    problems: list[str]
    is_second: bool = False  # another window had saved meanwhile: this is a draft of its own, both are kept


class AlreadySent(Exception):
    """The draft was sent in the meantime, by a second click, another window or a repeated request; or discarded."""


class SavedMeanwhile(Exception):
    """The same new form was saved by another request in this moment: look the draft up again."""


def lock_unsent(entry: MailboxEntry) -> None:
    """Hold the draft's message row until the transaction ends; AlreadySent when it is no draft any more."""
    if not Message.objects.select_for_update().filter(id=entry.message_id, sent_at__isnull=True).exists():
        raise AlreadySent


@transaction.atomic
def save_draft(
    *,
    actor: User,
    message_id: uuid.UUID,
    entry: MailboxEntry | None,
    text: DraftText,
    answer: Answer | None = None,
    uploads: Sequence[SealedUpload] = (),
    removed_attachments: Sequence[uuid.UUID] = (),  # by file
    keeps_newer: bool = False,
) -> SavedDraft:
    """Create the draft, or write over it. A reply keeps its recipients whatever the form says, unless the organisation
    lets them be changed. keeps_newer: the form was filled in as long ago as its files took to arrive; text that was
    saved meanwhile stays.

    Returns the author's entry and a sentence for each file that was not kept. AlreadySent and SavedMeanwhile when
    another request was quicker.
    """
    is_second = is_older = False
    if entry is None:
        entry = create(actor, message_id, text, answer)
    else:
        lock_unsent(entry)
        is_second = _was_saved_elsewhere(entry.message, text)
        is_older = keeps_newer and not is_second and text.revision != entry.message.revision
        entry = second(entry, text) if is_second else entry
        _keep_for_this_month(entry)
    message, key = entry.message, sealing.open_message_key(entry)
    problems = []
    if not is_older:
        _write(message, key, text)
        problems += _choose_definition(message, text)
    message.revision += 1
    message.window = text.window
    # What stands in the row of an older form may have been read before it was locked.
    message.save(update_fields=["revision", "window", "saved_at", "retention_key"] if is_older else None)
    if removed_attachments:
        attachments.detach(message, removed_attachments)
    problems += attachments.attach(message, key, uploads)
    return SavedDraft(entry, problems, is_second)


def _was_saved_elsewhere(message: Message, text: DraftText) -> bool:
    """Another window saved after this one had last seen the draft. Held: the message's row is locked."""
    stored = Message.objects.values("revision", "window").get(id=message.id)
    message.revision = stored["revision"]
    return text.revision not in (None, stored["revision"]) and text.window != stored["window"]


def _keep_for_this_month(entry: MailboxEntry) -> None:
    """Put the draft under the retention key of the month in which it is written, or the old one could not be destroyed
    in its time. Held: the message's row is locked."""
    now = moments.now()
    if (now.year, now.month) == (entry.message.retention_key.month.year, entry.message.retention_key.month.month):
        return
    # Another window may have done it since the draft was looked up.
    stored = MailboxEntry.objects.select_related("message__retention_key").get(id=entry.id)
    key = sealing.open_message_key(stored)
    entry.message.retention_key = keyring.retention_key_for(entry.message.organization, now)
    sealing.wrap_for_entry(entry, key, keyring.open_retention_key(entry.message.retention_key))
    entry.save(update_fields=["wrapped_key"])


def second(entry: MailboxEntry, text: DraftText) -> MailboxEntry:
    """A draft beside the first, or beside what was sent: what it answers, quotes and carries is the same."""
    first, key = entry.message, sealing.open_message_key(entry)
    begun = _begun(entry.owner, uuid7())
    begun.in_reply_to_id, begun.answers_all = first.in_reply_to_id, first.answers_all
    begun.forwards_id = first.forwards_id
    beside = _create(begun, text)
    beside_key = sealing.open_message_key(beside)
    replies.quote_under(beside.message, beside_key, _still_quoted(first, key))
    attachments.copy_to(beside.message, beside_key, first, key)
    return beside


def _still_quoted(first: Message, key: bytes) -> list[dict[str, Any]]:
    quotes = draft_quotes.open_quotes(first, key, first.sender)
    return [quote | {"destroyed": True} if quote.get("ended") else quote for quote in quotes]


def _choose_definition(message: Message, text: DraftText) -> list[str]:
    """Whether the author may use it is asked when the draft is sent; here it only has to be there."""
    if text.definition is None or definitions.exists(message.organization, text.definition):
        message.definition_id = text.definition
        return []
    return [_("The definition you chose does not exist any more. Please choose another one.")]


def create(actor: User, message_id: uuid.UUID, text: DraftText, answer: Answer | None = None) -> MailboxEntry:
    """A new draft; SavedMeanwhile where there is one of that id."""
    message = _begun(actor, message_id)
    if answer is None:
        return _create(message, text)
    replies.refuse_unless_allowed(answer)
    if answer.is_forward:
        message.forwards = answer.message
    else:
        message.in_reply_to, message.answers_all = answer.message, answer.to_all
    entry = _create(message, text)
    key = sealing.open_message_key(entry)
    replies.quote_under(message, key, replies.quoted(answer.entry))
    if answer.is_forward:
        attachments.copy_to(message, key, answer.message, sealing.open_message_key(answer.entry))
    return entry


def _begun(actor: User, message_id: uuid.UUID) -> Message:
    retention_key = keyring.retention_key_for(actor.organization, moments.now())
    return Message(id=message_id, organization=actor.organization, sender=actor, retention_key=retention_key)


def _create(message: Message, text: DraftText) -> MailboxEntry:
    key = keyring.new_key()
    _write(message, key, text)
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        raise SavedMeanwhile from None
    return add_draft_entry(message, key, moments.now())


def add_draft_entry(message: Message, key: bytes, now: datetime, entry_id: uuid.UUID | None = None) -> MailboxEntry:
    """The author's copy in Drafts."""
    entry = MailboxEntry(
        id=entry_id or uuid7(),
        owner=message.sender,
        message=message,
        kind=MailboxEntry.Kind.DRAFT,
        folder=MailboxEntry.Folder.DRAFTS,
        visible_at=now,
        read_at=now,
    )
    sealing.wrap_for_entry(entry, key, keyring.open_retention_key(message.retention_key))
    entry.save(force_insert=True)
    return entry


def _write(message: Message, key: bytes, text: DraftText) -> None:
    message.subject = sealing.seal_message_text(message, key, "subject", text.subject)
    message.body = sealing.seal_message_text(message, key, "body", text.body)
    message.expires_at = text.expires_at
    message.read_receipt = text.read_receipt
    typed = {"to": text.to, "cc": text.cc, "bcc": text.bcc}
    sealing.seal_draft_recipients(message, key, _fixed_recipients(message) or typed)


def are_fixed(message: Message) -> bool:
    """A reply goes to those it answers, unless the organisation lets its people change that."""
    return message.in_reply_to_id is not None and not message.organization.replies_may_change_recipients


def _fixed_recipients(message: Message) -> dict[str, str] | None:
    return replies.typed(replies.of_draft(message)) if are_fixed(message) else None


def open_draft(entry: MailboxEntry) -> DraftText:
    """What was written so far."""
    message, key = entry.message, sealing.open_message_key(entry)
    recipients = _fixed_recipients(message) or sealing.open_draft_recipients(message, key)
    return DraftText(
        **recipients,
        subject=sealing.open_subject(message, key),
        body=sealing.open_body(message, key),
        expires_at=message.expires_at,
        read_receipt=message.read_receipt,
        revision=message.revision,
        definition=message.definition_id,
    )


def hold_what_is_quoted(drafts: Collection[uuid.UUID]) -> None:
    """Before the quotes and files of these go: a recall of what they quote takes them, too, in an order of its own."""
    sources = Quote.objects.filter(message__in=drafts, source__isnull=False).values_list("source", flat=True)
    replies.hold(set(sources))


@transaction.atomic
def discard_draft(*, entry: MailboxEntry) -> None:
    """Destroy the draft, key first; its files go once that is committed."""
    message = entry.message
    hold_what_is_quoted([message.id])
    file_ids = list(message.attachments.values_list("file_id", flat=True))
    entry.delete()
    message.delete()
    attachments.remove_files_on_commit(file_ids)

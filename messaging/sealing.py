"""How a message's parts are sealed, and where each sealed value stands.

The message key is made with the draft and never changes; it exists only wrapped, once per mailbox entry,
under the retention key of the month of sending. Whoever opens a message does so through an entry.
"""

import json
from typing import Any
from uuid import UUID

from portal import keyring
from portal.keyring import Place

from .models import Attachment, MailboxEntry, Message, Quote


def wrap_for_entry(entry: MailboxEntry, message_key: bytes, retention_key: bytes) -> None:
    """Put the message key into the (unsaved) entry, readable with the retention key in this very row only."""
    entry.wrapped_key = wrap(message_key, retention_key, entry.id, entry.owner_id, entry.message_id)


def wrap(message_key: bytes, retention_key: bytes, entry: UUID, owner: UUID, message: UUID) -> bytes:
    """The same, for a row that is no model instance."""
    return keyring.seal(retention_key, message_key, _entry_place(entry, owner, message))


def open_message_key(entry: MailboxEntry, retention_key: bytes | None = None) -> bytes:
    """The message key, 32 bytes, through the entry's wrap. SealBroken when the wrap is gone.

    retention_key: where many are opened at once and it has been opened already."""
    retention_key = retention_key or keyring.open_retention_key(entry.message.retention_key)
    return open_wrap(entry.wrapped_key, retention_key, entry.id, entry.owner_id, entry.message_id)


def open_wrap(
    wrapped: bytes | memoryview | None, retention_key: bytes, entry: UUID | str, owner: UUID | str, message: UUID | str
) -> bytes:
    """The same, for a row that is no model instance."""
    if wrapped is None:
        raise keyring.SealBroken("this copy no longer holds the message's key")
    return keyring.unseal(retention_key, wrapped, _entry_place(entry, owner, message))


def seal_message_text(message: Message, key: bytes, field: str, text: str) -> bytes:
    return keyring.seal_text(key, text, _message_place(message, field))


def open_subject(message: Message, key: bytes) -> str:
    return open_subject_of(message.subject, key, message.organization_id, message.id)


def open_subject_of(sealed: bytes | memoryview, key: bytes, organization: UUID | str, message: UUID | str) -> str:
    """The same, for a row that is no model instance."""
    return keyring.unseal_text(key, sealed, ("message", organization, message, "subject"))


def open_body(message: Message, key: bytes) -> str:
    return keyring.unseal_text(key, message.body, _message_place(message, "body"))


def seal_draft_recipients(message: Message, key: bytes, typed: dict[str, str]) -> None:
    """Keep {"to": …, "cc": …, "bcc": …} as they were typed."""
    message.draft_recipients = keyring.seal_text(key, json.dumps(typed), _message_place(message, "draft_recipients"))


def open_draft_recipients(message: Message, key: bytes) -> dict[str, str]:
    """{"to": …, "cc": …, "bcc": …}, as they were typed."""
    return open_draft_recipients_of(message.draft_recipients, key, message.organization_id, message.id)


def open_draft_recipients_of(
    sealed: bytes | memoryview, key: bytes, organization: UUID | str, message: UUID | str
) -> dict[str, str]:
    """The same, for a row that is no model instance."""
    return json.loads(keyring.unseal_text(key, sealed, ("message", organization, message, "draft_recipients")))


def seal_quote(quote: Quote, key: bytes, content: dict[str, Any]) -> None:
    quote.content = keyring.seal_text(key, json.dumps(content), _quote_place(quote))


def open_quote(quote: Quote, key: bytes) -> dict[str, Any]:
    """What seal_quote was given. SealBroken when the quote was destroyed with its source."""
    if quote.content is None:
        raise keyring.SealBroken("this quote was destroyed with its source")
    return json.loads(keyring.unseal_text(key, quote.content, _quote_place(quote)))


def seal_attachment(attachment: Attachment, message_key: bytes, *, name: str, attachment_key: bytes) -> None:
    """Fill the sealed fields of an (unsaved) attachment row."""
    attachment.name = keyring.seal_text(message_key, name, _attachment_place(attachment, "name"))
    attachment.wrapped_key = keyring.seal(message_key, attachment_key, _attachment_place(attachment, "key"))


def open_attachment_name(attachment: Attachment, message_key: bytes) -> str:
    return keyring.unseal_text(message_key, attachment.name, _attachment_place(attachment, "name"))


def open_attachment_key(attachment: Attachment, message_key: bytes) -> bytes:
    return keyring.unseal(message_key, attachment.wrapped_key, _attachment_place(attachment, "key"))


def _entry_place(entry: UUID | str, owner: UUID | str, message: UUID | str) -> Place:
    return ("mailbox_entry", entry, owner, message, "message_key")


def _message_place(message: Message, field: str) -> Place:
    return ("message", message.organization_id, message.id, field)


def _quote_place(quote: Quote) -> Place:
    return ("quote", quote.message_id, quote.id, "content")


def _attachment_place(attachment: Attachment, field: str) -> Place:
    return ("attachment", attachment.message_id, attachment.id, field)

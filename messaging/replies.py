"""Replies and forwards: each is a new message of its own. What it answers or passes on stands under it as quotes,
rows of their own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied

from accounts.models import User
from portal.prepared import Prepared

from . import sealing
from .models import MailboxEntry, Message, Quote, Recipient


@dataclass(frozen=True)
class Answer:
    """What a reply answers or a forward passes on: the author's own copy of it, and how."""

    entry: MailboxEntry
    to_all: bool = False
    is_forward: bool = False

    @property
    def message(self) -> Message:
        return self.entry.message


def may_reply(entry: MailboxEntry, *, to_all: bool) -> bool:
    """The author of a message may always write to its recipients again; recipients as the definition says."""
    if entry.is_authors:
        return True
    return entry.message.may_reply_all if to_all else entry.message.may_reply


def may_forward(entry: MailboxEntry) -> bool:
    return entry.is_authors or entry.message.may_forward


def refuse_unless_allowed(answer: Answer) -> None:
    allowed = may_forward(answer.entry) if answer.is_forward else may_reply(answer.entry, to_all=answer.to_all)
    if not allowed:
        raise PermissionDenied


class Person(NamedTuple):
    """Whom a reply goes to."""

    address: str
    name: str = ""


def recipients(answer: Answer, author: User) -> dict[str, list[Person]]:
    """{"to": […], "cc": […]} of a reply. Bcc readers are on no reply, and nobody answers themselves
    unless there is nobody else."""
    original = answer.message
    listed = list(original.recipients.exclude(role=Recipient.Role.BCC).order_by("id"))
    to = [Person(r.address, r.name) for r in listed if r.role == Recipient.Role.TO]
    cc = [Person(r.address, r.name) for r in listed if r.role == Recipient.Role.CC]
    if answer.entry.is_authors:
        return {"to": to, "cc": cc if answer.to_all else []}
    sender = Person(original.sender.address, original.sender.name)
    if not answer.to_all:
        return {"to": [sender], "cc": []}
    known = (author.address, sender.address)
    others = [person for person in to if person.address not in known]
    return {"to": [sender, *others], "cc": [person for person in cc if person.address not in known]}


def subject_of(answer: Answer, subject: str) -> str:
    prefix = "Fwd:" if answer.is_forward else "Re:"
    return subject if subject.lower().startswith(prefix.lower()) else f"{prefix} {subject}"


def quoted(entry: MailboxEntry) -> list[dict[str, Any]]:
    """What stands under a reply to this message: the message itself, then what it quoted, each with the id of its
    source: [{sender, sent_at, to, cc, subject, body, source}]."""
    message, key = entry.message, sealing.open_message_key(entry)
    listed = list(message.recipients.exclude(role=Recipient.Role.BCC).order_by("id"))
    newest = {
        "sender": _written(message.sender.name, message.sender.address),
        "sent_at": message.sent_at,
        "to": [_written(r.name, r.address) for r in listed if r.role == Recipient.Role.TO],
        "cc": [_written(r.name, r.address) for r in listed if r.role == Recipient.Role.CC],
        "subject": sealing.open_subject(message, key),
        "body": sealing.open_body(message, key),
        "source": message.id,
    }
    return [newest, *open_quotes(message, key)]


def open_quotes(message: Message, key: bytes) -> list[dict[str, Any]]:
    """The quotes under a message, newest first; one query."""
    return [_opened(quote, key) for quote in _quotes(message=message.id)]


_quotes = Prepared(lambda message: Quote.objects.filter(message=message).order_by("position"))


def _opened(quote: Quote, key: bytes) -> dict[str, Any]:
    if quote.content is None:
        return {"destroyed": True, "body": "", "source": quote.source_id}
    content = sealing.open_quote(quote, key)
    return content | {"sent_at": datetime.fromisoformat(content["sent_at"]), "source": quote.source_id}


def quote_under(message: Message, key: bytes, quotes: list[dict[str, Any]]) -> None:
    """Seal the quotes under the reply's own key."""
    rows = []
    for position, content in enumerate(quotes):
        quote = Quote(message=message, position=position, source_id=content["source"])
        if content.get("destroyed"):
            rows.append(quote)
            continue
        sealed = {name: value for name, value in content.items() if name != "source"}
        sealing.seal_quote(quote, key, sealed | {"sent_at": content["sent_at"].isoformat()})
        rows.append(quote)
    Quote.objects.bulk_create(rows)


def _written(name: str, address: str) -> str:
    return f"{name} <{address}>" if name and name != address else address

"""Replies and forwards: each is a new message of its own. What it answers or passes on stands under it as quotes,
rows of their own."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Q, QuerySet

from accounts.models import User
from portal import erased, ids
from portal.prepared import Prepared

from . import rules, sealing
from .models import MailboxEntry, Message, Quote, Recipient

# Each answer holds what stands under it once more: without an end, an exchange would grow with its square.
MAX_QUOTES = 40
MAX_QUOTED_CHARACTERS = 8 * 1024 * 1024


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
    """Whether it is allowed, and there is somebody to write to."""
    if not rules.allow_reply(entry, to_all=to_all):
        return False
    message = entry.message
    if entry.is_authors:
        return _listed(message).exists()
    return not message.sender.is_erased or (to_all and _listed(message).exclude(user=entry.owner_id).exists())


def may_forward(entry: MailboxEntry, quoted: Sequence[Message] | None = None) -> bool:
    """All of it, to somebody who does not have it: so is sending it to one more recipient."""
    return not rules.why_not(entry, "may_forward", quoted)


def refuse_unless_allowed(answer: Answer) -> None:
    """PermissionDenied where the definition does not allow it. That nobody is left to write to is said when it is
    sent: until then, what was written is kept."""
    if answer.is_forward:
        if why := rules.why_not(answer.entry, "may_forward"):
            raise PermissionDenied(why)
    elif not rules.allow_reply(answer.entry, to_all=answer.to_all):
        raise PermissionDenied


# Recipients' ids are as old as the clock of the machine that made them: whom it was sent to at first is never left out.
_CLOCKS_APART = timedelta(minutes=1)


class Person(NamedTuple):
    """Whom a reply goes to, by the address and name of today: mail to an old address is not theirs any more."""

    address: str
    name: str = ""


def recipients(
    message: Message, author: User, *, to_all: bool, as_of: datetime | None = None
) -> dict[str, list[Person]]:
    """{"to": […], "cc": […]} of a reply to it, begun now or then. Bcc readers are on no reply, and nobody answers
    themselves unless there is nobody else."""
    sender, listed = message.sender, _listed(message)
    if as_of and message.sent_at:
        listed = listed.filter(id__lt=ids.first_of(max(as_of, message.sent_at + _CLOCKS_APART)))
    if sender.pk == author.pk:
        others = [one for one in listed if one.user_id != author.pk] or listed
        to, cc = _of_role(others, Recipient.Role.TO), _of_role(others, Recipient.Role.CC)
        to = to if to or cc else _hidden_copy_of(message, author)
        return {"to": to, "cc": cc if to_all or not to else []}
    to = [] if sender.is_erased else [_person(sender)]
    if not to_all:
        return {"to": to, "cc": []}
    others = listed.exclude(user__in=[author, sender])
    return {"to": [*to, *_of_role(others, Recipient.Role.TO)], "cc": _of_role(others, Recipient.Role.CC)}


def _listed(message: Message) -> QuerySet[Recipient]:
    """Whom its readers see that it went to, but for those who are erased or have had it taken back: the answer quotes
    it."""
    holders = message.recipients.filter(recalled_at__isnull=True)
    listed = holders.exclude(role=Recipient.Role.BCC).select_related("user").order_by("id")
    return listed.exclude(user__address__endswith=f"@{erased.DOMAIN}")


def _of_role(listed: Iterable[Recipient], role: str) -> list[Person]:
    return [_person(recipient.user) for recipient in listed if recipient.role == role]


def _hidden_copy_of(message: Message, author: User) -> list[Person]:
    """An author who wrote to nobody but Bcc, themselves among them."""
    holds = message.recipients.filter(user=author, recalled_at__isnull=True).exists()
    return [_person(author)] if holds else []


def _person(user: User) -> Person:
    return Person(user.address, user.name)


def of_draft(draft: Message) -> dict[str, list[Person]]:
    """The same of a reply that is not sent yet: since it was begun, people may have got another address or have been
    erased. Whom the message was sent on to since, its author has not been shown."""
    assert draft.in_reply_to_id is not None  # noqa: S101  only replies are asked about
    answered = Message.objects.select_related("sender").defer("subject", "body", "draft_recipients")
    original = answered.get(pk=draft.in_reply_to_id)
    return recipients(original, draft.sender, to_all=draft.answers_all, as_of=draft.created_at)


def typed(people: dict[str, list[Person]]) -> dict[str, str]:
    """As a form's fields have them: {"to": …, "cc": …, "bcc": ""}."""
    return {role: ", ".join(person.address for person in people.get(role, [])) for role in ("to", "cc", "bcc")}


def subject_of(answer: Answer, subject: str) -> str:
    prefix = "Fwd:" if answer.is_forward else "Re:"
    return subject if subject.lower().startswith(prefix.lower()) else f"{prefix} {subject}"


def quoted(entry: MailboxEntry) -> list[dict[str, Any]]:
    """What stands under a reply to this message: the message itself, then what it quoted, each with the id of its
    source: [{sender, sent_at, to, cc, subject, body, source}]. The last one is "cut" where older ones are left out."""
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
    return _newest([newest, *open_quotes(message, key)])


def _newest(quotes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As many as there is room for; the message itself in any case."""
    room, kept = MAX_QUOTED_CHARACTERS, quotes[:1]
    for quote in quotes[1:MAX_QUOTES]:
        room -= _size(kept[-1])
        if _size(quote) > room:
            break
        kept.append(quote)
    if len(kept) < len(quotes):
        last = max(position for position, quote in enumerate(kept) if not quote.get("destroyed"))
        kept[last] = kept[last] | {"cut": True}
    return kept


def _size(quote: dict[str, Any]) -> int:
    return len(quote["body"]) + len(quote.get("subject", ""))


def open_quotes(message: Message, key: bytes) -> list[dict[str, Any]]:
    """The quotes under a message, newest first; one query, and none where it is no answer."""
    if message.in_reply_to_id is None and message.forwards_id is None:
        return []
    return [_opened(quote, key) for quote in _quotes(message=message.id)]


_quotes = Prepared(lambda message: Quote.objects.filter(message=message).order_by("position"))


def _opened(quote: Quote, key: bytes) -> dict[str, Any]:
    if quote.content is None:
        return {"destroyed": True, "body": "", "source": quote.source_id}
    content = sealing.open_quote(quote, key)
    return content | {"sent_at": datetime.fromisoformat(content["sent_at"]), "source": quote.source_id}


def quote_under(message: Message, key: bytes, quotes: list[dict[str, Any]]) -> None:
    """Seal the quotes under the reply's own key; in the transaction that made the reply.

    Held, as a recall holds it: what is recalled at this moment is either taken from what is written here, or was taken
    before and is not written. Message rows in the order of their ids and before any quote: nobody waits for each other.
    """
    hold({content["source"] for content in quotes if content["source"]})
    gone = _taken_meanwhile(message)
    rows = []
    for position, content in enumerate(quotes):
        quote = Quote(message=message, position=position, source_id=content["source"])
        if content.get("destroyed") or content["source"] in gone:
            rows.append(quote)
            continue
        sealed = {name: value for name, value in content.items() if name != "source"}
        sealing.seal_quote(quote, key, sealed | {"sent_at": content["sent_at"].isoformat()})
        rows.append(quote)
    Quote.objects.bulk_create(rows)


def hold(messages: Collection[UUID]) -> None:
    """As a recall of each holds it, in the order of their ids. Not for their keys: the reply refers to what it answers
    already, as another reply may that waits for this one."""
    rows = Message.objects.filter(id__in=messages).order_by("id").select_for_update(no_key=True)
    list(rows.values_list("id", flat=True))


def _taken_meanwhile(reply: Message) -> set[UUID | None]:
    """Sources that may not be quoted any more, of those under what it answers, and that itself."""
    original = reply.in_reply_to_id or reply.forwards_id
    if original is None:
        return set()
    gone = Quote.objects.filter(message=original, content__isnull=True, source__isnull=False)
    from_them = Recipient.objects.filter(message=original, user=reply.sender_id, recalled_at__isnull=False)
    recalled = Message.objects.filter(Q(recalled_at__isnull=False) | Exists(from_them), id=original)
    recalled = recalled.exclude(sender=reply.sender_id)
    return {*gone.values_list("source", flat=True), *recalled.values_list("id", flat=True)}


def _written(name: str, address: str) -> str:
    return f"{name} <{address}>" if name and name != address else address

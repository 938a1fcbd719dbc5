"""Traffic: who sent something to whom, when, and what became of it, for administrators. Never what it says: that is
sealed, and only the copies of those concerned open it; the queries here do not even fetch it.

A constant number of queries, by an index of (organisation, time of sending), however many messages there are.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from portal import erased
from portal.models import Organization

from .models import Message, Recipient

PAGE_ROWS = 50
FEW_PEOPLE = 1000
STATUSES = {
    "open": Q(recalled_at__isnull=True, purged_at__isnull=True)
    & (Q(expires_at__isnull=True) | Q(expires_at__gt=Now())),
    "expired": Q(recalled_at__isnull=True, purged_at__isnull=True, expires_at__lte=Now()),
    "recalled": Q(recalled_at__isnull=False),
    "purged": Q(purged_at__isnull=False),
}


@dataclass(frozen=True)
class Search:
    """What is looked for: sent from `start` to before `end`, everything else may be empty."""

    start: datetime
    end: datetime
    sender: str = ""
    recipient: str = ""
    status: str = ""
    organization: Organization | None = None


@dataclass(frozen=True)
class Page:
    rows: list[Message]
    older_than: str  # the key of the next page; empty on the last


def found(messages: QuerySet[Message], search: Search) -> QuerySet[Message]:
    """Of those messages, the sent ones the search finds, newest first."""
    messages = messages.filter(sent_at__gte=search.start, sent_at__lt=search.end).order_by("-sent_at", "-id")
    if search.organization is not None:
        messages = messages.filter(organization=search.organization)
    if search.sender:
        messages = messages.filter(sender__in=_people(search.sender))
    if search.recipient:
        received = Recipient.objects.filter(user__in=_people(search.recipient))
        messages = messages.filter(pk__in=received.values("message"))
    if search.status:
        messages = messages.filter(STATUSES[search.status])
    return messages


def _people(text: str) -> Any:
    """By address, by domain (@example.org), or by how an address begins.

    A few are looked up first: the database then knows how few of its rows are theirs, and whom nobody is needs none.
    """
    text = text.strip().lower()
    if text.startswith("@"):
        people = User.objects.filter(domain__name=text[1:])
    elif "@" in text:
        people = User.objects.filter(address=text)
    else:
        people = User.objects.filter(address__startswith=text)
    ids = list(people.order_by().values_list("pk", flat=True)[: FEW_PEOPLE + 1])
    return ids if len(ids) <= FEW_PEOPLE else people.order_by().values("pk")


def page(messages: QuerySet[Message], search: Search, older_than: str = "") -> Page:
    """One page of what the search finds; one query."""
    messages = described(found(messages, search))
    if key := _parsed(older_than):
        sent_at, message_id = key
        messages = messages.filter(sent_at__lte=sent_at).exclude(sent_at=sent_at, id__gte=message_id)
    rows = list(messages[: PAGE_ROWS + 1])
    shown = rows[:PAGE_ROWS]
    return Page(shown, _key(shown[-1]) if len(rows) > PAGE_ROWS else "")


def described(messages: QuerySet[Message]) -> QuerySet[Message]:
    """With sender, first recipient, how many there are and have read it; without what is sealed."""
    recipients = Recipient.objects.filter(message=OuterRef("pk")).order_by()
    count = recipients.values("message").annotate(n=Count("pk")).values("n")
    read = recipients.filter(read_at__isnull=False).values("message").annotate(n=Count("pk")).values("n")
    return (
        messages.filter(sent_at__isnull=False)
        .select_related("sender", "organization", "definition")
        .defer("subject", "body", "draft_recipients")
        .annotate(
            now=Now(),
            first_recipient=Subquery(recipients.order_by("-role", "id").values("address")[:1]),
            recipient_count=Subquery(count),
            read_count=Subquery(read),
        )
    )


def to_in_words(message: Message) -> str:
    """ "user@domain and 2 other(s)", of a described message."""
    row: Any = message
    first, others = erased.in_words(row.first_recipient or ""), (row.recipient_count or 0) - 1
    if others < 1:
        return first
    return ngettext("%(address)s and %(count)d other", "%(address)s and %(count)d others", others) % {
        "address": first,
        "count": others,
    }


def status_in_words(message: Message) -> str:
    """Of a described message."""
    if message.is_recalled():
        return _("Recalled")
    if message.purged_at is not None:
        return _("Destroyed")
    if message.is_expired(message.now):  # type: ignore[attr-defined]
        return _("Expired")
    return _("Read by %(read)d of %(count)d") % {
        "read": message.read_count or 0,  # type: ignore[attr-defined]
        "count": message.recipient_count or 0,  # type: ignore[attr-defined]
    }


def _key(message: Message) -> str:
    assert message.sent_at is not None  # noqa: S101  only sent messages are found
    return f"{message.sent_at.isoformat()}_{message.id}"


def _parsed(key: str) -> tuple[datetime, uuid.UUID] | None:
    """None for a key that is none: the first page."""
    sent_at, _underscore, message_id = key.partition("_")
    try:
        moment = datetime.fromisoformat(sent_at)
        return (moment, uuid.UUID(message_id)) if moment.tzinfo else None
    except ValueError:
        return None

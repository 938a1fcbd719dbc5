"""Recall: the message is gone from every recipient, at once, read or not, and its key with it.

Recipients' wraps are destroyed, so nothing can grant the message again: a new one is needed. Replies and
forwards keep what they quote: it lives under their own keys. The author keeps the Sent copy, marked recalled.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from portal import audit, moments, outbox
from portal.models import OutgoingMail

from .models import MailboxEntry, Message, Quote


class AlreadyRecalled(Exception):
    """Somebody, or another window, was quicker."""


@dataclass(frozen=True)
class Reach:
    """What a recall takes back and what it does not, as the confirm page says it."""

    inboxes: int
    read: int
    answers: int
    leaving: int


@dataclass(frozen=True)
class Recalled:
    copies: int
    notifications_stopped: int
    already_leaving: int


def reach(message: Message) -> Reach:
    """Counts for the confirm page: copies still held, opened ones, replies and forwards that quote it, mails that
    are being handed over at this moment."""
    held = _held_copies(message)
    return Reach(
        inboxes=held.count(),
        read=held.filter(recipient__read_at__isnull=False).count(),
        answers=Message.objects.filter(quotes__source=message, sent_at__isnull=False).distinct().count(),
        leaving=_notifications(message).filter(state__in=["sending", "ambiguous"]).count(),
    )


@transaction.atomic
def recall_message(*, actor: User, message: Message) -> Recalled:
    """Take the message back from everybody it was sent to. AlreadyRecalled the second time.

    The caller has looked the message up as its author (access.sent_entry).
    """
    locked = Message.objects.select_for_update().get(id=message.id)
    if locked.is_recalled():
        raise AlreadyRecalled
    now = moments.now()
    Message.objects.filter(id=message.id).update(recalled_at=now)
    copies = _held_copies(message).update(removed_at=now, wrapped_key=None)
    # A quote in an answer nobody has sent is the recalled text itself, not somebody's answer to it.
    Quote.objects.filter(source=message, message__sent_at__isnull=True).exclude(message__sender=actor).delete()
    stopped = outbox.cancel(_notifications(message))
    audit.record(
        message.organization,
        "message.recalled",
        actor=actor,
        about=message.id,
        copies=copies,
        notifications_stopped=stopped.cancelled,
        already_leaving=stopped.already_leaving,
    )
    return Recalled(copies, stopped.cancelled, stopped.already_leaving)


def _held_copies(message: Message) -> QuerySet[MailboxEntry]:
    return MailboxEntry.objects.filter(message=message, kind=MailboxEntry.Kind.RECEIVED, removed_at__isnull=True)


def _notifications(message: Message) -> QuerySet[OutgoingMail]:
    return OutgoingMail.objects.filter(id__in=message.recipients.values("notification"))

"""Recall: the message is gone from every recipient, at once, read or not, and its key with it.

Recipients' wraps are destroyed, so nothing can grant the message again: a new one is needed. Replies and
forwards keep what they quote: it lives under their own keys. The author keeps the Sent copy, marked recalled.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from accounts.models import User
from portal import audit, moments, outbox
from portal.models import OutgoingMail

from . import digests, newcomers
from .models import Attachment, MailboxEntry, Message, Quote, Recipient


class AlreadyRecalled(Exception):
    """Somebody, or another window, was quicker: recalled it, or undid its sending, so that it is a draft again."""


@dataclass(frozen=True)
class Reach:
    """What a recall takes back and what it does not, as the confirm page says it."""

    inboxes: int
    read: int
    answers: int
    leaving: int


@dataclass(frozen=True)
class TakenBack:
    """The same of a recall that was made: copies, and mails that can still arrive."""

    copies: int
    leaving: int


@dataclass(frozen=True)
class Recalled:
    copies: int
    notifications_stopped: int
    already_leaving: int


def reach(message: Message) -> Reach:
    """Counts for the confirm page: copies still held, who has opened theirs, held or not, replies and forwards that
    quote it, mails announcing it that are being handed over at this moment."""
    answers = Message.objects.filter(quotes__source=message, sent_at__isnull=False)
    leaving = (_announcements(message) | _digests_about(message)).filter(state__in=["sending", "ambiguous"])
    return Reach(
        inboxes=_held_copies(message).count(),
        read=message.recipients.filter(read_at__isnull=False).count(),
        answers=answers.aggregate(count=Count("id", distinct=True))["count"],
        leaving=leaving.count(),
    )


def taken_back(message: Message, recipient: Recipient | None = None) -> TakenBack:
    """What the recall of the message, or that for this recipient, came to, as it stands: who presses twice is told
    what the first press did."""
    recalled_at = recipient.recalled_at if recipient and recipient.recalled_at else message.recalled_at
    copies = MailboxEntry.objects.filter(message=message, kind=MailboxEntry.Kind.RECEIVED, removed_at=recalled_at)
    announcements = _announcements(message, recipient).exclude(finished_at__lt=recalled_at)
    leaving = (announcements | _digests_about(message, recipient)).filter(
        Q(state__in=["sending", "sent"]) | Q(ambiguous_at__isnull=False)
    )
    return TakenBack(copies.filter(recipient__in=_recipients(message, recipient)).count(), leaving.count())


@transaction.atomic
def recall_message(*, actor: User, message: Message) -> Recalled:
    """Take the message back from everybody it was sent to. AlreadyRecalled the second time.

    The caller has looked the message up as its author (access.sent_entry).
    """
    locked = Message.objects.select_for_update().get(id=message.id)
    if _is_taken_back(locked):
        raise AlreadyRecalled
    now = moments.now()
    Message.objects.filter(id=message.id).update(recalled_at=now)
    copies = _held_copies(message).update(removed_at=now, wrapped_key=None)
    _destroy_quotes(_quotes_to_destroy(message), message)
    stopped, leaving = _take_back_mails(message)
    audit.record(
        message.organization,
        "message.recalled",
        actor=actor,
        about=message.id,
        copies=copies,
        notifications_stopped=stopped,
        already_leaving=leaving,
    )
    return Recalled(copies, stopped, leaving)


@transaction.atomic
def recall_for_recipient(*, actor: User, recipient: Recipient) -> Recalled:
    """Take the message back from one recipient. AlreadyRecalled the second time; the others keep theirs."""
    # Not the organisation's row, which whatever goes into its audit log needs.
    messages = Message.objects.select_for_update(of=("self",)).select_related("organization")
    message = messages.get(id=recipient.message_id)
    now = moments.now()
    not_yet = Recipient.objects.filter(id=recipient.id, recalled_at__isnull=True)
    if _is_taken_back(message) or not not_yet.exists():
        raise AlreadyRecalled
    # The copy first, as who opens it holds them (receipts.py).
    copies = _held_copies(message).filter(recipient=recipient).update(removed_at=now, wrapped_key=None)
    not_yet.update(recalled_at=now)
    _destroy_quotes(Quote.objects.filter(message__sender=recipient.user, message__sent_at__isnull=True), message)
    stopped, leaving = _take_back_mails(message, recipient)
    audit.record(
        message.organization,
        "message.recalled_for_recipient",
        actor=actor,
        about=message.id,
        recipient=recipient.address,
    )
    return Recalled(copies, stopped, leaving)


def _is_taken_back(message: Message) -> bool:
    return message.is_recalled() or message.sent_at is None


def _quotes_to_destroy(message: Message) -> QuerySet[Quote]:
    """A quote in an answer nobody has sent is the recalled text itself, not somebody's answer to it, and goes with it.
    Those in answers that were sent go only where the organisation has chosen so, at this moment."""
    if message.organization.recall_destroys_quotes:
        return Quote.objects.all()
    return Quote.objects.filter(message__sent_at__isnull=True).exclude(message__sender=message.sender_id)


def _destroy_quotes(among: QuerySet[Quote], message: Message) -> None:
    """And take the message's files off what forwards them, at however many removes; the files themselves are the
    author's still."""
    quotes = among.filter(source=message)
    files = list(message.attachments.values_list("file_id", flat=True))
    Attachment.objects.filter(message__in=quotes.values("message"), file_id__in=files).delete()
    quotes.update(content=None)


def _held_copies(message: Message) -> QuerySet[MailboxEntry]:
    return MailboxEntry.objects.filter(message=message, kind=MailboxEntry.Kind.RECEIVED, removed_at__isnull=True)


def _take_back_mails(message: Message, recipient: Recipient | None = None) -> tuple[int, int]:
    """After the copies. How many notifications are stopped, and how many have left already, or perhaps."""
    # People before their mails, as in sending and erasing.
    first_timers = newcomers.lock(_recipients(message, recipient))
    stopped = outbox.cancel(_mails_about(message, recipient))
    leaving = stopped.already_leaving + outbox.write_anew(_digests_about(message, recipient))
    newcomers.take_back_passwords(first_timers)
    return stopped.cancelled, leaving


def _recipients(message: Message, recipient: Recipient | None) -> QuerySet[Recipient]:
    """All of the message's, or this one."""
    everybody = Recipient.objects.filter(message=message)
    return everybody.filter(id=recipient.id) if recipient else everybody


def _mails_about(message: Message, recipient: Recipient | None = None) -> QuerySet[OutgoingMail]:
    """Notifications, reminders and receipts: whatever tells somebody of the message and has not left yet."""
    kinds = [MailboxEntry.Kind.RECEIVED, MailboxEntry.Kind.OWN_COPY]
    entries = MailboxEntry.objects.filter(message=message, kind__in=kinds)
    if recipient is not None:
        entries = entries.filter(recipient=recipient)
    about = [*entries.values_list("id", flat=True), *_recipients(message, recipient).values_list("id", flat=True)]
    return OutgoingMail.objects.filter(about__in=about, finished_at__isnull=True)


def _announcements(message: Message, recipient: Recipient | None = None) -> QuerySet[OutgoingMail]:
    """Notifications and reminders, left or not: what tells recipients that there is a message."""
    received = MailboxEntry.objects.filter(message=message, kind=MailboxEntry.Kind.RECEIVED)
    about = received.filter(recipient__in=_recipients(message, recipient)).values_list("id", flat=True)
    return OutgoingMail.objects.filter(about__in=list(about))


def _digests_about(message: Message, recipient: Recipient | None = None) -> QuerySet[OutgoingMail]:
    """Digests under way that tell of the message among others: never taken back, but written without it."""
    recipients = _recipients(message, recipient).filter(notification__kind=digests.KIND)
    ids = list(recipients.values_list("notification", flat=True))
    return OutgoingMail.objects.filter(id__in=ids, finished_at__isnull=True)

"""Reminders: a message that somebody has not opened is announced again, some days before it expires (the
organisation's `reminder_days`, as they stand at this moment).

The clock looks every minute. A message's days are cut into spans, so that after a long stop of the clock the one
reminder that is still true leaves, not all that were missed.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts import credentials
from portal import letters, moments, outbox
from portal.models import Organization, OutgoingMail

from . import notifications
from .models import MailboxEntry, Message

KIND = "reminder"


def remind_due(*, seconds: float = 30) -> int:
    """Write the reminders that are due, message by message, for so long at most; returns how many mails."""
    ends = time.monotonic() + seconds
    written = 0
    for organization in Organization.objects.exclude(reminder_days=""):
        for days, later in _spans(organization.reminder_days):
            while time.monotonic() < ends and (mails := _remind_of_next(organization, days, later)) is not None:
                written += mails
    return written


def _spans(reminder_days: str) -> Iterator[tuple[int, int]]:
    """ "3, 1" → (1, 0), (3, 1): each number of days, and the next smaller one, whose reminder comes after it."""
    days = sorted({int(number) for number in reminder_days.split(",")} - {0})
    return zip(days, [0, *days], strict=False)


def _remind_of_next(organization: Organization, days: int, later: int) -> int | None:
    """Remind of the next message this span is due for; the number of mails, None when there is no such message."""
    with transaction.atomic():
        message = _due(organization, days, later).select_for_update(skip_locked=True, of=("self",)).first()
        if message is None:
            return None
        now = moments.now()
        Message.objects.filter(id=message.id).update(reminded_at=now)
        unread = list(_unread_copies(message))
        mails = [_mail_for(entry, message, days, now) for entry in unread]
        outbox.enqueue([*mails, *credentials.first_visit_mails((entry.owner for entry in unread), due_at=now)])
    return len(mails)


def _due(organization: Organization, days: int, later: int) -> QuerySet[Message]:
    """Those that expire in at most so many days and more than `later` ones, and have not been reminded of since that
    began. Whoever was told of a message less than so many days before its end needs no reminder of it."""
    reminder_at = F("expires_at") - timedelta(days=days)
    return (
        Message.objects.filter(
            Q(reminded_at__isnull=True) | Q(reminded_at__lt=reminder_at),
            organization=organization,
            sent_at__lt=reminder_at,
            expires_at__gt=Now() + timedelta(days=later),
            expires_at__lte=Now() + timedelta(days=days),
            recalled_at__isnull=True,
            purged_at__isnull=True,
        )
        .only("id", "expires_at", "extensions_used")
        .order_by("expires_at")
    )


def _unread_copies(message: Message) -> QuerySet[MailboxEntry]:
    """Of people who can come in and want to be reminded."""
    return MailboxEntry.objects.filter(
        message=message,
        kind=MailboxEntry.Kind.RECEIVED,
        removed_at__isnull=True,
        visible_at__lte=Now(),
        read_at__isnull=True,
        recipient__read_at__isnull=True,
        owner__disabled_at__isnull=True,
        owner__allow_logon=True,
        owner__wants_reminders=True,
    ).select_related("owner__organization")


def _mail_for(entry: MailboxEntry, message: Message, days: int, now: datetime) -> OutgoingMail:
    # An expiry that was extended comes nearer once more.
    again = f":{message.extensions_used}" if message.extensions_used else ""
    return outbox.new_mail(
        organization=entry.owner.organization,
        kind=KIND,
        about=entry.id,
        to_address=entry.owner.address,
        dedupe_key=f"{KIND}:{message.id}:{entry.owner_id}:{days}{again}",
        due_at=now,
        not_after=message.expires_at,
    )


def prepare(mails: Sequence[OutgoingMail]) -> outbox.Render:
    """What writes the reminders as they stand now; None for one whose message has been read or cannot be opened any
    more."""
    entries = notifications.announced(mails, "recipient")
    written = notifications.Letters(_("Secure Messaging Reminder"), "messaging/mail/reminder")

    def render(mail: OutgoingMail) -> letters.Letter | None:
        entry = entries.get(mail.about)
        if entry is None or entry.read_at is not None or (entry.recipient and entry.recipient.read_at is not None):
            return None
        return written.to(entry)

    return render


outbox.register_many(KIND, prepare)

"""Receipts: what the sender learns of each recipient, written when a message is opened or an attachment fetched."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy

from accounts.models import User
from portal import audit, letters, moments, outbox
from portal.models import OutgoingMail
from portal.prepared import Prepared

from . import notifications
from .models import Attachment, AttachmentFetch, MailboxEntry, Recipient

KIND = "read_receipt"


def record_opening(*, actor: User, entry: MailboxEntry) -> None:
    """The first opening of a received copy marks it read, for its owner and in the sender's history.

    Nothing happens when the copy was taken away in the same moment: a recall leaves no later trace.
    """
    if entry.read_at is not None and (entry.recipient is None or entry.recipient.read_at is not None):
        return
    with transaction.atomic():
        now = moments.now()
        if not MailboxEntry.objects.filter(id=entry.id, removed_at__isnull=True).update(read_at=now):
            return
        if Recipient.objects.filter(entry=entry, read_at__isnull=True).update(read_at=now):
            audit.record(actor.organization, "message.read", actor=actor, about=entry.message_id)
            if entry.message.read_receipt and entry.recipient is not None:
                outbox.enqueue([_receipt_for(entry, entry.recipient, now)])


def record_fetch(*, actor: User, entry: MailboxEntry, attachment: Attachment) -> None:
    """The first time a recipient fetches an attachment is told to the sender."""
    _record(actor, entry, [attachment.id])


def record_fetches(*, actor: User, entry: MailboxEntry) -> None:
    """The same of all that go with the message as one file: those that are not held back (eml.py)."""
    hold = entry.message.organization.hold_unscanned
    _record(actor, entry, [row.id for row in entry.message.attachments.all() if row.is_released(hold)])


def _record(actor: User, entry: MailboxEntry, attachments: Sequence[UUID]) -> None:
    if entry.recipient_id is None:
        return
    new = set(attachments) - set(_fetched(recipient=entry.recipient_id))
    if not new:
        return
    with transaction.atomic():
        now = moments.now()
        fetches = [AttachmentFetch(recipient_id=entry.recipient_id, attachment_id=one, at=now) for one in sorted(new)]
        AttachmentFetch.objects.bulk_create(fetches, ignore_conflicts=True)
        for one in sorted(new):
            audit.record(actor.organization, "attachment.fetched", actor=actor, about=one)


_fetched = Prepared(
    lambda recipient: AttachmentFetch.objects.filter(recipient=recipient).values_list("attachment_id", flat=True)
)


def _receipt_for(entry: MailboxEntry, recipient: Recipient, now: datetime) -> OutgoingMail:
    return outbox.new_mail(
        organization=entry.message.organization,
        kind=KIND,
        about=recipient.id,
        to_address=entry.message.sender.address,
        dedupe_key=f"{KIND}:{recipient.id}",
        due_at=now,
    )


def render(mail: OutgoingMail) -> letters.Letter | None:
    """To the sender: who has opened a message, and when. None once it has been recalled, or the sender erased."""
    recipient = (
        Recipient.objects.select_related("message__organization", "message__sender").filter(id=mail.about).first()
    )
    if recipient is None or recipient.read_at is None or recipient.message.is_recalled() or recipient.recalled_at:
        return None
    if recipient.message.sender.is_erased:
        return None
    sent = MailboxEntry.objects.filter(message=recipient.message, kind=MailboxEntry.Kind.SENT).first()
    return letters.written(
        recipient.message.organization,
        gettext_lazy("Secure Messaging Read Receipt"),
        "messaging/mail/read_receipt",
        recipient=recipient,
        url=notifications.link_to(recipient.message.organization, sent) if sent else None,
    )


outbox.register(KIND, render)

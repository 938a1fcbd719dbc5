"""The Secure Messaging Notification: who sent something, until when it can be read, one link. Never subject or body.

The outbox holds no content; what a mail says is rendered here, in the worker, at the moment of sending, from
what is true then. None means that it is no longer wanted.
"""

from datetime import datetime
from email.message import EmailMessage

from django.conf import settings
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from portal import letters, outbox
from portal.models import OutgoingMail

from .models import MailboxEntry

KIND = "notification"


def mail_for(entry: MailboxEntry, *, due_at: datetime) -> OutgoingMail:
    """The (unsaved) mail that announces this received entry to its owner."""
    message = entry.message
    return outbox.new_mail(
        organization=message.organization,
        kind=KIND,
        about=entry.id,
        to_address=entry.owner.address,
        dedupe_key=f"{KIND}:{message.id}:{entry.owner_id}",
        due_at=due_at,
        not_after=message.expires_at,
    )


def render(mail: OutgoingMail) -> EmailMessage | None:
    """The notification as it stands now; None once the copy cannot be opened any more."""
    entry = (
        MailboxEntry.objects.filter(id=mail.about)
        .select_related("message__sender", "message__organization", "owner")
        .defer("message__body", "message__subject")
        .annotate(now=Now())
        .first()
    )
    if entry is None or not entry.is_openable(entry.now) or not entry.owner.may_log_on:
        return None
    message = entry.message
    return letters.written(
        message.organization,
        _("Secure Messaging Notification"),
        "messaging/mail/notification",
        sender=message.sender,
        expires_at=message.expires_at,
        url=settings.BASE_URL + reverse("log_in_to_message", args=[message.organization.slug, entry.id]),
    )


outbox.register(KIND, render)

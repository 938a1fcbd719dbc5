"""The Secure Messaging Notification: who sent something, until when it can be read, one link. Never subject or body.

The outbox holds no content; what a mail says is rendered here, in the worker, at the moment of sending, from
what is true then. None means that it is no longer wanted.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal import outbox
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
    organization = entry.message.organization
    zone = ZoneInfo(organization.time_zone)
    with translation.override(organization.language), timezone.override(zone):
        context = {
            "organization": organization,
            "sender": entry.message.sender,
            "expires_at": entry.message.expires_at,
            "zone": organization.time_zone,
            "url": settings.BASE_URL + reverse("log_in_to_message", args=[organization.slug, entry.id]),
        }
        message = EmailMultiAlternatives(
            subject=_("Secure Messaging Notification from %(organization)s") % {"organization": organization.name},
            body=render_to_string("messaging/mail/notification.txt", context),
            to=[mail.to_address],
            reply_to=[organization.reply_to] if organization.reply_to else None,
        )
        message.attach_alternative(render_to_string("messaging/mail/notification.html", context), "text/html")
    return message


outbox.register(KIND, render)

"""Expiry: until when recipients can open a message. Its author may extend it, as often as the definition allows, before
it has passed and never beyond the organisation's retention; and end it at any time.

Whether a message has expired is judged where it is opened (access.py), by the database's clock at that moment.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from portal import audit, dates, moments
from portal.models import OutgoingMail

from .models import MailboxEntry, Message


class NotExtended(Exception):
    """The expiry is as it was; the message says why, for people."""


def may_extend(message: Message, now: datetime) -> bool:
    """Whether Extend Expiry is offered."""
    return (
        message.expires_at is not None
        and not message.is_expired(now)
        and not message.is_recalled()
        and message.extensions_used < message.extensions
        and message.expires_at < latest_expiry(message)
    )


def latest_expiry(message: Message) -> datetime:
    """The end of the organisation's retention, as it stands."""
    assert message.sent_at is not None  # noqa: S101  only sent messages are asked about
    return message.sent_at + timedelta(days=message.organization.retention_days)


def extend_expiry(*, actor: User, message: Message, until: datetime) -> None:
    """Let recipients open the message until then. Of two that extend at once, one wins. NotExtended says why not.

    The caller has looked the message up as its author (access.sent_entry).
    """
    until = moments.truncated(until)
    if until > latest_expiry(message):
        raise NotExtended(
            _("Messages are kept until %(latest)s at the latest. Choose an earlier time.")
            % {"latest": dates.in_full(latest_expiry(message))}
        )
    with transaction.atomic():
        extendable = Message.objects.filter(
            id=message.id,
            sent_at__isnull=False,
            expires_at__gt=Now(),
            expires_at__lt=until,
            recalled_at__isnull=True,
            extensions_used__lt=F("extensions"),
        )
        if not extendable.update(expires_at=until, extensions_used=F("extensions_used") + 1):
            message.refresh_from_db()
            raise NotExtended(_why_not(message, until))
        _keep_mails_until(message, until)
        audit.record(
            message.organization, "message.expiry_extended", actor=actor, about=message.id, until=until.isoformat()
        )


def _why_not(message: Message, until: datetime) -> str:
    if message.sent_at is None:
        return _("The sending of this message has been undone.")
    if message.is_recalled():
        return _("The message has been recalled.")
    if message.expires_at is None:
        return _("The message does not expire.")
    if message.is_expired(moments.now()):
        return _("The message has expired already. Send it again instead.")
    if message.extensions_used >= message.extensions:
        return _("The expiry has been extended as often as the definition allows.")
    return _("Choose a time later than the present expiry.")


def expire_now(*, actor: User, message: Message) -> bool:
    """End it: from this moment no recipient can open it. False when it had ended already, or is a draft again."""
    with transaction.atomic():
        now = moments.now()
        # Sent, for its sending may have been undone meanwhile.
        sent = Message.objects.filter(id=message.id, sent_at__isnull=False, recalled_at__isnull=True)
        if not sent.exclude(expires_at__lte=now).update(expires_at=now):
            return False
        _keep_mails_until(message, now)
        audit.record(message.organization, "message.expired_by_sender", actor=actor, about=message.id)
    return True


def _keep_mails_until(message: Message, moment: datetime) -> None:
    """A notification or reminder that has not left yet is of use until the message expires, and no longer."""
    received = MailboxEntry.objects.filter(message=message, kind=MailboxEntry.Kind.RECEIVED)
    OutgoingMail.objects.filter(about__in=received.values("id"), finished_at__isnull=True).update(not_after=moment)

"""Digests: who asked for one mail an hour or a day gets that instead of a notification for each message; so does, for
the rest of the hour, whoever has been sent as many as the organisation allows.

A digest is one OutgoingMail of a person and a period, shared by the recipients' rows it announces; what it says is
rendered when the period ends, from what is true then.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts import preferences
from accounts.models import User
from portal import ids, letters, moments, outbox
from portal.models import Organization, OutgoingMail

from . import notifications
from .models import MailboxEntry, Recipient

KIND = "digest"
# The hour, in the reader's time zone, at which a daily digest leaves.
DAILY_AT = 7
# A message sent this shortly before a digest leaves waits for the next one, so that none falls between two.
MARGIN = timedelta(minutes=1)


def wants_digest(user: User) -> bool:
    return user.notify != User.Notify.AT_ONCE


def whose_hour_is_full(organization: Organization, users: Iterable[User]) -> dict[UUID, User]:
    """Those of the users who got `hourly_notifications` of them within the last hour; one query. What else there is to
    announce to them waits for the end of the hour, in one mail. Passwords are no notifications and never held back."""
    most = organization.hourly_notifications
    if not most:
        return {}
    by_id = {user.id: user for user in users}
    an_hour_ago = ids.first_of(moments.now() - timedelta(hours=1))
    lately = Recipient.objects.filter(
        user__in=by_id, id__gte=an_hour_ago, notification__kind=notifications.KIND
    ).order_by()
    full = lately.values("user").annotate(n=Count("id")).filter(n__gte=most)
    return {user_id: by_id[user_id] for user_id in full.values_list("user", flat=True)}


def end_of_period(user: User, moment: datetime) -> datetime:
    """When the digest leaves that announces what becomes visible at this moment."""
    zone = ZoneInfo(user.time_zone or user.organization.time_zone)
    local = (moment + MARGIN).astimezone(zone)
    if user.notify != User.Notify.DAILY:
        return local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    today = local.replace(hour=DAILY_AT, minute=0, second=0, microsecond=0)
    return today if local < today else today + timedelta(days=1)


def announce(recipients: Sequence[Recipient], visible_at: datetime) -> None:
    """Point the (unsaved) recipients' rows at their digests, made where the period has none yet; in the caller's
    transaction, two statements."""
    if not recipients:
        return
    wanted = {_dedupe_key(recipient.user, visible_at): recipient.user for recipient in recipients}
    outbox.enqueue([_mail(user, key, visible_at) for key, user in wanted.items()])
    mails = OutgoingMail.objects.in_bulk(list(wanted), field_name="dedupe_key")
    for recipient in recipients:
        recipient.notification = mails[_dedupe_key(recipient.user, visible_at)]


def _dedupe_key(user: User, visible_at: datetime) -> str:
    return f"{KIND}:{user.id}:{end_of_period(user, visible_at).astimezone(ZoneInfo('UTC')):%Y%m%dT%H%M}"


def _mail(user: User, dedupe_key: str, visible_at: datetime) -> OutgoingMail:
    return outbox.new_mail(
        organization=user.organization,
        kind=KIND,
        about=user.id,
        to_address=user.address,
        dedupe_key=dedupe_key,
        due_at=end_of_period(user, visible_at),
    )


def render(mail: OutgoingMail) -> EmailMessage | None:
    """Who has written, and until when it can be read; None when nothing it would announce is left unread."""
    user = User.objects.select_related("organization").filter(id=mail.about).first()
    entries = (
        MailboxEntry.objects.filter(recipient__notification=mail, read_at__isnull=True, removed_at__isnull=True)
        .select_related("message__sender")
        .defer("message__subject", "message__body")
        .annotate(now=Now())
        .order_by("id")
    )
    announced = [entry for entry in entries if entry.is_openable(notifications.when_due(mail, entry.now))]
    if user is None or not user.may_log_on or not announced:
        return None
    return letters.written(
        user.organization,
        _("Secure Messaging Digest"),
        "messaging/mail/digest",
        entries=announced,
        chosen=wants_digest(user),
        phrase=preferences.phrase_of(user),
    )


outbox.register(KIND, render, failed=notifications.tell_senders)

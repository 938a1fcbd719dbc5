"""Digests: who asked for one mail an hour or a day gets that instead of a notification for each message; so does, for
the rest of the hour, whoever has been sent as many as the organisation allows.

A digest is one OutgoingMail of a person and a period, shared by the recipients' rows it announces; what it says is
rendered when the period ends, from what is true then.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts import preferences
from accounts.correspondents import Correspondent
from accounts.models import User
from portal import bulk, ids, letters, moments, outbox
from portal.models import Organization, OutgoingMail

from . import notifications
from .models import MailboxEntry, Recipient

KIND = "digest"
# The hour, in the reader's time zone, at which a daily digest leaves.
DAILY_AT = 7
# A message sent this shortly before a digest leaves waits for the next one, so that none falls between two.
MARGIN = timedelta(minutes=1)


def wants_digest(user: User | Correspondent) -> bool:
    return user.notify != User.Notify.AT_ONCE


def whose_hour_is_full(organization: Organization, users: Iterable[Correspondent]) -> set[UUID]:
    """The ids of those of the users who got `hourly_notifications` of them within the last hour; two queries at most.
    What else there is to announce to them waits for the end of the hour, in one mail. Passwords are no notifications
    and never held back."""
    most = organization.hourly_notifications
    if not most:
        return set()
    an_hour_ago = ids.first_of(moments.now() - timedelta(hours=1))
    lately = Recipient.objects.filter(user__in=bulk.among([user.id for user in users]), id__gte=an_hour_ago).order_by()
    # Few have been written to so often at all; only of those it is asked how often a mail of its own said so.
    often = _so_often(lately, most)
    announced = lately.filter(user__in=bulk.among(list(often)), notification__kind=notifications.KIND)
    return often and _so_often(announced, most)


def _so_often(recipients: QuerySet[Recipient], times: int) -> set[UUID]:
    counted = recipients.values("user").annotate(n=Count("id")).filter(n__gte=times)
    return set(counted.values_list("user", flat=True))


@lru_cache  # 500 recipients live in few time zones
def end_of_period(notify: str, time_zone: str, moment: datetime) -> datetime:
    """When the digest leaves that announces what becomes visible at this moment."""
    local = (moment + MARGIN).astimezone(ZoneInfo(time_zone))
    if notify != User.Notify.DAILY:
        # Counted in time that passes: where clocks change, an hour on their faces takes two hours, or none.
        begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return local.astimezone(UTC) - begun + timedelta(hours=1)
    today = local.replace(hour=DAILY_AT, minute=0, second=0, microsecond=0)
    return today if local < today else today + timedelta(days=1)


def announce(organization: Organization, users: Iterable[Correspondent], visible_at: datetime) -> dict[UUID, UUID]:
    """The id of each user's digest by theirs, made where the period has none yet; in the caller's transaction, three
    statements at most."""
    ends = {user: end_of_period(user.notify, user.time_zone, visible_at) for user in users}
    keys = {_dedupe_key(user, end): user for user, end in ends.items()}
    known = _ids_by_key(keys)
    if missing := [key for key in keys if key not in known]:
        outbox.enqueue([_mail(organization, keys[key], key, ends[keys[key]]) for key in missing])
        known |= _ids_by_key(missing)  # another sender may have made some of them in this moment
    return {user.id: known[key] for key, user in keys.items()}


def _ids_by_key(keys: Collection[str]) -> dict[str, UUID]:
    if not keys:
        return {}
    mails = OutgoingMail.objects.filter(dedupe_key__in=bulk.among_texts(list(keys)))
    return dict(mails.values_list("dedupe_key", "id"))


def _dedupe_key(user: Correspondent, end: datetime) -> str:
    return f"{KIND}:{user.id}:{end.astimezone(UTC):%Y%m%dT%H%M}"


def _mail(organization: Organization, user: Correspondent, dedupe_key: str, end: datetime) -> OutgoingMail:
    return outbox.new_mail(
        organization=organization,
        kind=KIND,
        about=user.id,
        to_address=user.address,
        dedupe_key=dedupe_key,
        due_at=end,
    )


def render(mail: OutgoingMail) -> letters.Letter | None:
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

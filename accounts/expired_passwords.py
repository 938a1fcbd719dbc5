"""Passwords that have to be set anew: what the log-in page says only to whoever has just given the right one.

None expires by age unless the organisation wants it; then its owner is reminded by mail before.
"""

from datetime import datetime, timedelta

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from portal import audit, moments, outbox
from portal.models import Organization, OutgoingMail

from . import sessions
from .common_passwords import is_common
from .models import User
from .telling import tell

DORMANT_AFTER = timedelta(days=365)
REMIND_DAYS = (14, 7, 1)


class Reason(models.TextChoices):
    """Why; the text is a sentence for the person."""

    ORDERED = "ordered", _("An administrator has asked you to set a new one.")
    AGE = "age", _("It was set too long ago.")
    COMMON = "common", _("It is on a list of passwords that are easily guessed.")
    DORMANT = "dormant", _("You have not logged in for more than a year.")


def reason(user: User, password: str, now: datetime) -> Reason | None:
    """Why this right password of the person's own lets nobody in any more; None: it does."""
    if user.change_ordered_at is not None:
        return Reason.ORDERED
    if (ends := ends_at(user)) and ends <= now:
        return Reason.AGE
    if is_common(password):
        return Reason.COMMON
    last = max(filter(None, (user.last_login, user.password_set_at)), default=None)
    return Reason.DORMANT if last and last + DORMANT_AFTER < now else None


def ends_at(user: User) -> datetime | None:
    """When the password's time is over; None: never, or there is none."""
    days = user.organization.password_age_days
    return user.password_set_at + timedelta(days=days) if days and user.password_set_at else None


def order_change(*, actor: User, user: User) -> None:
    """An administrator wants a new password: the current one lets nobody in, sessions end, the person is told."""
    with transaction.atomic():
        now = moments.now()
        User.objects.filter(pk=user.pk).update(change_ordered_at=now)
        sessions.end_sessions(user)
        event = audit.record(user.organization, "password.change_ordered", actor=actor, about=user.pk)
        tell("password_change_ordered", user, event)
    user.change_ordered_at = now


# --- Before its time is over ------------------------------------------------------------------------------------


def remind() -> int:
    """Mail everybody whose password expires in 14, 7 or 1 days, once each; returns how many are to be told.

    Runs often: what was missed while no worker ran is made up for within a day."""
    now = moments.now()
    mails = []
    for organization in Organization.objects.filter(password_age_days__gt=0):
        for days in REMIND_DAYS:
            mails += _reminders(organization, days, now)
    with transaction.atomic():
        outbox.enqueue(mails)
    return len(mails)


def _reminders(organization: Organization, days: int, now: datetime) -> list[OutgoingMail]:
    due = now - timedelta(days=organization.password_age_days - days)
    users = User.objects.select_related("organization").filter(
        organization=organization,
        temporary_until__isnull=True,
        disabled_at__isnull=True,
        allow_logon=True,
        password_set_at__lte=due,
        password_set_at__gt=due - timedelta(days=1),
    )
    return [_reminder(user, days, now) for user in users]


def _reminder(user: User, days: int, now: datetime) -> OutgoingMail:
    return outbox.new_mail(
        organization=user.organization,
        kind="password_expiring",
        about=user.pk,
        to_address=user.address,
        dedupe_key=f"password_expiring:{user.pk}:{user.password_set_at:%Y%m%d%H%M%S}:{days}",
        due_at=now,
    )

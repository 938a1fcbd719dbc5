"""What a shorter retention would destroy, in sentences: said before it is saved. Nothing here destroys anything."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max, Min, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import dates, moments
from portal.models import Organization

from .models import Message


def consequences(before: Organization, after: Organization) -> list[str]:
    """Empty where retention does not get shorter. Three queries at most."""
    if after.retention_days >= before.retention_days:
        return []
    end = moments.now() - timedelta(days=after.retention_days)
    kept = Message.objects.filter(organization=before, sent_at__isnull=False, purged_at__isnull=True)
    found = [_destroyed_at_once(kept.filter(sent_at__lt=end)), _destroyed_earlier(kept.filter(sent_at__gte=end), after)]
    return [*filter(None, found), _("There is no way back.")] if any(found) else []


def _destroyed_at_once(messages: QuerySet[Message]) -> str:
    count = messages.count()
    if not count:
        return ""
    return ngettext(
        "%(count)d message is older than that and is destroyed within minutes, for everybody.",
        "%(count)d messages are older than that and are destroyed within minutes, for everybody.",
        count,
    ) % {"count": count}


def _destroyed_earlier(messages: QuerySet[Message], after: Organization) -> str:
    count = messages.count()
    if not count:
        return ""
    sent = messages.aggregate(first=Min("sent_at"), last=Max("sent_at"))
    return ngettext(
        "%(count)d more message is destroyed earlier than it would have been, on %(first)s.",
        "%(count)d more messages are destroyed earlier than they would have been, from %(first)s to %(last)s.",
        count,
    ) % {"count": count, "first": _day(sent["first"], after), "last": _day(sent["last"], after)}


def _day(sent_at: datetime, after: Organization) -> str:
    due = sent_at + timedelta(days=after.retention_days)
    return dates.day(due.astimezone(ZoneInfo(after.time_zone)))

"""Licences: a licensed sender writes to at most 500 different external addresses in a calendar month of the
organisation's time zone; Bulk Sender packs raise that. Messages are not counted, replies neither, and what was
undone or recalled stays counted.

Exact under parallel sends: whoever counts holds the sender's row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum
from django.utils.translation import ngettext

from accounts.models import User

from .models import BulkSenderPack, RecipientUse

RECIPIENTS_A_MONTH = 500


class OverLimit(Exception):
    """The licence does not cover these recipients; `problem` says by how many, in a sentence."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True)
class Usage:
    """What a sender has used of one month's licence."""

    used: int
    limit: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


def month_of(sender: User, moment: datetime) -> date:
    """The calendar month that counts, in the organisation's time zone, as its first day."""
    local = moment.astimezone(ZoneInfo(sender.organization.time_zone))
    return date(local.year, local.month, 1)


def usage(sender: User, month: date) -> Usage:
    """Two queries."""
    packs = BulkSenderPack.objects.filter(
        Q(last_month__isnull=True) | Q(last_month__gte=month), sender=sender, first_month__lte=month
    )
    extra = packs.aggregate(extra=Sum("recipients"))["extra"] or 0
    return Usage(RecipientUse.objects.filter(sender=sender, month=month).count(), RECIPIENTS_A_MONTH + extra)


def count_recipients(sender: User, external_addresses: Iterable[str], sent_at: datetime) -> None:
    """Count these external addresses for the sender's month, each once, in the caller's transaction. OverLimit, and
    nothing counted, when they are too many."""
    User.objects.select_for_update(of=("self",)).get(pk=sender.pk)
    month = month_of(sender, sent_at)
    wanted = set(external_addresses)
    known = RecipientUse.objects.filter(sender=sender, month=month, address__in=wanted)
    new = wanted - set(known.values_list("address", flat=True))
    if not new:
        return
    current = usage(sender, month)
    over = current.used + len(new) - current.limit
    if over > 0:
        raise OverLimit(_over_in_words(over, current))
    RecipientUse.objects.bulk_create(RecipientUse(sender=sender, month=month, address=address) for address in new)


def _over_in_words(over: int, current: Usage) -> str:
    return ngettext(
        "Your licence covers %(limit)d different external recipients a month and %(used)d are used: this message is "
        "%(over)d recipient over. Nothing was sent.",
        "Your licence covers %(limit)d different external recipients a month and %(used)d are used: this message is "
        "%(over)d recipients over. Nothing was sent.",
        over,
    ) % {"limit": current.limit, "used": current.used, "over": over}

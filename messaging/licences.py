"""Licences: a licensed sender writes to at most 500 different external addresses in a calendar month of the
organisation's time zone; Bulk Sender packs raise that. Messages are not counted, replies neither, and what was
undone or recalled stays counted.

Exact under parallel sends: whoever counts holds the sender's row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, DateField, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import ngettext

from accounts import renaming
from accounts.models import User
from portal import bulk
from portal.models import Organization

from .models import BulkSenderPack, RecipientUse

RECIPIENTS_A_MONTH = 500
# From this share of the limit on, the console says that a sender is near it.
NEAR_LIMIT_PERCENT = 90


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

    @property
    def is_near(self) -> bool:
        return is_near(self.used, self.limit)


def month_of(sender: User, moment: datetime) -> date:
    """The calendar month that counts, in the organisation's time zone, as its first day."""
    return month_in(sender.organization.time_zone, moment)


def month_in(time_zone: str, moment: datetime) -> date:
    local = moment.astimezone(ZoneInfo(time_zone))
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
    # Not for its key: messages refer to it, which two who write to each other would wait for.
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=sender.pk)
    month = month_of(sender, sent_at)
    wanted = set(external_addresses)
    known = RecipientUse.objects.filter(sender=sender, month=month, address__in=bulk.among_texts(list(wanted)))
    new = wanted - set(known.values_list("address", flat=True))
    if not new:
        return
    current = usage(sender, month)
    over = current.used + len(new) - current.limit
    if over > 0:
        raise OverLimit(_over_in_words(over, current))
    RecipientUse.objects.bulk_create(RecipientUse(sender=sender, month=month, address=address) for address in new)


def follow_renamed(user: User, before: str) -> None:
    """A recipient has another address: whoever has written to them this month, or ever, has written to the same one."""
    uses = RecipientUse.objects.filter(sender__organization=user.organization_id)
    counted = uses.filter(address=user.address, sender=OuterRef("sender"), month=OuterRef("month"))
    uses.filter(~Exists(counted), address=before).update(address=user.address)


def _over_in_words(over: int, current: Usage) -> str:
    return ngettext(
        "Your licence covers %(limit)d different external recipients a month and %(used)d are used: this message is "
        "%(over)d recipient over. Nothing was sent.",
        "Your licence covers %(limit)d different external recipients a month and %(used)d are used: this message is "
        "%(over)d recipients over. Nothing was sent.",
        over,
    ) % {"limit": current.limit, "used": current.used, "over": over}


renaming.on_rename(follow_renamed)

# --- For those who look after licences ------------------------------------------------------------------------


def is_near(used: int, limit: int) -> bool:
    return used * 100 >= limit * NEAR_LIMIT_PERCENT


def with_usage(senders: QuerySet, moment: datetime) -> QuerySet:
    """The senders with `month` (their organisation's own at that moment), and `used` and `limit` as `usage` counts."""
    zones = Organization.objects.order_by().values_list("time_zone", flat=True).distinct()
    months = [When(organization__time_zone=zone, then=Value(month_in(zone, moment))) for zone in zones]
    uses = RecipientUse.objects.filter(sender=OuterRef("pk"), month=OuterRef("month")).order_by()
    packs = BulkSenderPack.objects.filter(
        Q(last_month__isnull=True) | Q(last_month__gte=OuterRef("month")),
        sender=OuterRef("pk"),
        first_month__lte=OuterRef("month"),
    ).order_by()
    return senders.annotate(
        month=Case(*months, output_field=DateField()),
        used=Coalesce(Subquery(uses.values("sender").annotate(n=Count("pk")).values("n")), 0),
        limit=RECIPIENTS_A_MONTH
        + Coalesce(Subquery(packs.values("sender").annotate(n=Sum("recipients")).values("n")), 0),
    )


def near_limit(senders: QuerySet) -> QuerySet:
    """Of senders with their usage, those near their limit."""
    return senders.alias(of_limit=F("used") * 100, near=F("limit") * NEAR_LIMIT_PERCENT).filter(of_limit__gte=F("near"))


def used_by_month(uses: QuerySet, until: date, months: int = 12) -> list[tuple[date, int]]:
    """Unique recipients of the last months, oldest first, those without any too; one query."""
    wanted = [_months_before(until, n) for n in reversed(range(months))]
    found = dict(
        uses.filter(month__gte=wanted[0], month__lte=until)
        .order_by()
        .values("month")
        .annotate(n=Count("pk"))
        .values_list("month", "n")
    )
    return [(month, found.get(month, 0)) for month in wanted]


def _months_before(month: date, count: int) -> date:
    year, index = divmod(month.year * 12 + month.month - 1 - count, 12)
    return date(year, index + 1, 1)

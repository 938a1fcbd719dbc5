"""Activity: how many messages, recipients and log-ins there were on each day, for the pictures of the console's first
page.

The clock counts each quarter of an hour once, when nothing in it can change any more, and keeps the numbers: however
many messages there are, what is left to count when somebody looks is the last half hour. Nothing waits for the clock:
what it has not counted yet is counted then. What happened stays counted: erasing a person, or clearing old log-ins,
makes no day of the picture smaller.

Quarters, because the days of a reader begin at a quarter of an hour of UTC in every time zone in use.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, Max, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncMinute

from accounts.models import LogInAttempt
from portal import moments
from portal.ids import first_of
from portal.models import Organization

from .models import Activity, Message, Recipient

SLICE = timedelta(minutes=15)
# By then whatever was begun in a slice is committed, and no message in it can be taken back (for two minutes at most).
SETTLED_AFTER = timedelta(minutes=10)
KEPT = timedelta(days=32)
# An attempt's id is by the clock of the web server, its moment by the database's.
_CLOCKS_APART = timedelta(hours=1)
# What is counted, as Activity's fields name it: in which rows, by which moment, of whose organisation.
_COUNTED: dict[str, tuple[QuerySet, str, str]] = {
    "messages": (Message.objects.all(), "sent_at", "organization"),
    "recipients": (Recipient.objects.all(), "message__sent_at", "message__organization"),
    "log_ins": (LogInAttempt.objects.filter(cause=LogInAttempt.Cause.SUCCESS), "at", "organization"),
}
Days = dict[date, int]


def by_day(fields: Sequence[str], organization: Organization | None, since: datetime) -> dict[str, Days]:
    """For each field its number on each day of the current time zone, from that moment on, days without any left out.
    No organisation: of all together. Two queries, and one for each field."""
    kept = Activity.objects.filter(**_of("organization", organization), begins_at__gte=since)
    counted_until = kept.aggregate(last=Max("begins_at"))["last"]
    sums = {f"n_{field}": Sum(field) for field in fields}
    days = kept.annotate(day=TruncDate("begins_at")).values("day").annotate(**sums)
    found: dict[str, Counter[date]] = {field: Counter() for field in fields}
    for day, *numbers in days.values_list("day", *sums):
        for field, number in zip(fields, numbers, strict=True):
            found[field][day] += number
    since = counted_until + SLICE if counted_until else since
    for field in fields:
        moment = _COUNTED[field][1]
        fresh = _rows(field, organization, since).values(day=TruncDate(moment)).annotate(n=Count("pk"))
        found[field].update(dict(fresh.values_list("day", "n")))
    return {field: dict(counts) for field, counts in found.items()}


def count_up() -> int:
    """Count what is settled and not counted yet, and forget what no picture shows any more; returns how many slices
    were counted."""
    now = moments.now()
    until = _slice_of(now - SETTLED_AFTER)
    counted = dict(Activity.objects.order_by().values_list("organization").annotate(last=Max("begins_at")))
    rows: list[Activity] = []
    # While an organisation is being closed nothing happens there; and what was destroyed then does not come back.
    for organization in Organization.objects.filter(closing_at__isnull=True).only("id"):
        last = counted.get(organization.pk)
        since = last + SLICE if last else now - KEPT
        rows += _slices(organization, since, until)
    # All or none, since the newest row says that everything before it is counted. Another worker's are the same.
    Activity.objects.bulk_create(rows, ignore_conflicts=True)
    Activity.objects.filter(begins_at__lt=now - KEPT).delete()
    return len(rows)


def _slices(organization: Organization, since: datetime, until: datetime) -> Iterator[Activity]:
    slices: dict[datetime, dict[str, int]] = defaultdict(Counter)
    for field, (_queryset, moment, _owner) in _COUNTED.items():
        rows = _rows(field, organization, since, until)
        minutes = rows.values(minute=TruncMinute(moment, tzinfo=UTC)).annotate(n=Count("pk"))
        for minute, count in minutes.values_list("minute", "n"):
            slices[_slice_of(minute)][field] += count
    for begins_at, counts in slices.items():
        yield Activity(organization=organization, begins_at=begins_at, **counts)


def _rows(field: str, organization: Organization | None, since: datetime, until: datetime | None = None) -> QuerySet:
    queryset, moment, owner = _COUNTED[field]
    rows = queryset.filter(**_of(owner, organization), **{f"{moment}__gte": since}).order_by()
    if queryset.model is LogInAttempt:
        rows = rows.filter(pk__gte=first_of(since - _CLOCKS_APART))  # its index is by the id
    return rows.filter(**{f"{moment}__lt": until}) if until else rows


def _of(path: str, organization: Organization | None) -> Mapping[str, Any]:
    return {} if organization is None else {path: organization}


def _slice_of(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)

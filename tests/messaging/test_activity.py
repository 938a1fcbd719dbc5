"""What went on, day by day: counted once by the clock, and until then when somebody looks."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.models import LogInAttempt, User
from messaging import activity, undo
from messaging.models import Activity, MailboxEntry, Message
from portal import moments
from portal.ids import uuid7

FIELDS = ["messages", "recipients", "log_ins"]
LONG_AGO = timedelta(days=29)


def by_day(organization=None) -> dict[str, dict[date, int]]:
    return activity.by_day(FIELDS, organization, moments.now() - LONG_AGO)


def totals(organization=None) -> list[int]:
    return [sum(by_day(organization)[field].values()) for field in FIELDS]


@pytest.fixture
def sent(send, sender):
    """sent(ago, to): a message that was sent so long ago."""

    def send_message(ago: timedelta, to: str = "a@x.example, b@x.example") -> Message:
        message = send(sender, to=to)
        Message.objects.filter(pk=message.pk).update(sent_at=moments.now() - ago)
        return message

    return send_message


@pytest.fixture
def logged_in():
    """logged_in(user, ago): so long ago."""

    def add(user: User, ago: timedelta, cause: str = LogInAttempt.Cause.SUCCESS) -> LogInAttempt:
        return LogInAttempt.objects.create(
            organization=user.organization,
            user=user,
            address=user.address,
            reference=uuid7().hex[-16:],
            cause=cause,
            at=moments.now() - ago,
        )

    return add


def test_counted_or_not_it_is_the_same(sent, logged_in, sender):
    for ago in (timedelta(0), timedelta(hours=3), timedelta(days=1), timedelta(days=28)):
        sent(ago)
        logged_in(sender, ago)
    logged_in(sender, timedelta(hours=3), LogInAttempt.Cause.WRONG)
    before = by_day()
    assert totals() == [4, 8, 4]
    assert activity.count_up() == 3
    assert by_day() == before
    assert activity.count_up() == 0
    assert by_day() == before
    assert Activity.objects.count() == 3


def test_what_comes_later_is_counted_on(sent):
    sent(timedelta(hours=3))
    activity.count_up()
    sent(timedelta(hours=2))
    assert totals() == [2, 4, 0]
    activity.count_up()
    sent(timedelta(0))
    assert totals() == [3, 6, 0]


def test_what_can_still_be_undone_is_not_counted_yet(sender, send):
    send(sender, to="a@x.example")
    entry = MailboxEntry.objects.get(owner=sender, kind=MailboxEntry.Kind.SENT)
    MailboxEntry.objects.exclude(pk=entry.pk).update(visible_at=timezone.now() + timedelta(minutes=2))
    assert activity.count_up() == 0
    undo.undo_sending(actor=sender, entry=entry)
    assert totals() == [0, 0, 0]


def test_what_is_cleared_away_later_stays_counted(sent, logged_in, sender):
    sent(timedelta(days=3))
    attempt = logged_in(sender, timedelta(days=3))
    activity.count_up()
    attempt.delete()
    assert totals() == [1, 2, 1]


def test_each_organisation_by_itself(sent, logged_in, sender, stranger, other_organization, organization):
    sent(timedelta(hours=3))
    logged_in(stranger, timedelta(hours=3))
    for _before_and_after in range(2):
        assert totals(organization) == [1, 2, 0]
        assert totals(other_organization) == [0, 0, 1]
        assert totals() == [1, 2, 1]
        activity.count_up()


@pytest.mark.parametrize(("zone", "days"), [("Asia/Kathmandu", [4, 5]), ("UTC", [4]), ("America/St_Johns", [4])])
def test_days_are_those_of_the_reader(sent, zone, days):
    """Nepal's begin at 18:15 UTC."""
    now = moments.now()
    fourth = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=5)
    for at in (fourth + timedelta(hours=18, minutes=14), fourth + timedelta(hours=18, minutes=15)):
        sent(now - at, to="a@x.example")
    with timezone.override(ZoneInfo(zone)):
        for _before_and_after in range(2):
            found = by_day()["messages"]
            assert [(day - fourth.date()).days + 4 for day in sorted(found)] == days
            assert sum(found.values()) == 2
            activity.count_up()


def test_what_no_picture_shows_any_more_is_forgotten(organization):
    old, new = (
        Activity.objects.create(organization=organization, begins_at=moments.now() - timedelta(days=days), messages=1)
        for days in (33, 31)
    )
    activity.count_up()
    assert list(Activity.objects.all()) == [new]
    assert old != new


def test_two_workers_at_once_count_once(sent, monkeypatch):
    """The other one has counted everything between this one's look and its write."""
    sent(timedelta(hours=3))
    bulk_create = Activity.objects.bulk_create

    def late(rows, **options):
        monkeypatch.undo()
        assert activity.count_up() == 1
        return bulk_create(rows, **options)

    monkeypatch.setattr(Activity.objects, "bulk_create", late)
    activity.count_up()
    assert totals() == [1, 2, 0]


def test_slices_are_quarters_of_an_hour():
    moment = datetime.fromisoformat("2030-01-02T03:44:59.999+00:00")
    assert activity._slice_of(moment) == datetime.fromisoformat("2030-01-02T03:30:00+00:00")

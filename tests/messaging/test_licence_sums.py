"""Whoever writes to whom and when, whatever packs there are: what the console adds up is what a plain model says."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from messaging import licences
from messaging.models import BulkSenderPack, LicensedSender, RecipientUse

ZONE = ZoneInfo("Pacific/Auckland")  # a month there begins eleven or twelve hours before that of UTC
MONTHS = [date(2029, 11, 1), date(2029, 12, 1), date(2030, 1, 1), date(2030, 2, 1)]
SMALL_LIMIT = 4

who = st.integers(0, 1)
month = st.sampled_from(MONTHS)
EARLIEST, LATEST = (datetime(year, month, 15, tzinfo=UTC) for year, month in ((2029, 11), (2030, 2)))
moment = st.integers(0, int((LATEST - EARLIEST).total_seconds())).map(lambda n: EARLIEST + timedelta(seconds=n))
addresses = st.sets(st.sampled_from([f"{letter}@x.example" for letter in "abcdefgh"]), min_size=1, max_size=5)
sending = st.tuples(st.just("sending"), who, moment, addresses)
pack = st.tuples(st.just("pack"), who, st.integers(1, 3), st.tuples(month, st.none() | month))
steps = st.lists(sending | sending | pack, min_size=1, max_size=8)


class Model:
    """Sets and sums, and no database."""

    def __init__(self) -> None:
        self.packs: list[tuple[int, int, date, date]] = []
        self.used: dict[tuple[int, date], set[str]] = {}

    def of(self, number: int, month: date) -> tuple[int, int]:
        """(used, limit)"""
        extra = sum(more for owner, more, first, last in self.packs if owner == number and first <= month <= last)
        return len(self.used.get((number, month), ())), SMALL_LIMIT + extra

    def may_write(self, number: int, moment: datetime, addresses: set[str]) -> bool:
        month = moment.astimezone(ZONE).date().replace(day=1)
        after = self.used.get((number, month), set()) | addresses
        if after - self.used.get((number, month), set()) and len(after) > self.of(number, month)[1]:
            return False
        self.used[number, month] = after
        return True


@pytest.fixture
def senders(organization, make_user, monkeypatch):
    monkeypatch.setattr(licences, "RECIPIENTS_A_MONTH", SMALL_LIMIT)
    organization.time_zone = ZONE.key
    organization.save()
    return [make_user(organization, f"{name}@north.example", is_licensed=True) for name in ("one", "two")]


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps)
def test_sums_are_those_of_a_plain_model(senders, steps):
    BulkSenderPack.objects.all().delete()
    RecipientUse.objects.all().delete()
    model = Model()
    for kind, number, *details in steps:
        _DO[kind](model, senders, number, *details)
    for month in MONTHS:
        noon = datetime(month.year, month.month, 15, 12, tzinfo=ZONE)
        listed = licences.with_usage(LicensedSender.objects.filter(is_licensed=True), noon)
        expected = {sender.pk: model.of(number, month) for number, sender in enumerate(senders)}
        assert {row.pk: (row.used, row.limit) for row in listed} == expected
        assert {pk: (one.used, one.limit) for pk, one in _usages(senders, month)} == expected
        near = {pk for pk, (used, limit) in expected.items() if used >= 0.9 * limit}
        assert set(licences.near_limit(listed).values_list("pk", flat=True)) == near
    by_month = dict(licences.used_by_month(RecipientUse.objects.all(), MONTHS[-1], len(MONTHS)))
    assert by_month == {month: sum(model.of(number, month)[0] for number in (0, 1)) for month in MONTHS}


def _usages(senders, month):
    return [(sender.pk, licences.usage(sender, month)) for sender in senders]


def _send(model: Model, senders, number: int, moment: datetime, addresses: set[str]) -> None:
    try:
        licences.count_recipients(senders[number], addresses, moment)
        taken = True
    except licences.OverLimit:
        taken = False
    assert taken == model.may_write(number, moment, addresses)


def _add_pack(model: Model, senders, number: int, more: int, months: tuple[date, date | None]) -> None:
    first, last = months
    if last is not None and last < first:
        first, last = last, first
    model.packs.append((number, more, first, last or date.max))
    BulkSenderPack.objects.create(sender=senders[number], recipients=more, first_month=first, last_month=last)


_DO = {"sending": _send, "pack": _add_pack}

from datetime import UTC, date, datetime

import pytest

from messaging import licences
from messaging.models import BulkSenderPack, LicensedSender, RecipientUse

from .conftest import page

LIST = page(LicensedSender, "changelist")


@pytest.fixture
def month(sender) -> date:
    return licences.month_of(sender, datetime.now(UTC))


def use(user, month: date, count: int) -> None:
    RecipientUse.objects.bulk_create(
        RecipientUse(sender=user, month=month, address=f"{user.pk.hex[:6]}{n}@x.example") for n in range(count)
    )


def rows_of(client, query: str = "") -> dict:
    found = client.get(LIST + query).context["cl"].result_list
    return {row.address: (row.used, row.limit) for row in found}


def test_the_list_sums_to_what_is_stored(north, sender, administrator, make_user, month):
    use(sender, month, 7)
    use(administrator, month, 5)  # whose licence was taken away since
    use(make_user(north.organization, "idle@north.example", is_licensed=True), date(2001, 1, 1), 9)
    found = rows_of(north.client)
    assert found == {
        "sender@north.example": (7, 500),
        "admin@north.example": (5, 500),
        "idle@north.example": (0, 500),
    }
    assert sum(used for used, _limit in found.values()) == RecipientUse.objects.filter(month=month).count()


def test_the_list_agrees_with_what_sending_counts(north, sender, month):
    for recipients, first, last in [
        (100, month, None),
        (50, date(2001, 1, 1), month),
        (9, date(2001, 1, 1), first_of(month)),
    ]:
        BulkSenderPack.objects.create(sender=sender, recipients=recipients, first_month=first, last_month=last)
    use(sender, month, 3)
    usage = licences.usage(sender, month)
    assert rows_of(north.client)[sender.address] == (usage.used, usage.limit) == (3, 650)


def first_of(month: date) -> date:
    """The month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def test_the_picture_sums_to_what_is_stored(north, south, sender, month):
    use(sender, month, 7)
    use(sender, first_of(month), 4)
    use(south.user, month, 30)
    chart = north.client.get(LIST).context["chart"]
    assert [bar.value for bar in chart.bars][-2:] == [4, 7]
    own = RecipientUse.objects.filter(sender__organization=north.organization, month__gte=date(month.year - 1, 12, 1))
    assert chart.total == own.count() == 11
    html = north.client.get(LIST).content.decode()
    assert "<svg" in html
    assert "<caption" in html


@pytest.mark.parametrize(("used", "near"), [(449, False), (450, True), (500, True)])
def test_who_is_near_the_limit(north, sender, month, used, near):
    use(sender, month, used)
    assert (sender.address in rows_of(north.client, "?limit=near")) == near
    html = north.client.get(LIST).content.decode()
    assert ("used up" in html) == (used == 500)


def test_the_month_is_the_organizations_own(north, sender):
    north.organization.time_zone = "Pacific/Kiritimati"  # 14 hours ahead
    north.organization.save()
    moment = datetime(2030, 1, 31, 12, tzinfo=UTC)
    row = licences.with_usage(LicensedSender.objects.filter(pk=sender.pk), moment).get()
    assert row.month == date(2030, 2, 1)


def test_it_takes_a_constant_number_of_queries(north, make_user, month, django_assert_max_num_queries):
    for n in range(30):
        use(make_user(north.organization, f"s{n}@north.example", is_licensed=True), month, 1)
    with django_assert_max_num_queries(12):
        north.client.get(LIST)


def pack(**fields) -> dict:
    management = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0}
    posted = {"recipients": 250, "first_month": "2030-01", "last_month": "", **fields}
    return {f"bulk_sender_packs-{k}": v for k, v in management.items()} | {
        f"bulk_sender_packs-0-{k}": v for k, v in posted.items()
    }


def test_a_pack_is_added_changed_and_removed(north, sender, events, administrator):
    url = page(LicensedSender, "change", sender.pk)
    north.client.post(url, pack())
    added = BulkSenderPack.objects.get(sender=sender)
    assert (added.recipients, added.first_month, added.last_month) == (250, date(2030, 1, 1), None)
    existing = {"bulk_sender_packs-INITIAL_FORMS": 1, "bulk_sender_packs-0-id": added.pk}
    north.client.post(url, pack(last_month="2030-06") | existing)
    added.refresh_from_db()
    assert added.last_month == date(2030, 6, 1)
    assert licences.usage(sender, date(2030, 6, 1)).limit == 750
    north.client.post(url, pack(DELETE="on") | existing)
    assert not BulkSenderPack.objects.exists()
    assert [event for event in events(sender) if "pack" in event[1]] == [
        (administrator.address, f"bulk_sender_pack.{what}") for what in ("added", "changed", "removed")
    ]


@pytest.mark.parametrize(
    "wrong", [{"recipients": 0}, {"first_month": ""}, {"last_month": "2029-12"}, {"first_month": "soon"}]
)
def test_wrong_packs_are_refused(north, sender, wrong):
    response = north.client.post(page(LicensedSender, "change", sender.pk), pack(**wrong))
    assert response.status_code == 200
    assert not BulkSenderPack.objects.exists()


def test_no_pack_is_moved_to_or_from_a_foreign_sender(north, south, sender):
    theirs = BulkSenderPack.objects.create(sender=south.user, recipients=5, first_month=date(2030, 1, 1))
    assert north.client.post(page(LicensedSender, "change", south.user.pk), pack()).status_code == 404
    existing = {"bulk_sender_packs-INITIAL_FORMS": 1, "bulk_sender_packs-0-id": theirs.pk}
    north.client.post(page(LicensedSender, "change", sender.pk), pack(sender=sender.pk) | existing)
    theirs.refresh_from_db()
    assert (theirs.sender, theirs.recipients) == (south.user, 5)
    north.client.post(page(LicensedSender, "change", sender.pk), pack(sender=south.user.pk))
    assert BulkSenderPack.objects.filter(sender=south.user).count() == 1

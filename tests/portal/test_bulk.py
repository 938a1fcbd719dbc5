"""Inserting many rows is as inserting each, whatever their values."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Domain
from portal import bulk, outbox
from portal.ids import uuid7
from portal.models import OutgoingMail, RetentionKey

pytestmark = pytest.mark.django_db


def mails(organization, count: int, **fields) -> list[OutgoingMail]:
    return [
        outbox.new_mail(
            organization=organization,
            kind="notification",
            about=uuid7(),
            to_address=f"r{n}@outside.example",
            dedupe_key=f"key {n} 100% %s \\ ' \" {{a,b}} ü 😀",
            due_at=timezone.now(),
            **fields,
        )
        for n in range(count)
    ]


def stored(rows) -> list[dict]:
    names = [field.attname for field in rows[0]._meta.local_concrete_fields]
    return [{name: getattr(row, name) for name in names} for row in rows]


@pytest.mark.parametrize("count", [1, 2, 500])
def test_what_is_read_is_what_was_written(organization, count, django_assert_max_num_queries):
    rows = mails(organization, count)
    rows[0].not_after = timezone.now()
    rows[-1].server_reply = "450 later"
    with django_assert_max_num_queries(12):
        bulk.insert(rows)
    found = OutgoingMail.objects.in_bulk([row.id for row in rows])
    assert stored([found[row.id] for row in rows]) == stored(rows)
    assert not rows[0]._state.adding
    rows[0].save()
    assert OutgoingMail.objects.count() == count


def test_bytes_dates_and_nulls(organization):
    rows = [
        RetentionKey(organization=organization, month=timezone.now().date().replace(day=day), master_key_id="k")
        for day in (1, 2)
    ]
    rows[0].wrapped_key = bytes(range(256))
    rows[1].destroyed_at = timezone.now()
    bulk.insert(rows)
    first, second = RetentionKey.objects.order_by("month")
    assert (bytes(first.wrapped_key), first.destroyed_at) == (bytes(range(256)), None)
    assert (second.wrapped_key, second.destroyed_at) == (None, rows[1].destroyed_at)


def test_rows_like_one_are_all_but_that_one(organization):
    (first,) = mails(organization, 1)
    ids = [uuid7() for _ in range(2)]
    columns = {
        "id": ids,
        "to_address": ["one@outside.example", "other@outside.example"],
        "dedupe_key": ["one", "other"],
        "message_id": ["<1@x>", "<2@x>"],
    }
    bulk.insert_like(first, columns)
    found = OutgoingMail.objects.in_bulk()
    assert set(found) == set(ids)
    assert [found[one].to_address for one in ids] == columns["to_address"]
    assert {(mail.about, mail.date, mail.organization) for mail in found.values()} == {
        (first.about, first.date, organization)
    }
    assert first._state.adding and first.to_address == "r0@outside.example"


@pytest.mark.parametrize("text", ['"', "\\", '","', "NULL", "", "{}", "a,b", "\n", " "])
def test_one_text_among_plain_ones_is_kept_as_it_is(organization, text):
    rows = mails(organization, 3)
    for row, reply in zip(rows, ("plain", text, "also plain"), strict=True):
        row.dedupe_key, row.server_reply = row.to_address, reply
    bulk.insert(rows)
    found = OutgoingMail.objects.in_bulk([row.id for row in rows])
    assert [found[row.id].server_reply for row in rows] == ["plain", text, "also plain"]


def test_nothing_to_insert_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        bulk.insert([])


def test_a_constraint_stands_against_all_or_only_against_its_row(organization):
    (old,) = mails(organization, 1)
    bulk.insert([old])
    rows = mails(organization, 3)  # the first has the old one's key
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(rows)
    assert OutgoingMail.objects.count() == 1
    bulk.insert(rows, ignore_conflicts=True)
    assert set(OutgoingMail.objects.values_list("id", flat=True)) == {old.id, rows[1].id, rows[2].id}


def test_rows_all_alike_but_for_their_ids(organization):
    bulk.insert([Domain(organization=organization, name=f"d{n}.example") for n in range(3)])
    assert Domain.objects.filter(organization=organization, is_internal=False).count() == 3


def test_the_whole_is_one_transaction_of_the_callers(organization):
    if connection.vendor == "sqlite":
        pytest.skip("bulk_create does it there")
    with transaction.atomic():
        bulk.insert(mails(organization, 2))
        transaction.set_rollback(True)
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("count", [0, 1, 500])
def test_among_finds_those_and_no_other(organization, count):
    rows = mails(organization, count + 1)
    bulk.insert(rows)
    ids = [row.id for row in rows[:count]]
    found = OutgoingMail.objects.filter(id__in=bulk.among(ids))
    assert set(found.values_list("id", flat=True)) == set(ids)
    # Texts with everything in them that an array would have to escape.
    found = OutgoingMail.objects.filter(dedupe_key__in=bulk.among_texts([row.dedupe_key for row in rows[:count]]))
    assert set(found.values_list("id", flat=True)) == set(ids)

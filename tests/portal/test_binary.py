"""Rows in binary form are the rows that Django reads."""

from datetime import UTC, date, datetime

import pytest
from django.db import DataError, connection, transaction
from django.db.models import BinaryField, Case, DateTimeField, F, TextField, UUIDField, Value, When
from django.db.models.functions import Cast, Coalesce

from portal import binary
from portal.ids import AsText
from portal.models import OutgoingMail, RetentionKey

pytestmark = pytest.mark.django_db

ODD_BYTES = [bytes(range(256)), b"", b"\xff" * 5_000, b"PGCOPY\n\xff\r\n\0", None, None]
ODD_TEXTS = ["", "ü 😀", "100 % %s %%", "a\tb\nc\\.", "quoted \"' {}", "NULL"]
ODD_MOMENTS = [None] * 4 + [
    datetime(1970, 1, 2, 3, 4, 5, 678_901, UTC),
    datetime(2150, 12, 31, 23, 59, 59, 999_999, UTC),
]


def as_list(values) -> list[tuple]:
    return [tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in values]


@pytest.fixture
def keys(organization):
    for number, (sealed, text, moment) in enumerate(zip(ODD_BYTES, ODD_TEXTS, ODD_MOMENTS, strict=True)):
        RetentionKey.objects.create(
            organization=organization,
            month=date(2026, 1 + number, 1),
            wrapped_key=sealed,
            master_key_id=text,
            destroyed_at=moment,
        )
    return RetentionKey.objects.order_by("month")


def test_bytes_texts_moments_uuids_and_nulls(keys):
    values = keys.annotate(
        text=AsText("id"),
        at=Coalesce("destroyed_at", Value(datetime(1999, 12, 31, tzinfo=UTC)), output_field=DateTimeField()),
        short=Case(When(master_key_id="", then=F("wrapped_key")), output_field=BinaryField()),
    ).values_list("id", "text", "wrapped_key", "master_key_id", "destroyed_at", "at", "short")
    assert as_list(binary.rows(values)) == as_list(values)
    assert len(values) == len(ODD_BYTES)


def test_of_a_slice_with_parameters(keys):
    values = keys.filter(master_key_id__in=ODD_TEXTS[1:]).values_list("master_key_id", "wrapped_key")[1:3]
    assert as_list(binary.rows(values)) == list(zip(ODD_TEXTS[2:4], ODD_BYTES[2:4], strict=True))


def test_of_no_rows(keys):
    assert binary.rows(OutgoingMail.objects.values_list("id", "about")) == []
    assert binary.rows(keys.filter(id__in=[]).values_list("id")) == []


def test_errors_are_djangos(keys):
    broken = keys.values_list(Cast("master_key_id", UUIDField()))
    if connection.vendor == "sqlite":
        pytest.skip("there every text can be cast")
    with pytest.raises(DataError), transaction.atomic():
        binary.rows(broken)


def test_what_cannot_be_read_is_an_error(keys):
    values = keys.values_list(Cast("month", TextField()), "month")
    if connection.vendor == "sqlite":
        pytest.skip("Django reads everything there")
    with pytest.raises(KeyError, match="DateField"):
        binary.rows(values)

import time
import uuid

import pytest

from portal.ids import AsText, uuid7, uuid7s
from portal.models import Organization


def test_it_is_a_version_7_uuid_of_this_moment():
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= before + 10_000


def test_later_ones_are_larger_even_within_a_millisecond():
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_many_at_once_are_in_order_between_those_before_and_after():
    made = [uuid7(), *uuid7s(10_000), uuid7(), *uuid7s(3), *uuid7s(0), uuid7()]
    assert len(made) == 10_006
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}


def test_what_is_random_in_them_is_their_own():
    assert len({one.int & (1 << 62) - 1 for one in uuid7s(1000)}) == 1000


@pytest.mark.django_db
def test_a_column_of_ids_can_be_read_as_texts():
    made = [Organization.objects.create(name=f"Number {n}", slug=f"number-{n}").id for n in range(3)]
    read = Organization.objects.filter(id__in=made).order_by("id").values_list(AsText("id"), flat=True)
    assert list(read) == [str(id_) for id_ in made]

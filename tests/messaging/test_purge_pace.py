"""Transactions of a purge are as large as the database is quick."""

import pytest

from messaging import purge_pace
from messaging.purge_pace import Pace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def after(monkeypatch):
    """after(pace, quick=…): one more transaction; returns how many rows the next one takes on."""

    def after_one(pace: Pace, *, quick: bool) -> int:
        monkeypatch.setattr(purge_pace, "QUICK_SECONDS", 60 if quick else 0)
        with pace.transaction():
            pass
        return pace.rows

    return after_one


def test_it_begins_small_and_doubles_up_to_the_most(after):
    pace = Pace(160)
    assert pace.rows == 10
    assert [after(pace, quick=True) for _ in range(6)] == [20, 40, 80, 160, 160, 160]


def test_a_slow_one_halves_the_next_down_to_the_least(after):
    pace = Pace(160)
    for _ in range(5):
        after(pace, quick=True)
    assert [after(pace, quick=False) for _ in range(6)] == [80, 40, 20, 10, 10, 10]


def test_one_row_at_least():
    assert Pace(1).rows == 1


def test_what_fails_changes_nothing():
    pace = Pace(160)
    with pytest.raises(ZeroDivisionError), pace.transaction():
        raise ZeroDivisionError
    assert pace.rows == 10

"""What visitors leave behind is not kept for ever."""

import uuid
from datetime import timedelta

import pytest

from accounts import keeping, tasks
from accounts.models import LogInAttempt, MailRequest
from portal import moments
from portal.ids import first_of

DAYS = {LogInAttempt: 90, MailRequest: 30}


@pytest.fixture
def left(organization):
    """left(model, age): a row that is so old; ids are made with the rows."""

    def leave(model, age: timedelta):
        at = moments.now() - age
        row_id = uuid.UUID(int=first_of(at).int | 7 << 76 | 2 << 62 | uuid.uuid4().int & (1 << 60) - 1)
        values = {"pk": row_id, "organization": organization, "at": at, "limited_as": "192.0.2.1"}
        if model is LogInAttempt:
            values |= {"reference": row_id.hex[-12:], "cause": "wrong"}
        return model.objects.create(**values)

    return leave


@pytest.mark.parametrize("model", DAYS)
def test_so_many_days_and_not_one_less(left, model):
    young = left(model, timedelta(days=DAYS[model]) - timedelta(minutes=1))
    left(model, timedelta(days=DAYS[model], minutes=1))
    tasks.clear_old_attempts()
    assert list(model.objects.all()) == [young]


def test_no_more_than_so_many_at_once_oldest_first(left):
    rows = [left(LogInAttempt, timedelta(days=100 + number)) for number in range(5)]
    assert keeping.clear_old(most=3) == 3
    assert set(LogInAttempt.objects.all()) == set(rows[:2])
    assert keeping.clear_old(most=3) == 2
    assert keeping.clear_old(most=3) == 0

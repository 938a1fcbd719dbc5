import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from portal import limits
from portal.ids import uuid7
from portal.limits import Limit, LimitReached
from portal.models import LimitUse

THREE = Limit("trials", uses=3, period=timedelta(minutes=1))


@pytest.mark.django_db
def test_so_many_uses_and_no_more_until_the_period_is_over():
    somebody = uuid7()
    for _ in range(THREE.uses):
        limits.use(THREE, somebody)
    with pytest.raises(LimitReached) as reached:
        limits.use(THREE, somebody)
    assert 50 <= reached.value.retry_after <= 60
    LimitUse.objects.update(began_at=F("began_at") - timedelta(seconds=59))
    with pytest.raises(LimitReached) as reached:
        limits.use(THREE, somebody)
    assert reached.value.retry_after == 1
    LimitUse.objects.update(began_at=F("began_at") - timedelta(seconds=1))
    for _ in range(THREE.uses):
        limits.use(THREE, somebody)
    with pytest.raises(LimitReached):
        limits.use(THREE, somebody)


@pytest.mark.django_db
def test_a_clock_that_was_ahead_keeps_nobody_waiting():
    somebody = uuid7()
    for _ in range(THREE.uses):
        limits.use(THREE, somebody)
    LimitUse.objects.update(began_at=F("began_at") + timedelta(days=365))
    for _ in range(THREE.uses):
        limits.use(THREE, somebody)
    with pytest.raises(LimitReached):
        limits.use(THREE, somebody)


@pytest.mark.django_db
def test_each_person_and_each_limit_counts_for_itself():
    somebody, somebody_else = uuid7(), uuid7()
    for _ in range(THREE.uses):
        limits.use(THREE, somebody)
    limits.use(THREE, somebody_else)
    limits.use(Limit("other trials", uses=1, period=timedelta(hours=1)), somebody)
    assert LimitUse.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_it_is_exact_under_parallel_uses():
    somebody, barrier = uuid7(), threading.Barrier(8)

    def try_it(_) -> bool:
        try:
            barrier.wait()
            limits.use(THREE, somebody)
        except LimitReached:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_it, range(8))) == THREE.uses

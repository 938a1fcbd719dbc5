"""The outbox with real workers, a real clock and a real Redis, each of which may be gone at any moment.

After every run: each mail reached exactly one end, each arrived, none came twice but those whose row says that it
perhaps had (FAULTS.md, I2 to I4).
"""

import signal
import time
from collections import Counter

import pytest
from celery import current_app

from portal.models import OutgoingMail
from portal.outbox import State

from .processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

# A lease, two looks of the clock, a reconnection, the last delay: FAULTS.md, I7.
SETTLED_WITHIN = 120
CONCURRENCY = 4


def unfinished() -> int:
    return OutgoingMail.objects.filter(finished_at__isnull=True).count()


def assert_everything_arrived(server, mails: list[OutgoingMail], *, injected_doubts: int) -> None:
    rows = {row.to_address: row for row in OutgoingMail.objects.all()}
    assert Counter(row.state for row in rows.values()) == {State.SENT: len(mails)}
    arrived = Counter(mail.recipient for mail in server.seen)
    assert set(arrived) == set(rows), "lost or unexpected"
    doubtful = {address for address, row in rows.items() if row.ambiguous_at}
    twice = {address for address, count in arrived.items() if count > 1}
    assert twice <= doubtful
    assert all(count <= 2 for count in arrived.values())
    assert len(doubtful) <= injected_doubts
    assert {(mail.recipient, mail.message["Message-ID"]) for mail in server.seen} == {
        (row.to_address, row.message_id) for row in rows.values()
    }


def take_your_time(argument: str) -> None:
    time.sleep(0.03)


@pytest.mark.parametrize("verb", ["RCPT", "DOT"])
def test_a_worker_killed_in_the_middle_of_200_notifications(hands, server, enqueue, verb):
    """kill -9 of the whole process group; what it held comes back when its leases run out."""
    server.script[verb] = take_your_time
    hands.clock()
    worker = hands.worker(CONCURRENCY)
    mails = enqueue(200)
    wait_until(lambda: len(server.seen) >= 60, 30)
    worker.kill()
    assert unfinished() > 100
    hands.worker(CONCURRENCY)
    wait_until(lambda: unfinished() == 0, SETTLED_WITHIN, unfinished)
    assert_everything_arrived(server, mails, injected_doubts=CONCURRENCY)


def test_workers_told_to_stop_finish_what_they_hold(hands, server, enqueue):
    """A rolling restart: SIGTERM to the old worker once the new one is up. Nothing is even doubtful."""
    server.script["DOT"] = take_your_time
    hands.clock()
    old = hands.worker(CONCURRENCY)
    mails = enqueue(200)
    wait_until(lambda: len(server.seen) >= 40, 30)
    hands.worker(CONCURRENCY)
    old.terminate()
    wait_until(lambda: unfinished() == 0, SETTLED_WITHIN, unfinished)
    assert_everything_arrived(server, mails, injected_doubts=0)


def test_two_clocks_two_workers_and_the_same_call_many_times(hands, server, enqueue):
    for _ in range(2):
        hands.clock()
        hands.worker(CONCURRENCY)
    mails = enqueue(200)
    for _ in range(20):
        current_app.send_task("portal.tasks.deliver_due_mail")
    wait_until(lambda: unfinished() == 0, SETTLED_WITHIN, unfinished)
    assert_everything_arrived(server, mails, injected_doubts=0)


def test_redis_killed_and_empty_again_in_the_middle(hands, redis, server, enqueue):
    server.script["DOT"] = take_your_time
    hands.clock()
    hands.worker(CONCURRENCY)
    mails = enqueue(200)
    wait_until(lambda: len(server.seen) >= 40, 30)
    redis.kill()
    redis.start()
    wait_until(lambda: unfinished() == 0, SETTLED_WITHIN, unfinished)
    assert_everything_arrived(server, mails, injected_doubts=0)


def test_with_redis_down_mail_is_taken_at_once_and_leaves_later(hands, redis, server, enqueue):
    hands.clock()
    hands.worker(CONCURRENCY)
    redis.kill()
    started = time.monotonic()
    mails = enqueue(20)
    assert time.monotonic() - started < 0.5
    assert unfinished() == 20
    assert not server.seen
    redis.start()
    wait_until(lambda: unfinished() == 0, SETTLED_WITHIN, unfinished)
    assert_everything_arrived(server, mails, injected_doubts=0)


def test_with_redis_hanging_mail_is_taken_within_half_a_second(hands, redis, enqueue):
    enqueue(1)  # the connection stands
    redis.process.signal(signal.SIGSTOP)
    try:
        for _ in range(2):
            started = time.monotonic()
            enqueue(1)
            assert time.monotonic() - started < 0.5
    finally:
        redis.process.signal(signal.SIGCONT)
    assert OutgoingMail.objects.count() == 3


def test_the_audit_chain_is_linked_by_the_clock(hands, organization):
    from portal import audit

    for _ in range(50):
        audit.record(organization, "message.read")
    hands.clock()
    hands.worker(1)
    wait_until(lambda: audit.verify(organization).links == 50, 30)
    assert audit.verify(organization).intact

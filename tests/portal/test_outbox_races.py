"""Several workers and people at the same row at once: real threads, each with its own connection."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction

from portal import claims, delivery, moments, outbox
from portal.models import OutgoingMail
from portal.outbox import State

from .conftest import age

pytestmark = pytest.mark.django_db(transaction=True)


def in_parallel(*things: Callable[[], object]) -> list[object]:
    """Run each in a thread of its own, all beginning together."""
    barrier = threading.Barrier(len(things))

    def run(thing: Callable[[], object]) -> object:
        try:
            barrier.wait(5)
            return thing()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(things)) as threads:
        return list(threads.map(run, things))


def at_that_moment(do: Callable[[], object]) -> Callable[[str], None]:
    """A script action that does something in the server's thread, then answers as usual."""

    def action(argument: str) -> None:
        try:
            do()
        finally:
            connection.close()

    return action


def overtake(mail: OutgoingMail) -> None:
    """Another worker claims the mail, whose lease has run out."""
    age(mail, lease_until=timedelta(seconds=1))
    [claim] = claims.claim()
    assert claim.mail.pk == mail.pk


def recall(mail: OutgoingMail) -> outbox.Cancellation:
    with transaction.atomic():
        return outbox.cancel(OutgoingMail.objects.filter(pk=mail.pk))


def test_several_workers_send_each_mail_once(enqueue, server):
    mails = [enqueue(f"r{n}@outside.example") for n in range(40)]
    finished = in_parallel(*[delivery.deliver_due] * 4)
    assert sum(finished) == len(mails)
    assert Counter(mail.recipient for mail in server.seen) == Counter(mail.to_address for mail in mails)


def test_a_worker_that_was_overtaken_sends_nothing_and_writes_nothing(enqueue, server):
    mail = enqueue()
    server.script["RCPT"] = at_that_moment(partial(overtake, mail))
    assert delivery.deliver_due() == 0
    assert "DATA" not in server.verbs
    mail.refresh_from_db()
    assert (mail.state, mail.fence) == (State.LEASED, 2)


def test_a_worker_that_was_overtaken_after_the_dot_does_not_overwrite(enqueue, server):
    mail = enqueue()
    server.script["DOT"] = at_that_moment(partial(overtake, mail))
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert (mail.state, mail.fence) == (State.LEASED, 2)
    assert mail.ambiguous_at is not None


def test_what_the_server_said_is_written_down_when_the_database_is_back(enqueue, server):
    """Lost at this moment, the connection costs no second mail."""
    mail = enqueue()
    lost = []

    def lose_it_once(execute, sql, params, many, context):
        if server.mails and sql.startswith("UPDATE") and not lost:
            lost.append(sql)
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(lose_it_once):
        assert delivery.deliver_due() == 1
    assert lost
    mail.refresh_from_db()
    assert (mail.state, mail.ambiguous_at, mail.attempts) == (State.SENT, None, 1)
    assert len(server.mails) == 1


def test_a_slow_worker_nobody_overtook_goes_on(enqueue, server):
    mail = enqueue()
    server.script["RCPT"] = at_that_moment(partial(age, mail, lease_until=timedelta(seconds=1)))
    assert delivery.deliver_due() == 1
    assert len(server.mails) == 1


def test_mail_whose_time_ends_before_data_does_not_leave(enqueue, server):
    mail = enqueue(not_after=moments.now() + timedelta(hours=1))
    server.script["RCPT"] = at_that_moment(partial(age, mail, not_after=timedelta(seconds=1)))
    delivery.deliver_due()
    assert "DATA" not in server.verbs
    age(mail, lease_until=timedelta(seconds=1))
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.CANCELLED


def test_a_recall_before_data_keeps_the_mail_in(enqueue, server):
    mail, said = enqueue(), []
    server.script["RCPT"] = at_that_moment(lambda: said.append(recall(mail)))
    delivery.deliver_due()
    assert said == [outbox.Cancellation(cancelled=1, already_leaving=0)]
    assert "DATA" not in server.verbs
    mail.refresh_from_db()
    assert mail.state == State.CANCELLED


def test_a_recall_and_a_refusal_at_once_leave_it_cancelled(enqueue, server):
    """The worker's "try again later" must not bring a recalled mail back."""
    mail = enqueue()
    server.script["MAIL"] = at_that_moment(partial(recall, mail))
    server.script["RCPT"] = "450 later"
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.CANCELLED


def test_a_recall_after_data_says_that_it_is_leaving(enqueue, server):
    mail, said = enqueue(), []
    server.script["DATA"] = at_that_moment(lambda: said.append(recall(mail)))
    delivery.deliver_due()
    assert said == [outbox.Cancellation(cancelled=0, already_leaving=1)]
    mail.refresh_from_db()
    assert mail.state == State.SENT


def test_a_worker_lost_while_sending_does_not_send_after_a_recall(enqueue, server):
    """The second try of a mail that perhaps left is taken back like any other."""
    mail = enqueue()
    [claim] = claims.claim()
    assert claims.mark_sending(claim.mail)
    age(mail, lease_until=timedelta(seconds=1))
    server.script["RCPT"] = at_that_moment(partial(recall, mail))
    delivery.deliver_due()
    assert "DATA" not in server.verbs


def test_recall_and_delivery_racing_end_in_one_order(enqueue, server):
    """Each mail is either taken back or sent, the recall says which, and the server saw exactly the sent ones."""
    mails = [enqueue(f"r{n}@outside.example") for n in range(30)]
    random.shuffle(mails)

    def recall_all() -> Counter[str]:
        said: Counter[str] = Counter()
        for mail in mails:
            cancellation = recall(mail)
            said["cancelled"] += cancellation.cancelled
            said["already_leaving"] += cancellation.already_leaving
        return said

    said, *_ = in_parallel(recall_all, delivery.deliver_due, delivery.deliver_due)
    assert isinstance(said, Counter)
    states = Counter(OutgoingMail.objects.values_list("state", flat=True))
    assert set(states) <= {State.SENT, State.CANCELLED}
    assert states[State.CANCELLED] == said["cancelled"]
    sent = OutgoingMail.objects.filter(state=State.SENT).values_list("to_address", flat=True)
    assert Counter(mail.recipient for mail in server.seen) == Counter(sent)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_a_recall_that_waits_for_the_row_judges_it_again(enqueue, server):
    """PostgreSQL: the recall's UPDATE finds the row locked by the worker's, and must not overwrite what that wrote."""
    mail = enqueue()
    [claim] = claims.claim()
    marked, waiting = threading.Event(), threading.Event()

    def mark() -> None:
        with transaction.atomic():
            assert claims.mark_sending(claim.mail)
            marked.set()
            waiting.wait(0.5)

    def recall_by_join() -> outbox.Cancellation:
        marked.wait(5)
        with transaction.atomic():
            return outbox.cancel(OutgoingMail.objects.filter(organization__slug="north", state=State.LEASED))

    _, said = in_parallel(mark, recall_by_join)
    assert said == outbox.Cancellation(cancelled=0, already_leaving=0)
    mail.refresh_from_db()
    assert mail.state == State.SENDING

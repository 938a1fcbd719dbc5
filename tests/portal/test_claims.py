"""Several mails are claimed at once; each leaves, or goes back, by itself."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection

from portal import claims, delivery, outbox
from portal.ids import uuid7s
from portal.models import OutgoingMail
from portal.outbox import State

from .conftest import age
from .test_outbox_races import at_that_moment, recall

pytestmark = pytest.mark.django_db(transaction=True)


def test_several_are_claimed_in_due_order_and_look_as_their_rows(enqueue):
    mails = [enqueue(f"r{n}@outside.example") for n in range(3)]
    for hours, mail in enumerate(mails):
        age(mail, due_at=timedelta(hours=hours))
    found = [claim.mail for claim in claims.claim(2)]
    assert found == [mails[2], mails[1]]
    fields = ("state", "lease_until", "fence", "attempts", "first_tried_at", "ambiguous_at")
    for mail in found:
        row = OutgoingMail.objects.get(pk=mail.pk)
        assert [getattr(mail, field) for field in fields] == [getattr(row, field) for field in fields]
    assert [claim.mail for claim in claims.claim(9)] == [mails[0]]


def test_of_several_only_the_one_whose_worker_was_lost_while_sending_is_in_doubt(enqueue):
    lost, other = enqueue("r1@outside.example"), enqueue("r2@outside.example")
    for claim in claims.claim(2):
        assert claim.mail != lost or claims.mark_sending(claim.mail)
    age(lost, lease_until=timedelta(seconds=1))
    age(other, lease_until=timedelta(seconds=1))
    doubts = {claim.mail: claim.mail.ambiguous_at is not None for claim in claims.claim(2)}
    assert doubts == {lost: True, other: False}
    assert OutgoingMail.objects.get(ambiguous_at__isnull=False) == lost


def test_what_is_given_back_is_due_as_before(enqueue, server):
    mail = enqueue()
    [claim] = claims.claim()
    claims.give_back([claim.mail])
    mail.refresh_from_db()
    assert (mail.state, mail.lease_until, mail.attempts) == (State.DUE, None, 0)
    assert not claims.mark_sending(claim.mail)
    assert delivery.deliver_due() == 1


def test_what_was_taken_back_meanwhile_is_not_given_back(enqueue):
    mail = enqueue()
    [claim] = claims.claim()
    recall(mail)
    claims.give_back([claim.mail])
    mail.refresh_from_db()
    assert mail.state == State.CANCELLED


def test_mail_that_waits_behind_a_slow_server_is_free_for_other_workers(enqueue, server, monkeypatch):
    """The first claim is of one mail, the second of two: while one of these waits, the other is given back."""
    monkeypatch.setattr(delivery, "PATIENCE_SECONDS", 0.05)
    mails = [enqueue(f"r{n}@outside.example") for n in range(3)]
    free = threading.Event()

    def wait_until_free() -> None:
        for _ in range(200):
            if OutgoingMail.objects.filter(pk=mails[2].pk, state=State.DUE, attempts=0).exists():
                free.set()
                return
            threading.Event().wait(0.02)

    server.script["RCPT"] = lambda argument: (
        at_that_moment(wait_until_free)(argument) if "r1@" in argument and not free.is_set() else None
    )
    assert delivery.deliver_due(3) >= 2
    assert free.is_set()


def test_a_recall_stops_what_was_claimed_with_the_mail_before(enqueue, server):
    mails = [enqueue(f"r{n}@outside.example") for n in range(3)]
    server.script["DOT"] = lambda argument: at_that_moment(lambda: recall(mails[2]))(argument)
    delivery.deliver_due()
    assert [mail.recipient for mail in server.mails] == ["r0@outside.example", "r1@outside.example"]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL answers before the disk does")
def test_only_the_outcome_of_a_mail_that_has_left_does_not_wait_for_the_disk(enqueue):
    def waits() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            return cursor.fetchone()[0]

    enqueue()
    [claim] = claims.claim()
    seen = []

    def watched(execute, sql, params, many, context):
        seen.append("set_config" in sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watched):
        assert claims.mark_sending(claim.mail)
        assert claims.write_sent(claim.mail, "250 OK")
    assert seen == [False, True]
    assert waits() == "on", "for that statement alone"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL plans by statistics")
def test_however_much_waits_a_claim_reads_no_more_than_it_takes(enqueue, organization):
    """Just after many mails were inserted: PostgreSQL has not counted them yet."""
    like = enqueue("r@outside.example")
    about = uuid7s(3000)
    keys = [f"probe:{row}" for row in about]
    outbox.enqueue_like(like, about=about, to_address=["r@outside.example"] * len(about), dedupe_key=keys)
    plans = []

    def explained(execute, sql, params, many, context):
        if "SKIP LOCKED" in sql:
            execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params, many, context)
            plans.append(json.dumps(context["cursor"].fetchone()[0]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        assert len(claims.claim(8)) == 8
    [plan] = plans
    assert "outgoing_mail_pending" in plan
    assert '"Node Type": "Sort"' not in plan

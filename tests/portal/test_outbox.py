"""Mail that is to leave: inserted with what it is about, claimed under lease, sent once, taken back in time."""

import logging
import time
from datetime import timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from celery import Celery, current_app
from django.db import IntegrityError, transaction

from portal import claims, connections, delivery, moments, outbox, verdicts
from portal.ids import uuid7
from portal.models import OutgoingMail
from portal.outbox import State
from tests.smtp_server import SILENCE

from .conftest import age, deliver_again, render

pytestmark = pytest.mark.django_db


# --- Putting in ---------------------------------------------------------------------------------------------


@pytest.fixture
def broker(settings):
    """broker(url): the broker is there from now on, reached as settings say for Redis."""
    ours = current_app._get_current_object()

    def move(url: str) -> Celery:
        app = Celery("elsewhere", broker=url, set_as_current=True)
        app.conf.broker_transport_options = settings.REDIS_TRANSPORT_OPTIONS
        return app

    yield move
    ours.set_current()


def test_it_wakes_a_worker_after_the_commit_only(enqueue, broker, django_capture_on_commit_callbacks):
    with broker("memory://").connection_for_read() as connection:
        calls = connection.SimpleQueue("celery")
        with django_capture_on_commit_callbacks(execute=True):
            enqueue()
            assert calls.qsize() == 0
        assert calls.get(timeout=1).headers["task"] == "portal.tasks.deliver_due_mail"


def test_a_rolled_back_transaction_leaves_no_mail(enqueue):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue()
        raise ZeroDivisionError
    assert not OutgoingMail.objects.exists()


def test_the_same_dedupe_key_is_one_mail(enqueue):
    about = uuid7()
    enqueue(about=about)
    enqueue(about=about)
    assert OutgoingMail.objects.count() == 1


def test_many_mails_are_one_insert(organization, django_assert_max_num_queries):
    mails = [
        outbox.new_mail(
            organization=organization,
            kind="probe",
            about=uuid7(),
            to_address=f"r{n}@outside.example",
            dedupe_key=f"probe:{n}",
            due_at=moments.now(),
        )
        for n in range(500)
    ]
    # SQLite's variables make it several; none per mail.
    with django_assert_max_num_queries(20):
        outbox.enqueue(mails)
    assert OutgoingMail.objects.count() == 500


def test_a_broker_that_refuses_costs_nothing(broker, caplog):
    broker("redis://127.0.0.1:1/0")
    assert_wake_up_is_quick(caplog)


def test_a_broker_that_never_answers_costs_half_a_second(broker, caplog, server):
    server.script["GREETING"] = SILENCE
    broker(f"redis://127.0.0.1:{server.port}/0")
    assert_wake_up_is_quick(caplog)


def assert_wake_up_is_quick(caplog) -> None:
    outbox.wake_up()  # the first one also imports the transport
    started = time.monotonic()
    outbox.wake_up()
    assert time.monotonic() - started < 0.5
    assert "took no wake-up call" in caplog.text


# --- Sending ------------------------------------------------------------------------------------------------


def test_it_sends(enqueue, smtp):
    mail = enqueue()
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.server_reply, mail.attempts) == (State.SENT, "250 OK", 1)
    assert mail.finished_at is not None and mail.lease_until is None
    [message] = smtp.messages
    assert message.rcpt == ["first@outside.example"]
    assert message["To"] == "first@outside.example"
    assert message["Subject"] == "Grüße"
    assert message.get_content().splitlines() == [
        f"About {mail.about}",
        ".a line that begins with a dot",
        "and ünïcode",
    ]
    assert message["Message-ID"] == mail.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(message["Date"]) == mail.date.replace(microsecond=0)


def test_message_ids_stand_in_the_portals_own_mail_domain(enqueue, settings):
    settings.DEFAULT_FROM_EMAIL = "Portal <no-reply@portal.example>"
    assert enqueue().message_id.endswith("@portal.example>")


def test_many_mails_of_which_one_is_there_already_are_an_error(organization):
    mail = a_mail(organization)
    outbox.enqueue([mail])
    with pytest.raises(IntegrityError), transaction.atomic():
        outbox.enqueue_like(
            mail, about=[mail.about] * 2, to_address=[mail.to_address] * 2, dedupe_key=["new", mail.dedupe_key]
        )
    assert OutgoingMail.objects.count() == 1


def a_mail(organization) -> OutgoingMail:
    return outbox.new_mail(
        organization=organization,
        kind="k",
        about=uuid7(),
        to_address="a@x.example",
        dedupe_key="k",
        due_at=moments.now(),
    )


def test_no_two_mails_have_the_same_message_id(organization):
    mail = a_mail(organization)
    outbox.enqueue([mail])
    keys = [f"k{number}" for number in range(10)]
    outbox.enqueue_like(mail, about=[mail.about] * 10, to_address=[mail.to_address] * 10, dedupe_key=keys)
    assert len(set(OutgoingMail.objects.values_list("message_id", flat=True))) == 11


def test_sent_mail_is_not_sent_again(enqueue, smtp):
    enqueue()
    assert [delivery.deliver_due(), delivery.deliver_due()] == [1, 0]
    assert len(smtp.messages) == 1


def test_an_address_that_is_not_ascii_needs_a_server_that_takes_it(enqueue, server):
    mail = enqueue("jürgen@outside.example")
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.FAILED
    server.extensions = ["SMTPUTF8", "8BITMIME"]
    connections.close_idle(everything=True)  # what a server offers it says at the beginning
    enqueue("jürgen@outside.example")
    assert delivery.deliver_due() == 1
    assert [taken.recipient for taken in server.mails] == ["jürgen@outside.example"]


def test_mail_waits_until_it_is_due_and_the_longest_due_goes_first(enqueue, server):
    enqueue("later@outside.example", due_at=moments.now() + timedelta(hours=1))
    enqueue("second@outside.example", due_at=moments.now() - timedelta(minutes=1))
    enqueue("first@outside.example", due_at=moments.now() - timedelta(minutes=2))
    assert delivery.deliver_due() == 2
    assert [mail.recipient for mail in server.mails] == ["first@outside.example", "second@outside.example"]


def test_mail_nobody_wants_any_more_is_cancelled(enqueue, smtp):
    outbox.register("probe", lambda mail: None)
    mail = enqueue()
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert mail.state == State.CANCELLED
    assert not smtp.messages


def test_mail_past_its_time_is_cancelled(enqueue, smtp):
    mail = enqueue(not_after=moments.now() - timedelta(milliseconds=5))
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.CANCELLED
    assert not smtp.messages


def test_limit_and_time_are_kept(enqueue, server):
    for _ in range(3):
        enqueue()
    assert delivery.deliver_due(limit=1) == 1
    assert delivery.deliver_due(seconds=0) == 1
    assert delivery.deliver_due() == 1


# --- Giving up --------------------------------------------------------------------------------------------------


def test_the_delay_grows_to_an_hour(enqueue):
    delays = [verdicts._delay(attempts) for attempts in range(1, 101)]
    for attempts, delay in enumerate(delays, 1):
        longest = min(15 * 2 ** (attempts - 1), 3600)
        assert timedelta(seconds=longest / 2) <= delay <= timedelta(seconds=longest)


def test_after_48_hours_it_is_given_up(enqueue, server):
    told = []
    outbox.register("probe", render, failed=told.append)
    mail = enqueue()
    server.script["RCPT"] = "450 still full"
    delivery.deliver_due()
    age(mail, first_tried_at=timedelta(hours=47))
    assert deliver_again(mail) == 0
    age(mail, first_tried_at=timedelta(hours=48))
    assert deliver_again(mail) == 1
    mail.refresh_from_db()
    assert (mail.state, mail.server_reply) == (State.FAILED, "450 still full")
    assert len(told) == 1


def test_being_unable_to_tell_somebody_does_not_bring_a_failed_mail_back(enqueue, server, caplog):
    def failing(mail: OutgoingMail) -> None:
        raise ValueError("nobody there")

    outbox.register("probe", render, failed=failing)
    mail = enqueue()
    server.script["RCPT"] = "550 no such user"
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert mail.state == State.FAILED
    assert "Nobody could be told" in caplog.text


def test_a_mail_that_cannot_be_written_lets_the_others_pass(enqueue, smtp, caplog):
    def render_some(mail: OutgoingMail) -> EmailMessage:
        if mail.to_address.startswith("poison"):
            raise KeyError("no such thing")
        return render(mail)

    outbox.register("probe", render_some)
    poison = enqueue("poison@outside.example", due_at=moments.now() - timedelta(hours=1))
    enqueue()
    with caplog.at_level(logging.ERROR):
        assert delivery.deliver_due() == 1
    assert len(smtp.messages) == 1
    poison.refresh_from_db()
    assert (poison.state, poison.attempts) == (State.DUE, 1)
    assert str(poison.id) in caplog.text
    age(poison, first_tried_at=timedelta(hours=48))
    assert deliver_again(poison) == 1
    poison.refresh_from_db()
    assert poison.state == State.FAILED


def test_a_kind_this_worker_does_not_know_waits_for_one_that_does(enqueue, smtp):
    mail = enqueue(kind="from_a_newer_release")
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.DUE


# --- Workers that are lost or overtaken ------------------------------------------------------------------------


def claimed(mail: OutgoingMail) -> OutgoingMail:
    """What a worker that was killed right after its claim leaves behind, its lease run out."""
    [claim] = claims.claim()
    assert claim.mail.pk == mail.pk
    return claim.mail


def test_a_leased_mail_is_left_alone_until_the_lease_runs_out(enqueue, smtp):
    mail = enqueue()
    claimed(mail)
    assert delivery.deliver_due() == 0
    age(mail, lease_until=timedelta(seconds=1))
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.fence, mail.attempts) == (State.SENT, 2, 2)


def test_a_worker_lost_while_sending_leaves_an_ambiguous_mail(enqueue, smtp):
    mail = enqueue()
    assert claims.mark_sending(claimed(mail))
    assert delivery.deliver_due() == 0
    age(mail, lease_until=timedelta(seconds=1))
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert mail.state == State.SENT
    assert mail.ambiguous_at is not None


def test_a_mail_that_loses_its_worker_twice_while_sending_is_given_up(enqueue, smtp):
    mail = enqueue()
    for _ in range(2):
        assert claims.mark_sending(claimed(mail))
        age(mail, lease_until=timedelta(seconds=1))
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert mail.state == State.FAILED
    assert not smtp.messages


def test_a_mail_that_takes_its_worker_down_each_time_is_given_up(enqueue, smtp):
    mail = enqueue()
    OutgoingMail.objects.filter(pk=mail.pk).update(attempts=delivery.MOST_ATTEMPTS)
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert mail.state == State.FAILED
    assert not smtp.messages


# --- Taking back ------------------------------------------------------------------------------------------------


def test_cancel_takes_back_what_has_not_left(enqueue, smtp):
    about = uuid7()
    for state in ("due", "leased", "sending", "ambiguous", "sent"):
        mail = enqueue(f"{state}@outside.example", about=about, dedupe_key=state)
        finished_at = moments.now() if state == "sent" else None
        OutgoingMail.objects.filter(pk=mail.pk).update(state=state, finished_at=finished_at)
    age(OutgoingMail.objects.get(state="ambiguous"), ambiguous_at=timedelta(seconds=9))
    elsewhere = enqueue()
    cancellation = outbox.cancel(OutgoingMail.objects.filter(about=about))
    assert cancellation == outbox.Cancellation(cancelled=2, already_leaving=2)
    states = dict(OutgoingMail.objects.filter(about=about).values_list("dedupe_key", "state"))
    assert states == {
        "due": State.CANCELLED,
        "leased": State.CANCELLED,
        "sending": State.SENDING,
        "ambiguous": State.CANCELLED,
        "sent": State.SENT,
    }
    assert OutgoingMail.objects.get(pk=elsewhere.pk).state == State.DUE


def test_a_recall_that_is_rolled_back_takes_nothing_back(enqueue, smtp):
    mail = enqueue()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.cancel(OutgoingMail.objects.filter(pk=mail.pk))
        raise ZeroDivisionError
    assert delivery.deliver_due() == 1


def test_what_was_taken_back_cannot_be_marked_sending(enqueue):
    mail = claimed(enqueue())
    outbox.cancel(OutgoingMail.objects.filter(pk=mail.pk))
    assert not claims.mark_sending(mail)

"""Reminders: who gets one, when, and what stops it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential, User
from messaging import access, expiry, receipts, reminders
from messaging.models import MailboxEntry, Message
from messaging.recall import recall_message
from portal import delivery, outbox
from portal.models import OutgoingMail

from .conftest import BODY, SUBJECT, copy_of


def wait(message: Message, **time) -> None:
    """Let the time pass for this message."""
    passed = timedelta(**time)
    Message.objects.filter(id=message.id).update(
        sent_at=F("sent_at") - passed, expires_at=F("expires_at") - passed, reminded_at=F("reminded_at") - passed
    )


def reminders_of(message: Message) -> list[OutgoingMail]:
    ids = MailboxEntry.objects.filter(message=message).values_list("id", flat=True)
    return list(OutgoingMail.objects.filter(kind="reminder", about__in=list(ids)).order_by("id"))


@pytest.fixture
def sent(sender, recipient, send):
    """A message that expires in 30 days, as the definition says."""
    return send(sender, to=recipient.address)


# --- When ------------------------------------------------------------------------------------------------------


def test_one_three_days_before_and_one_a_day_before(sent):
    written = {}
    for day in range(1, 31):
        wait(sent, days=1, milliseconds=1)
        if count := reminders.remind_due():
            written[day] = count
        assert reminders.remind_due() == 0
    assert written == {27: 1, 29: 1}
    assert [mail.dedupe_key.rpartition(":")[2] for mail in reminders_of(sent)] == ["3", "1"]


def test_not_a_moment_early(sent):
    wait(sent, days=27, seconds=-2)
    assert reminders.remind_due() == 0
    wait(sent, seconds=2)
    assert reminders.remind_due() == 1


@pytest.mark.parametrize(
    "setting, due", [("", []), ("5", [25]), ("1,2", [28, 29]), (" 7 , 7 ", [23]), ("0", []), ("40", [])]
)
def test_the_organisation_says_when(setting, due, organization, sent):
    organization.reminder_days = setting
    organization.save()
    written = []
    for day in range(1, 31):
        wait(sent, days=1, milliseconds=1)
        written += [day] * reminders.remind_due()
    assert written == due


def test_after_a_long_stop_of_the_clock_one_leaves_not_all(sent):
    wait(sent, days=29, hours=12)
    assert reminders.remind_due() == 1
    assert reminders_of(sent)[0].dedupe_key.endswith(":1")
    assert reminders.remind_due() == 0


def test_none_of_a_message_that_was_announced_later_than_that(sender, recipient, send):
    soon = send(sender, to=recipient.address, expires_at=timezone.now() + timedelta(days=2))
    assert reminders.remind_due() == 0
    wait(soon, days=1, milliseconds=1)
    assert reminders.remind_due() == 1
    shorter = send(sender, to=recipient.address, expires_at=timezone.now() + timedelta(hours=20))
    wait(shorter, hours=10)
    assert reminders.remind_due() == 0


def test_an_extended_expiry_is_reminded_of_again(sender, sent):
    wait(sent, days=28)
    assert reminders.remind_due() == 1
    sent.refresh_from_db()
    expiry.extend_expiry(actor=sender, message=sent, until=sent.expires_at + timedelta(days=20))
    assert reminders.remind_due() == 0
    wait(sent, days=20)
    assert reminders.remind_due() == 1
    assert len(reminders_of(sent)) == 2


# --- Who ---------------------------------------------------------------------------------------------------------


def test_those_who_have_not_opened_it(sender, recipient, second_recipient, colleague, send):
    message = send(sender, to=f"{recipient.address}, {second_recipient.address}", bcc=colleague.address)
    entry = access.openable_entry(recipient, copy_of(message, recipient).id)
    receipts.record_opening(actor=recipient, entry=entry)
    wait(message, days=28)
    assert reminders.remind_due() == 2
    assert {mail.to_address for mail in reminders_of(message)} == {second_recipient.address, colleague.address}


@pytest.mark.parametrize("why", ["removed", "marked read", "disabled", "logon not allowed", "does not want them"])
def test_nobody_who_could_do_nothing_with_it(why, sent, recipient):
    changes = {
        "disabled": {"disabled_at": timezone.now()},
        "logon not allowed": {"allow_logon": False},
        "does not want them": {"wants_reminders": False},
    }
    if why in changes:
        User.objects.filter(id=recipient.id).update(**changes[why])
    elif why == "removed":
        MailboxEntry.objects.filter(owner=recipient).update(removed_at=timezone.now(), wrapped_key=None)
    else:
        MailboxEntry.objects.filter(owner=recipient).update(read_at=timezone.now())
    wait(sent, days=28)
    assert reminders.remind_due() == 0


@pytest.mark.parametrize("why", ["recalled", "expired", "purged", "draft"])
def test_none_of_a_message_nobody_can_open(why, sender, sent, write):
    wait(sent, days=28)
    if why == "recalled":
        recall_message(actor=sender, message=sent)
    elif why == "expired":
        expiry.expire_now(actor=sender, message=sent)
    elif why == "purged":
        Message.objects.update(purged_at=timezone.now())
    else:
        Message.objects.update(sent_at=None)
    assert reminders.remind_due() == 0


def test_whoever_never_set_a_password_gets_a_new_temporary_one_if_the_last_ran_out(sender, send):
    message = send(sender, to="newcomer@outside.example")
    wait(message, days=27, milliseconds=1)
    assert reminders.remind_due() == 1
    assert Credential.objects.count() == 1  # the first one still lasts
    Credential.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    wait(message, days=2)
    assert reminders.remind_due() == 1
    newest = Credential.objects.get(withdrawn_at__isnull=True)
    mail = OutgoingMail.objects.get(kind="password_notification", about=newest.id)
    assert mail.to_address == "newcomer@outside.example"


# --- What it says ------------------------------------------------------------------------------------------------


def test_it_arrives_with_one_link_and_neither_subject_nor_body(sent, recipient, smtp):
    delivery.deliver_due()
    wait(sent, days=28)
    reminders.remind_due()
    delivery.deliver_due()
    arrived = smtp.messages[-1]
    link = settings.BASE_URL + reverse("log_in_to_message", args=["north", copy_of(sent, recipient).id])
    for kind in ("plain", "html"):
        part = arrived.get_body((kind,)).get_content()
        assert part.count("http://") == 1
        assert link in part
        assert "You have not opened it yet." in part
        assert "It can be read until" in part
    for secret in (SUBJECT, BODY):
        assert secret not in arrived.as_string()
    assert arrived["Subject"] == "North Clinic: Secure Messaging Reminder"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert len(smtp.messages) == 2


@pytest.mark.parametrize("what", ["read", "recalled", "expired", "removed", "disabled"])
def test_it_does_not_leave_when_it_is_not_wanted_any_more(what, sent, sender, recipient, smtp):
    delivery.deliver_due()
    wait(sent, days=28)
    reminders.remind_due()
    if what == "read":
        entry = access.openable_entry(recipient, copy_of(sent, recipient).id)
        receipts.record_opening(actor=recipient, entry=entry)
    elif what == "recalled":
        recall_message(actor=sender, message=sent)
        assert OutgoingMail.objects.get(kind="reminder").state == "cancelled"
    elif what == "expired":
        expiry.expire_now(actor=sender, message=sent)
        mail = OutgoingMail.objects.get(kind="reminder")
        assert mail.not_after <= timezone.now()
    elif what == "removed":
        MailboxEntry.objects.filter(owner=recipient).update(removed_at=timezone.now(), wrapped_key=None)
    else:
        User.objects.filter(id=recipient.id).update(disabled_at=timezone.now())
    delivery.deliver_due()
    assert len(smtp.messages) == 1
    assert OutgoingMail.objects.get(kind="reminder").state == "cancelled"


# --- Twice at once, and interrupted -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_write_each_once(sender, recipient, second_recipient, send):
    messages = [send(sender, to=f"{recipient.address}, {second_recipient.address}") for _ in range(10)]
    for message in messages:
        wait(message, days=28)
    barrier = threading.Barrier(3)

    def clock(_) -> int:
        try:
            barrier.wait()
            return reminders.remind_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        written = sum(pool.map(clock, range(3)))
    written += reminders.remind_due()
    assert written == 20
    assert OutgoingMail.objects.filter(kind="reminder").count() == 20


def test_a_kill_in_the_middle_loses_none_and_repeats_none(sender, recipient, send, monkeypatch):
    messages = [send(sender, to=recipient.address) for _ in range(3)]
    for message in messages:
        wait(message, days=28)
    enqueue, calls = outbox.enqueue, []

    def killed_at_the_second(mails) -> None:
        calls.append(mails)
        if len(calls) == 2:
            raise InterruptedError
        enqueue(mails)

    with monkeypatch.context() as broken:
        broken.setattr("messaging.reminders.outbox.enqueue", killed_at_the_second)
        with pytest.raises(InterruptedError):
            reminders.remind_due()
    assert reminders.remind_due() == 2
    assert [len(reminders_of(message)) for message in messages] == [1, 1, 1]


def test_a_message_costs_the_same_few_queries_for_1_and_for_100_recipients(sender, send, django_assert_max_num_queries):
    for count in (1, 100):
        message = send(sender, to=", ".join(f"r{n}@outside.example" for n in range(count)))
        wait(message, days=28)
        with django_assert_max_num_queries(24):
            assert reminders.remind_due() == count

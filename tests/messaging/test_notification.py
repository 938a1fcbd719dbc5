"""What a notification says, and when it is no longer wanted."""

from datetime import timedelta
from email import message_from_bytes

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts import preferences
from messaging import notifications
from messaging.models import MailboxEntry, Message, Recipient
from messaging.recall import recall_for_recipient, recall_message
from portal import delivery, envelope
from portal.letters import Letter
from portal.models import OutgoingMail

from .conftest import BODY, SUBJECT, copy_of


@pytest.fixture
def sent(sender, recipient, send):
    return send(sender, to=recipient.address)


@pytest.fixture
def mail(sent):
    return OutgoingMail.objects.get(kind="notification")


def rendered(mail: OutgoingMail) -> Letter | None:
    return notifications.prepare([mail])(mail)


def test_it_arrives_with_one_link_and_neither_subject_nor_body(sent, mail, recipient, smtp):
    delivery.deliver_due()
    (arrived,) = smtp.messages
    text = arrived.get_body(("plain",)).get_content()
    html = arrived.get_body(("html",)).get_content()
    link = settings.BASE_URL + reverse("log_in_to_message", args=["north", copy_of(sent, recipient).id])
    for part in (text, html):
        assert part.count("http://") == 1
        assert link in part
        assert "sender@north.example" in part
        assert "North Clinic" in part
        assert "It can be read until" in part
    for secret in (SUBJECT, BODY, "<img"):
        assert secret not in arrived.as_string()
    assert arrived["Subject"] == "North Clinic: Secure Messaging Notification"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["Message-ID"] == mail.message_id
    assert arrived["To"] == recipient.address
    assert arrived["Reply-To"] is None
    assert arrived.rcpt == [recipient.address]
    mail.refresh_from_db()
    assert mail.state == "sent"


def test_answers_go_where_the_organisation_says(sent, mail, organization):
    organization.reply_to = "reception@north.example"
    organization.save()
    assert rendered(mail).reply_to == "reception@north.example"


def test_a_senders_name_cannot_add_headers_or_markup(sent, mail, sender):
    sender.name = "Evil\r\nBcc: spy@evil.example <script>"
    sender.save()
    raw = envelope.dressed(rendered(mail), mail)
    assert message_from_bytes(raw)["Bcc"] is None
    assert "<script>" not in rendered(mail).html


@pytest.mark.parametrize("reason", ["recalled", "expired", "removed", "disabled", "logon not allowed"])
def test_it_is_not_wanted_any_more(reason, sent, mail, sender, recipient):
    if reason == "recalled":
        recall_message(actor=sender, message=sent)
    elif reason == "expired":
        Message.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif reason == "removed":
        MailboxEntry.objects.filter(owner=recipient).update(removed_at=timezone.now(), wrapped_key=None)
    elif reason == "disabled":
        recipient.disabled_at = timezone.now()
        recipient.save()
    else:
        recipient.allow_logon = False
        recipient.save()
    assert rendered(mail) is None


def test_it_is_wanted_though_the_clock_was_set_back_since_it_was_due(sent, mail):
    """Its copy became visible when it was due; by the database's clock, that is a moment still to come."""
    mail.due_at = timezone.now() + timedelta(seconds=20)
    MailboxEntry.objects.update(visible_at=mail.due_at)
    assert rendered(mail) is not None
    MailboxEntry.objects.update(visible_at=mail.due_at + timedelta(seconds=1))
    assert rendered(mail) is None


def test_a_recall_stops_what_has_not_left(sent, mail, sender, smtp):
    recall_message(actor=sender, message=sent)
    delivery.deliver_due()
    assert smtp.messages == []


def test_nobody_is_told_of_a_failure_at_somebody_it_was_recalled_for(sent, mail, sender, smtp):
    recall_for_recipient(actor=sender, recipient=Recipient.objects.get())
    notifications.tell_senders(mail)
    assert not OutgoingMail.objects.filter(kind="notification_failed").exists()


def test_what_tells_of_a_failure_is_not_wanted_after_a_recall_for_one(sent, mail, sender):
    notifications.tell_senders(mail)
    told = OutgoingMail.objects.get(kind="notification_failed")
    assert notifications.render_failure(told) is not None
    recall_for_recipient(actor=sender, recipient=Recipient.objects.get())
    assert notifications.render_failure(told) is None


def test_it_carries_the_phrase_only_its_reader_chose_and_says_how_to_check(sent, mail, recipient):
    assert "Your phrase" not in rendered(mail).text + rendered(mail).html
    preferences.change(
        recipient, phrase="blue heron", **{name: getattr(recipient, name) for name in preferences.FIELDS}
    )
    for text in (rendered(mail).text, rendered(mail).html):
        assert "blue heron" in text
        assert "Send me my link" in text


def test_of_many_each_has_its_own_link_and_phrase_and_none_costs_a_query(
    sender, recipient, second_recipient, send, django_assert_num_queries
):
    preferences.change(
        recipient, phrase="blue heron", **{name: getattr(recipient, name) for name in preferences.FIELDS}
    )
    sent = [send(sender, to=f"{recipient.address}, {second_recipient.address}") for _ in range(2)]
    mails = list(OutgoingMail.objects.filter(kind="notification"))
    render = notifications.prepare(mails)
    letters = {mails[0].about: render(mails[0])}
    with django_assert_num_queries(0):
        letters |= {mail.about: render(mail) for mail in mails[1:]}
    for message in sent:
        for person in (recipient, second_recipient):
            letter = letters[copy_of(message, person).id]
            link = settings.BASE_URL + reverse("log_in_to_message", args=["north", copy_of(message, person).id])
            assert letter.text.count("http://") == letter.html.count("http://") == 1
            assert link in letter.text and link in letter.html
            assert ("blue heron" in letter.text) == ("blue heron" in letter.html) == (person == recipient)

"""Resend a notification; send a message to another address."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential, Domain
from messaging import access, expiry, resending, sending, undo
from messaging.models import Message, Recipient, RecipientUse
from messaging.recall import recall_for_recipient, recall_message
from portal import delivery, erased
from portal.models import AuditEvent, OutgoingMail

from .conftest import SUBJECT, copy_of


@pytest.fixture
def sent(sender, recipient, send):
    return send(sender, to=recipient.address)


@pytest.fixture
def resend(sent, sender):
    return reverse("resend", args=[copy_of(sent, sender).id, Recipient.objects.get(message=sent).id])


@pytest.fixture
def another(sent, sender):
    return reverse("send_to_another", args=[copy_of(sent, sender).id])


def finish(state="failed", **fields):
    OutgoingMail.objects.update(state=state, finished_at=timezone.now(), **fields)


def test_a_failed_notification_is_sent_again(resend, sender, recipient, log_in, smtp):
    finish(server_reply="550 No such user")
    client = log_in(sender)
    page = client.post(resend, follow=True)
    assert "is being notified again" in page.text
    delivery.deliver_due()
    assert [mail["To"] for mail in smtp.messages] == [recipient.address]
    assert Recipient.objects.get().notification.state == "sent"
    client.post(resend)
    assert OutgoingMail.objects.count() == 3


@pytest.mark.parametrize(("age", "mails"), [(timedelta(), []), (timedelta(hours=73), ["new@unheard.example"])])
def test_a_newcomer_gets_a_fresh_temporary_password_once_the_last_has_run_out(age, mails, sender, send, log_in):
    sent = send(sender, to="new@unheard.example")
    finish("sent")
    Credential.objects.update(expires_at=F("expires_at") - age)
    log_in(sender).post(reverse("resend", args=[copy_of(sent, sender).id, sent.recipients.get().id]))
    fresh = OutgoingMail.objects.filter(kind="password_notification", state="due")
    assert list(fresh.values_list("to_address", flat=True)) == mails


def test_no_more_often_in_an_hour_than_the_organisation_allows(resend, organization, sender, log_in):
    organization.hourly_notifications = 2
    organization.save()
    client = log_in(sender)
    for said in ("is being notified again", "as often as your organisation allows"):
        finish("sent")
        assert said in client.post(resend, follow=True).text
    assert OutgoingMail.objects.count() == 2
    OutgoingMail.objects.update(finished_at=timezone.now() - timedelta(hours=1))
    assert "is being notified again" in client.post(resend, follow=True).text
    organization.hourly_notifications = 0
    organization.save()
    finish("sent")
    assert "is being notified again" in client.post(resend, follow=True).text


def test_nobody_gets_what_became_a_draft_meanwhile(organization, sender, recipient, colleague, write):
    """Looked up in one window, undone in another, then sent to somebody."""
    organization.undo_seconds = 60
    organization.save()
    sender.refresh_from_db()
    sent = sending.send_draft(actor=sender, entry=write(sender, to=recipient.address))
    looked_up = access.sent_entry(sender, sent.id)
    undo.undo_sending(actor=sender, entry=access.sent_entry(sender, sent.id))
    with pytest.raises(resending.NotResent, match="undone"):
        resending.send_to_another(actor=sender, entry=looked_up, typed=colleague.address)
    with pytest.raises(expiry.NotExtended, match="undone"):
        until = timezone.now() + timedelta(days=2)
        expiry.extend_expiry(actor=sender, message=looked_up.message, until=until)


def test_not_while_the_last_one_is_on_its_way(resend, sender, log_in):
    page = log_in(sender).post(resend, follow=True)
    assert "still on its way" in page.text
    assert OutgoingMail.objects.count() == 1


def test_not_after_a_recall(resend, sent, sender, log_in):
    finish("sent")
    recall_message(actor=sender, message=sent)
    assert "has been recalled" in log_in(sender).post(resend, follow=True).text
    assert OutgoingMail.objects.count() == 1


def test_it_is_offered_until_the_message_expires(resend, sent, sender, log_in):
    finish("sent")
    client, page = log_in(sender), reverse("message", args=[copy_of(sent, sender).id])
    assert resend in client.get(page).text
    Message.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert resend not in client.get(page).text
    assert "has expired" in client.post(resend, follow=True).text


def test_another_address_gets_the_message(another, sent, sender, log_in):
    page = log_in(sender).post(another, {"address": "Right Person <right@outside.example>"}, follow=True)
    assert "Sent to right@outside.example too. “Recall for this recipient” takes it back." in page.text
    added = Recipient.objects.get(address="right@outside.example")
    assert log_in(added.user).get(reverse("message", args=[added.entry.id])).context["subject"] == SUBJECT
    assert set(OutgoingMail.objects.filter(to_address=added.address).values_list("kind", flat=True)) == {
        "notification",
        "password_notification",
    }
    assert RecipientUse.objects.filter(sender=sender, address=added.address).exists()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "Write one address."),
        ("nonsense", "is not an email address"),
        ("a@outside.example, b@outside.example", "Write one address."),
        ("first@outside.example", "is a recipient of this message already"),
        (f"0@{erased.DOMAIN}", "is nobody&#x27;s address"),
    ],
)
def test_what_cannot_be_is_said(address, said, another, sender, log_in):
    page = log_in(sender).post(another, {"address": address})
    assert page.status_code == 422
    assert page.context["subject"] == SUBJECT
    field = page.context["another"]["address"]
    assert said in str(field.errors)
    assert field.value() == address
    details = page.text.partition("<details open>")[2].partition("</details>")[0]
    assert "Send to another address" in details
    assert 'aria-invalid="true"' in details
    assert f'aria-describedby="{field.auto_id}_error"' in details
    assert Recipient.objects.count() == 1


def test_a_second_press_is_told_what_the_first_did(another, sent, sender, second_recipient, log_in):
    client = log_in(sender)
    for address in ("new@elsewhere.example", f"Second <{second_recipient.address}>"):
        for _press in range(2):
            page = client.post(another, {"address": address}, follow=True)
            assert "too. “Recall for this recipient” takes it back." in page.text
            assert "already" not in page.text
    assert Recipient.objects.count() == 3
    assert AuditEvent.objects.filter(action="message.sent_to_another").count() == 2


def test_who_had_it_taken_back_does_not_get_it_again(another, sender, second_recipient, log_in):
    client = log_in(sender)
    client.post(another, {"address": second_recipient.address})
    recall_for_recipient(actor=sender, recipient=Recipient.objects.get(user=second_recipient))
    page = client.post(another, {"address": second_recipient.address})
    assert "is a recipient of this message already" in page.text


def test_the_address_of_a_question_or_refusal_leads_to_the_message(another, sent, sender, log_in):
    assert log_in(sender).get(another)["Location"] == reverse("message", args=[copy_of(sent, sender).id])


def test_who_takes_a_second_look_can_mend_it(another, sender, log_in):
    page = log_in(sender).post(another, {"address": "b@0utside.example", "cancel": "yes"})
    assert page.status_code == 200
    assert page.context["another"]["address"].value() == "b@0utside.example"
    assert "<details open>" in page.text
    assert Recipient.objects.count() == 1


def test_an_address_worth_a_second_look_is_asked_about(another, sender, log_in):
    client = log_in(sender)
    page = client.post(another, {"address": "b@0utside.example"})
    assert page.status_code == 422
    assert SUBJECT in page.text
    assert "0utside.example looks like outside.example" in page.text
    client.post(another, {"address": "b@unheard.example", "seen": page.context["cautions"]})
    assert Recipient.objects.count() == 1
    assert not Domain.objects.filter(name__in=["0utside.example", "unheard.example"]).exists()
    client.post(another, {"address": page.context["address"], "seen": page.context["cautions"]})
    assert Recipient.objects.filter(address="b@0utside.example").exists()


def test_not_what_is_gone(another, sender, log_in):
    Message.objects.update(expires_at=timezone.now())
    assert "has expired" in log_in(sender).post(another, {"address": "x@outside.example"}, follow=True).text
    assert Recipient.objects.count() == 1


def test_only_licensed_authors_may(sender, recipient, send, log_in):
    reply = send(recipient, to=sender.address)
    url = reverse("send_to_another", args=[copy_of(reply, recipient).id])
    page = log_in(recipient).post(url, {"address": "x@outside.example"}, follow=True)
    assert "cannot send this message to others" in page.text
    assert Recipient.objects.count() == 1


def test_they_check_ownership(another, resend, recipient, stranger, colleague, log_in):
    for person in (recipient, stranger, colleague):
        client = log_in(person)
        assert client.post(resend).status_code == 404
        assert client.post(another, {"address": "x@outside.example"}).status_code == 404

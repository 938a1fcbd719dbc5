from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential, PortalSession
from messaging import access, drafts, sending, undo
from messaging.models import Definition, MailboxEntry, Message, Recipient
from messaging.recall import recall_message
from messaging.replies import Answer
from portal import delivery
from portal.ids import uuid7
from portal.models import AuditEvent, OutgoingMail

from .conftest import BODY, SUBJECT, copy_of, send_confirmed


@pytest.fixture
def organization(organization):
    organization.undo_seconds = 10
    organization.save()
    return organization


@pytest.fixture
def form(recipient):
    return {"to": recipient.address, "subject": SUBJECT, "body": BODY, "action": "send"}


def send(client, form):
    url = reverse("draft", args=[uuid7()])
    send_confirmed(client, url, form)
    return client.get(reverse("sent")), Message.objects.latest("id")


def press_undo(client, page):
    offered = page.context["undo"]
    return client.post(offered["url"], {"entry": offered["entries"]}, follow=True)


def age(message, seconds: float) -> None:
    MailboxEntry.objects.filter(message=message, kind="received").update(
        visible_at=timezone.now() - timedelta(seconds=seconds)
    )


def test_the_seconds_offered_are_those_left(sender, log_in, form):
    client = log_in(sender)
    _page, message = send(client, form)
    age(message, -4.5)
    offered = client.get(reverse("sent")).context["undo"]
    assert offered["seconds"] == 5
    assert 3000 < offered["milliseconds"] <= 4500


def test_every_window_offers_it_until_then(sender, log_in, form):
    client = log_in(sender)
    send_confirmed(client, reverse("draft", args=[uuid7()]), form)
    assert client.get(reverse("inbox")).context["undo"]
    assert client.get(reverse("search")).context["undo"]
    assert client.get(reverse("sent")).context["undo"]
    age(Message.objects.get(), 0)
    page = client.get(reverse("sent"))
    assert page.context["undo"] is None
    assert "Sent securely" not in page.text


def test_a_page_that_comes_too_late_says_only_that_it_was_sent(sender, log_in, form):
    client = log_in(sender)
    send_confirmed(client, reverse("draft", args=[uuid7()]), form)
    age(Message.objects.get(), 0)
    page = client.get(reverse("sent"))
    assert page.context["undo"] is None
    assert "Sent securely to 1 recipient." in page.text
    assert "Sent securely" not in client.get(reverse("sent")).text


def test_once_used_it_is_offered_no_more(sender, log_in, form):
    client = log_in(sender)
    page, _message = send(client, form)
    press_undo(client, page)
    page = client.get(reverse("drafts"))
    assert page.context["undo"] is None
    assert "Sent securely" not in page.text
    assert "undo" not in client.session


def test_nor_after_a_recall(sender, log_in, form):
    client = log_in(sender)
    _page, message = send(client, form)
    recall_message(actor=sender, message=message)
    assert client.get(reverse("sent")).context["undo"] is None


def test_offering_it_again_writes_nothing(sender, log_in, form):
    client = log_in(sender)
    send(client, form)
    before = PortalSession.objects.get().session_data
    client.get(reverse("sent"))
    assert PortalSession.objects.get().session_data == before


def test_until_the_time_is_over_nobody_sees_it_and_no_mail_leaves(sender, recipient, log_in, form, smtp):
    page, message = send(log_in(sender), form)
    assert "Undo" in page.text
    client = log_in(recipient)
    assert SUBJECT not in client.get("/inbox/").text
    assert client.get(reverse("message", args=[copy_of(message, recipient).id])).status_code == 404
    delivery.deliver_due()
    assert smtp.messages == []
    age(message, 0.1)
    assert SUBJECT in client.get("/inbox/").text


def test_undoing_gives_the_draft_back(sender, recipient, log_in, form, smtp):
    client = log_in(sender)
    page, message = send(client, form | {"bcc": "hidden@outside.example"})
    page = press_undo(client, page)
    assert "Taken back." in page.text
    assert BODY in page.text
    assert "hidden@outside.example" in page.text
    message.refresh_from_db()
    assert (message.sent_at, message.expires_at) == (None, None)
    assert not Recipient.objects.exists()
    assert not MailboxEntry.objects.filter(owner=recipient).exists()
    OutgoingMail.objects.update(due_at=timezone.now())
    delivery.deliver_due()
    assert smtp.messages == []
    assert AuditEvent.objects.filter(action="message.sending_undone").count() == 1


@pytest.mark.parametrize("retention_days", [20, 400])
def test_an_expiry_nobody_chose_does_not_come_back(retention_days, organization, sender, recipient, write):
    sender.organization.retention_days = organization.retention_days = retention_days
    organization.save()
    sent = sending.send_draft(actor=sender, entry=write(sender, to=recipient.address))
    assert undo.undo_sending(actor=sender, entry=access.sent_entry(sender, sent.id)).expires_at is None


@pytest.mark.parametrize(("by_definition", "wished", "back"), [(True, False, False), (False, True, True)])
def test_only_a_receipt_its_author_wished_for_comes_back(
    by_definition, wished, back, organization, sender, recipient, write
):
    definition = Definition.objects.create(
        organization=organization, description="Receipts", read_receipt=by_definition
    )
    entry = write(sender, to=recipient.address, definition=definition.id, read_receipt=wished)
    sent = sending.send_draft(actor=sender, entry=entry)
    assert sent.message.read_receipt
    assert undo.undo_sending(actor=sender, entry=access.sent_entry(sender, sent.id)).read_receipt == back


def test_it_can_be_sent_again(sender, recipient, log_in, form):
    client = log_in(sender)
    page, message = send(client, form)
    press_undo(client, page)
    client.post(reverse("draft", args=[message.id]), form)
    assert copy_of(message, recipient).wrapped_key is not None
    assert OutgoingMail.objects.get(kind="notification").state == "due"


def test_too_late_is_said_and_changes_nothing(sender, recipient, log_in, form):
    client = log_in(sender)
    page, message = send(client, form)
    age(message, 0)
    page = press_undo(client, page)
    assert "Too late to undo" in page.text
    assert copy_of(message, recipient).wrapped_key is not None


def test_a_newcomer_gets_no_temporary_password_for_it_and_a_fresh_one_the_next_time(sender, log_in, form, smtp):
    client = log_in(sender)
    page, message = send(client, form | {"to": "new@unheard.example"})
    press_undo(client, page)
    assert Credential.objects.get().withdrawn_at is not None
    assert OutgoingMail.objects.get(kind="password_notification").state == "cancelled"
    send_confirmed(client, reverse("draft", args=[message.id]), form | {"to": "new@unheard.example"})
    assert Credential.objects.filter(withdrawn_at__isnull=True).count() == 1
    assert OutgoingMail.objects.filter(kind="password_notification", state="due").count() == 1


def test_a_newcomer_with_another_message_keeps_the_temporary_password(sender, log_in, form):
    client = log_in(sender)
    send(client, form | {"to": "new@unheard.example"})
    page, _message = send(client, form | {"to": "new@unheard.example"})
    press_undo(client, page)
    assert Credential.objects.get().withdrawn_at is None
    assert OutgoingMail.objects.get(kind="password_notification").state == "due"


def test_another_message_that_was_recalled_wants_no_temporary_password(sender, log_in, form):
    client = log_in(sender)
    _page, recalled = send(client, form | {"to": "new@unheard.example"})
    page, _message = send(client, form | {"to": "new@unheard.example"})
    recall_message(actor=sender, message=recalled)
    press_undo(client, page)
    assert Credential.objects.get().withdrawn_at is not None
    assert OutgoingMail.objects.get(kind="password_notification").state == "cancelled"


def test_it_checks_ownership(sender, recipient, second_recipient, log_in, form):
    _page, message = send(log_in(sender), form)
    for entry in (copy_of(message, sender), copy_of(message, recipient)):
        for person in (second_recipient, recipient):
            assert log_in(person).post(reverse("undo_sending"), {"entry": str(entry.id)}).status_code == 404
    message.refresh_from_db()
    assert message.sent_at is not None


def test_an_organisation_may_do_without(sender, organization, log_in, form):
    organization.undo_seconds = 0
    organization.save()
    page, _message = send(log_in(sender), form)
    assert page.context["undo"] is None
    assert "Sent securely to 1 recipient." in page.text


def test_a_second_press_leads_to_the_same_draft(sender, log_in, form):
    client = log_in(sender)
    page, message = send(client, form)
    press_undo(client, page)
    again = press_undo(client, page)
    assert again.status_code == 200
    assert again.request["PATH_INFO"] == reverse("draft", args=[message.id])
    assert BODY in again.text


def test_pressed_twice_at_once_the_draft_stays_as_it_was(sender, recipient, write):
    sent = sending.send_draft(actor=sender, entry=write(sender, to=recipient.address))
    first, second = (access.sent_entry(sender, sent.id) for _ in range(2))  # both before either is done
    undo.undo_sending(actor=sender, entry=first)
    message = undo.undo_sending(actor=sender, entry=second)
    assert recipient.address in drafts.open_draft(access.draft_entry(sender, message.id)).to
    assert AuditEvent.objects.filter(action="message.sending_undone").count() == 1


@pytest.mark.parametrize("name", ["message", "recall", "extend", "expire", "reply"])
def test_a_page_from_before_it_leads_to_the_draft(name, sender, log_in, form):
    client = log_in(sender)
    page, message = send(client, form)
    sent = copy_of(message, sender)
    press_undo(client, page)
    answer = client.get(reverse(name, args=[sent.id]), follow=True)
    assert answer.redirect_chain == [(reverse("draft", args=[message.id]), 302)]
    assert "The sending of this message has been undone" in answer.text


@pytest.fixture
def reply(sender, recipient, write):
    """reply(): the recipient's answer to the same message, sent just now."""
    original = sending.send_draft(actor=sender, entry=write(sender, to=recipient.address)).message
    age(original, 0)

    def answer() -> MailboxEntry:
        answered = Answer(access.openable_entry(recipient, copy_of(original, recipient).id))
        return sending.send_draft(actor=recipient, entry=write(recipient, answer=answered))

    return answer


def test_an_answer_undone_was_never_given_an_earlier_one_was(reply, recipient):
    first = reply()
    undo.undo_sending(actor=recipient, entry=reply())
    answered = Recipient.objects.filter(user=recipient)
    assert answered.get().answered_at == first.message.sent_at
    undo.undo_sending(actor=recipient, entry=first)
    assert answered.get().answered_at is None


def test_where_the_first_answer_is_undone_the_second_is_one(reply, recipient):
    first, second = reply(), reply()
    undo.undo_sending(actor=recipient, entry=first)
    assert Recipient.objects.get(user=recipient).answered_at == second.message.sent_at


def test_the_draft_of_a_reply_names_whom_it_goes_to_by_address(reply, sender, recipient, log_in):
    sender.name = "Doe, Jane"
    sender.save()
    sent = reply()
    Recipient.objects.filter(message=sent.message).update(name="Doe, Jane")
    page = log_in(recipient).post(reverse("undo_sending"), {"entry": str(sent.id)}, follow=True)
    assert [person.address for person in page.context["fixed"]["to"]] == [sender.address]


@pytest.mark.parametrize("shown", [False, True])
def test_a_second_click_on_send_offers_the_same_way_back(shown, sender, recipient, log_in):
    client, url = log_in(sender), reverse("draft", args=[uuid7()])
    form = {"to": recipient.address, "subject": "s", "body": "b", "action": "send"}
    client.post(url, form)
    if shown:
        client.get(reverse("sent"))
    page = client.post(url, form, follow=True)
    assert "sent already" not in page.text
    assert page.context["undo"]["entries"] == [str(MailboxEntry.objects.get(owner=sender).id)]
    age(Message.objects.get(), 11)
    page = client.post(url, form, follow=True)
    assert "This message has been sent already." in page.text
    assert page.context["undo"] is None

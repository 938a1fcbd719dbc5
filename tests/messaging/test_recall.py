"""Recall takes a message back from everybody, at once, whatever they were doing with it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential
from messaging import access, expiry, folders, sealing, sending, undo
from messaging.models import Attachment, MailboxEntry, Message, Quote
from messaging.recall import AlreadyRecalled, reach, recall_for_recipient, recall_message
from messaging.replies import Answer
from messaging.views import recall as recall_view
from portal import delivery
from portal.keyring import SealBroken
from portal.models import AuditEvent, OutgoingMail

from .conftest import BODY, SUBJECT, copy_of


@pytest.fixture
def sent(sender, recipient, second_recipient, send):
    return send(sender, to=f"{recipient.address}, {second_recipient.address}")


@pytest.fixture
def address(sent, sender):
    return reverse("recall", args=[copy_of(sent, sender).id])


def read(person, message, log_in):
    client = log_in(person)
    client.get(reverse("message", args=[copy_of(message, person).id]))
    return client


def test_the_page_says_what_will_and_will_not_be_recalled(address, sent, sender, recipient, log_in):
    read(recipient, sent, log_in)
    page = log_in(sender).get(address)
    assert "Recall Message" in page.text
    assert (page.context["inboxes"], page.context["read_count"], page.context["answers"]) == (2, 1, 0)


def test_who_has_read_and_removed_it_has_read_it(address, sent, sender, recipient, log_in):
    read(recipient, sent, log_in)
    own = [copy_of(sent, recipient).id]
    folders.delete(actor=recipient, entry_ids=own)
    folders.remove(actor=recipient, entry_ids=own)
    page = log_in(sender).get(address)
    assert "1 recipient has already read it." in page.text
    assert "Nobody has read it yet." not in page.text


def test_counting_its_answers_reads_no_bodies(sent, django_assert_max_num_queries):
    with django_assert_max_num_queries(7) as queries:
        reach(sent)
    assert not [query for query in queries if '"body"' in query["sql"]]


def test_the_message_is_gone_from_inbox_and_deleted_items_read_or_not(
    address, sent, sender, recipient, second_recipient, log_in
):
    reader = read(recipient, sent, log_in)
    other = log_in(second_recipient)
    other.post(reverse("delete"), {"entry": str(copy_of(sent, second_recipient).id)})
    page = log_in(sender).post(address, follow=True)
    assert "gone from 2 mailboxes" in page.text
    assert SUBJECT not in reader.get("/inbox/").text
    assert SUBJECT not in other.get("/deleted/").text
    entry = copy_of(sent, recipient)
    for path in ("", "body/"):
        assert reader.get(reverse("message", args=[entry.id]) + path).status_code == 410
    assert reader.post(reverse("restore"), {"entry": str(entry.id)}).status_code == 302
    assert copy_of(sent, recipient).removed_at is not None


def test_no_key_is_left_but_the_authors(sent, sender, recipient):
    recall_message(actor=sender, message=sent)
    assert not MailboxEntry.objects.filter(message=sent, kind="received", wrapped_key__isnull=False).exists()
    with pytest.raises(SealBroken):
        sealing.open_message_key(copy_of(sent, recipient))
    own = copy_of(sent, sender)
    assert BODY in sealing.open_body(sent, sealing.open_message_key(own))


def test_the_author_keeps_it_marked_recalled(address, sent, sender, log_in):
    client = log_in(sender)
    client.post(address)
    assert "Recalled" in client.get("/sent/").text
    page = client.get(reverse("message", args=[copy_of(sent, sender).id]))
    assert SUBJECT in page.text
    assert "Recalled" in page.text


def test_no_notification_leaves_after_it(address, sent, sender, log_in):
    log_in(sender).post(address)
    assert set(OutgoingMail.objects.values_list("state", flat=True)) == {"cancelled"}


@pytest.fixture
def sent_to_a_newcomer(sender, recipient, send):
    """sent_to_a_newcomer(): a message to somebody who has never been here, among others."""
    return lambda: send(sender, to=f"new@unheard.example, {recipient.address}")


@pytest.mark.parametrize("is_for_one", [True, False])
@pytest.mark.parametrize("undo_seconds", [0, 60])
@pytest.mark.parametrize("state", ["due", "leased", "ambiguous"])
def test_no_temporary_password_leaves_after_it(
    is_for_one, undo_seconds, state, organization, sender, sent_to_a_newcomer, smtp
):
    sender.organization.undo_seconds = undo_seconds
    message = sent_to_a_newcomer()
    OutgoingMail.objects.filter(kind="password_notification").update(state=state)
    if is_for_one:
        recall_for_recipient(actor=sender, recipient=message.recipients.get(address="new@unheard.example"))
    else:
        recall_message(actor=sender, message=message)
    OutgoingMail.objects.update(due_at=timezone.now())
    delivery.deliver_due()
    assert not [mail for mail in smtp.messages if mail["To"] == "new@unheard.example"]
    assert Credential.objects.get().withdrawn_at is not None
    sent_to_a_newcomer()
    assert Credential.objects.filter(withdrawn_at__isnull=True).count() == 1


def test_a_temporary_password_that_is_wanted_or_has_left_stays(sender, recipient, sent_to_a_newcomer):
    first, second = sent_to_a_newcomer(), sent_to_a_newcomer()
    recall_for_recipient(actor=sender, recipient=first.recipients.get(user=recipient))
    recall_message(actor=sender, message=first)
    mail = OutgoingMail.objects.get(kind="password_notification")
    assert (mail.state, Credential.objects.get().withdrawn_at) == ("due", None)
    OutgoingMail.objects.filter(id=mail.id).update(state="sent", finished_at=timezone.now())
    recall_message(actor=sender, message=second)
    mail.refresh_from_db()
    assert (mail.state, Credential.objects.get().withdrawn_at) == ("sent", None)


def test_what_is_leaving_is_told(address, sent, sender, recipient, log_in):
    OutgoingMail.objects.filter(to_address=recipient.address).update(state="sending")
    client = log_in(sender)
    assert client.get(address).context["leaving"] == 1
    for _press in range(2):
        said = client.post(address, follow=True).text
        assert "1 notification was already on its way" in said
        OutgoingMail.objects.filter(state="sending").update(state="sent", finished_at=timezone.now())


def test_what_does_not_announce_it_is_no_notification(
    address, organization, sent, sender, recipient, second_recipient, send, log_in
):
    Message.objects.update(read_receipt=True)
    read(recipient, sent, log_in)
    OutgoingMail.objects.filter(kind="read_receipt").update(state="sending")
    client = log_in(sender)
    assert client.get(address).context["leaving"] == 0
    page = client.post(address, follow=True)
    assert "gone from 2 mailboxes" in page.text
    assert "on its way" not in page.text


def test_who_presses_twice_is_told_what_the_first_did(address, sent, sender, recipient, second_recipient, log_in):
    own = [copy_of(sent, recipient).id]
    folders.delete(actor=recipient, entry_ids=own)
    folders.remove(actor=recipient, entry_ids=own)
    client = log_in(sender)
    for _press in range(2):
        said = client.post(address, follow=True).text
        assert "Recalled. The message is gone from 1 mailbox." in said
        assert "already" not in said


def test_it_is_audited_once(address, sent, sender, log_in):
    client = log_in(sender)
    for _press in range(2):
        client.post(address)
    event = AuditEvent.objects.get(action="message.recalled")
    assert (event.about, event.details["copies"]) == (sent.id, 2)
    with pytest.raises(AlreadyRecalled):
        recall_message(actor=sender, message=sent)


def test_only_the_author_may(sent, recipient, stranger, log_in):
    for person, entry in ((recipient, copy_of(sent, recipient)), (stranger, copy_of(sent, recipient))):
        assert log_in(person).post(reverse("recall", args=[entry.id])).status_code == 404
    assert Message.objects.get(id=sent.id).recalled_at is None


def test_get_recalls_nothing(address, sent, sender, log_in):
    log_in(sender).get(address)
    assert Message.objects.get(id=sent.id).recalled_at is None


def test_an_answer_keeps_its_text_and_its_quoted_original(sent, sender, recipient, second_recipient, send, log_in):
    """A sends to B and C, B replies to all, A recalls: B's answer stays whole for all three."""
    answer = send(recipient, body="Thank you, understood.", answer=Answer(openable(recipient, sent), True))
    page = log_in(sender).get(reverse("recall", args=[copy_of(sent, sender).id]))
    assert "1 reply or forward stays as it is, with your text quoted in it." in page.text
    recall_message(actor=sender, message=sent)
    for person in (sender, recipient, second_recipient):
        body = log_in(person).get(reverse("body", args=[copy_of(answer, person).id]))
        assert "Thank you, understood." in body.text
        assert BODY in body.text


def test_a_quote_in_an_unsent_answer_goes_with_it(sent, sender, recipient, write, log_in):
    entry = write(recipient, body="Half an answer", answer=Answer(openable(recipient, sent), False))
    recall_message(actor=sender, message=sent)
    assert not Quote.objects.filter(content__isnull=False).exists()
    client = log_in(recipient)
    address = reverse("draft", args=[entry.message_id])
    assert BODY not in client.get(address).text
    response = client.post(address, {"action": "send", "subject": "Re", "body": "Still here", "body_format": "plain"})
    assert response.status_code == 422
    assert "has been recalled" in response.text
    assert "Still here" in response.text


@pytest.fixture
def passed_on(sender, recipient, colleague, second_recipient, attach, send, write):
    """The message with its file; a forward of it; a forward of that one; and an unsent one."""
    attach(b"the report itself", action="send")
    chain = [Message.objects.get()]
    for person, to in ((recipient, colleague), (colleague, second_recipient)):
        Message.objects.update(may_forward=True)
        person.is_licensed = True
        answered = Answer(openable(person, chain[-1]), is_forward=True)
        chain.append(send(person, to=to.address, answer=answered))
    Message.objects.update(may_forward=True)
    unsent = write(second_recipient, answer=Answer(openable(second_recipient, chain[-1]), is_forward=True)).message
    return [*chain, unsent]


def carried(messages) -> list[int]:
    return [Attachment.objects.filter(message=message).count() for message in messages]


def test_a_file_passed_on_and_on_stays_but_in_what_is_not_sent(passed_on, sender):
    assert carried(passed_on) == [1, 1, 1, 1]
    recall_message(actor=sender, message=passed_on[0])
    assert carried(passed_on) == [1, 1, 1, 0]
    assert set(Quote.objects.filter(content=None).values_list("message", "source")) == {
        (passed_on[3].id, passed_on[0].id)
    }


def test_a_file_passed_on_and_on_is_destroyed_with_the_quotes(passed_on, organization, sender):
    organization.recall_destroys_quotes = True
    organization.save()
    recall_message(actor=sender, message=Message.objects.get(id=passed_on[0].id))
    assert carried(passed_on) == [1, 0, 0, 0]


def test_what_only_quotes_a_forward_keeps_the_forwards_own_file(passed_on, organization, recipient):
    """Recalled is the first forward: the original and its file are not its author's to take back."""
    organization.recall_destroys_quotes = True
    organization.save()
    recall_message(actor=recipient, message=Message.objects.get(id=passed_on[1].id))
    assert carried(passed_on) == [1, 1, 0, 0]


def test_the_page_says_that_quotes_are_destroyed_too(address, sent, sender, recipient, organization, send, log_in):
    organization.recall_destroys_quotes = True
    organization.save()
    for _ in range(2):
        send(recipient, answer=Answer(openable(recipient, sent)))
    page = log_in(sender).get(address)
    assert "2 replies and forwards stay, but your text quoted in them, and your files" in page.text
    assert "stay as they are" not in page.text


@pytest.fixture
def undone(organization, sender, recipient, write):
    """A message looked up by whoever is to recall it, before its sending is undone."""
    sender.organization.undo_seconds = 60
    sent = sending.send_draft(actor=sender, entry=write(sender, to=recipient.address))
    before, person = Message.objects.get(id=sent.message_id), sent.message.recipients.get()
    undo.undo_sending(actor=sender, entry=access.sent_entry(sender, sent.id))
    return before, person


def test_what_is_a_draft_again_is_not_recalled(undone, sender):
    message, person = undone
    with pytest.raises(AlreadyRecalled):
        recall_message(actor=sender, message=message)
    with pytest.raises(AlreadyRecalled):
        recall_for_recipient(actor=sender, recipient=person)
    assert not expiry.expire_now(actor=sender, message=message)
    message.refresh_from_db()
    assert (message.sent_at, message.recalled_at, message.expires_at) == (None, None, None)
    assert not AuditEvent.objects.filter(action__in=["message.recalled", "message.expired_by_sender"]).exists()


@pytest.mark.parametrize("name", ["recall_message", "recall_for_recipient"])
def test_of_what_is_a_draft_again_nothing_is_said_but_that(
    name, organization, sender, recipient, write, log_in, monkeypatch
):
    """Undone in another window after this one's look-up."""
    organization.undo_seconds = 60
    organization.save()
    sender.refresh_from_db()
    sent = sending.send_draft(actor=sender, entry=write(sender, to=recipient.address))
    recalls = getattr(recall_view, name)

    def undone_before(**what):
        undo.undo_sending(actor=sender, entry=access.sent_entry(sender, sent.id))
        return recalls(**what)

    monkeypatch.setattr(recall_view, name, undone_before)
    of = [sent.id] if name == "recall_message" else [sent.id, sent.message.recipients.get().id]
    page = log_in(sender).post(reverse("recall" if len(of) == 1 else "recall_recipient", args=of), follow=True)
    assert "it is a draft again" in page.text
    assert "ecalled" not in page.text


def openable(person, message):
    return access.openable_entry(person, copy_of(message, person).id)

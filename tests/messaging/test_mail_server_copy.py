"""Send BCC to Mail Server."""

from io import BytesIO

import pytest
from django.urls import reverse

from messaging.models import MailboxEntry, Message
from messaging.recall import recall_message
from messaging.replies import Answer
from portal import delivery
from portal.ids import uuid7
from portal.models import OutgoingMail

from .conftest import BODY, SUBJECT, copy_of, file_named


@pytest.fixture
def organization(organization):
    organization.bcc_to_mail_server = True
    organization.save()
    return organization


@pytest.fixture
def sent(sender, recipient, log_in):
    file = BytesIO(b"the report itself")
    file.name = "report.pdf"
    form = {"to": recipient.address, "subject": SUBJECT, "body": BODY, "action": "send", "files": file}
    log_in(sender).post(reverse("draft", args=[uuid7()]), form)
    return Message.objects.get()


def test_with_it_on_the_message_is_in_inbox_and_sent_items_and_the_page_says_why(sent, sender, log_in):
    client = log_in(sender)
    for folder in ("/inbox/", "/sent/"):
        assert SUBJECT in client.get(folder).text
    own = MailboxEntry.objects.get(kind="own_copy")
    page = client.get(reverse("message", args=[own.id]))
    assert "your organisation keeps a copy" in page.text
    assert "Recall Message" in page.text


def test_the_copy_goes_to_the_senders_own_mailbox(sent, sender, smtp):
    delivery.deliver_due()
    (copy,) = [mail for mail in smtp.messages if mail.rcpt == [sender.address]]
    assert copy["Subject"] == SUBJECT
    assert BODY in copy.get_body(("plain",)).get_content()
    (attachment,) = copy.iter_attachments()
    assert attachment.get_content() == b"the report itself"


def test_the_copy_says_who_wrote_what_is_quoted(sent, sender, recipient, send, smtp):
    send(
        sender,
        to=recipient.address,
        body="And more.",
        answer=Answer(MailboxEntry.objects.filter(message=sent, owner=sender)[0]),
    )
    delivery.deliver_due()
    copy = next(mail for mail in smtp.messages if "And more." in mail.get_body(("plain",)).get_content())
    words = copy.get_body(("plain",)).get_content()
    assert f"To: First Recipient <{recipient.address}>" in words
    assert words.index("And more.") < words.index("<sender@north.example>, ") < words.index(SUBJECT) < words.index(BODY)


@pytest.mark.parametrize("is_forward", [False, True])
def test_what_may_not_be_downloaded_does_not_leave_by_being_answered(is_forward, sender, recipient, send, log_in, smtp):
    form = {
        "to": sender.address,
        "subject": SUBJECT,
        "body": BODY,
        "action": "send",
        "files": file_named("a.pdf", b"x"),
    }
    first = send(sender, to=recipient.address)
    answered = {"answers": str(copy_of(first, recipient).id)}
    log_in(recipient).post(reverse("draft", args=[uuid7()]), form | answered)
    received = Message.objects.get(sender=recipient)
    Message.objects.filter(sender=recipient).update(may_download=False, may_forward=True)
    send(
        sender,
        to=recipient.address,
        body="And more.",
        answer=Answer(copy_of(received, sender), is_forward=is_forward),
    )
    delivery.deliver_due()
    copy = next(mail for mail in smtp.messages if "And more." in mail.get_body(("plain",)).get_content())
    assert copy.rcpt == [sender.address]
    assert "What this message quotes may not leave the portal." in copy.get_body(("plain",)).get_content()
    assert BODY not in copy.as_string()
    assert list(copy.iter_attachments()) == []
    assert ("The attachments are in the portal: 1" in copy.get_body(("plain",)).get_content()) == is_forward


def test_a_recall_stops_it_and_leaves_the_authors_copies(sent, sender, log_in, smtp):
    recall_message(actor=sender, message=sent)
    delivery.deliver_due()
    assert smtp.messages == []
    assert SUBJECT in log_in(sender).get("/inbox/").text


def test_what_external_people_write_is_not_copied(recipient, sender, send, organization):
    send(recipient, to=sender.address)
    assert not OutgoingMail.objects.filter(kind="mail_server_copy").exists()


@pytest.mark.django_db
def test_with_it_off_there_is_none(other_organization, make_user, send):
    author = make_user(other_organization, "author@south.example", is_licensed=True)
    author.domain.is_internal = True
    author.domain.save()
    send(author, to="x@outside.example")
    assert not OutgoingMail.objects.filter(kind="mail_server_copy").exists()
    assert not MailboxEntry.objects.filter(kind="own_copy").exists()

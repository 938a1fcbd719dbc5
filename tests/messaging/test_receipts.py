"""What the sender learns, by mail and in Sent Items."""

from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging import definitions, erasing, receipts
from messaging.models import Attachment, AttachmentFetch, Definition, Message
from messaging.recall import recall_message
from messaging.scanning import Scan
from portal import delivery, verdicts
from portal.ids import uuid7
from portal.models import AuditEvent, OutgoingMail

from .conftest import BODY, SUBJECT, copy_of, file_named


def opened(client, message, person):
    return client.get(reverse("message", args=[copy_of(message, person).id]))


def test_a_requested_receipt_comes_by_mail_once(sender, recipient, log_in, smtp):
    form = {"to": recipient.address, "subject": SUBJECT, "body": BODY, "action": "send", "read_receipt": "on"}
    log_in(sender).post(reverse("draft", args=[uuid7()]), form)
    delivery.deliver_due()
    message = Message.objects.get()
    client = log_in(recipient)
    opened(client, message, recipient)
    opened(client, message, recipient)
    delivery.deliver_due()
    (receipt,) = [mail for mail in smtp.messages if mail.rcpt == [sender.address]]
    text = receipt.get_body(("plain",)).get_content()
    assert recipient.address in text
    assert receipt["Subject"] == "North Clinic: Secure Messaging Read Receipt"
    for part in receipt.walk():
        if part.get_content_maintype() == "text":
            assert SUBJECT not in part.get_content()
            assert BODY not in part.get_content()


def test_without_a_request_none_comes(sender, recipient, send, log_in):
    opened(log_in(recipient), send(sender, to=recipient.address), recipient)
    assert not OutgoingMail.objects.filter(kind="read_receipt").exists()


def test_external_authors_are_not_offered_one_and_get_none(sender, recipient, log_in):
    form = {"to": sender.address, "subject": SUBJECT, "body": BODY, "action": "send", "read_receipt": "on"}
    log_in(recipient).post(reverse("draft", args=[uuid7()]), form)
    message = Message.objects.get()
    assert message.sent_at is not None
    assert not message.read_receipt
    opened(log_in(sender), message, sender)
    assert not OutgoingMail.objects.filter(kind="read_receipt").exists()


def test_what_the_definition_says_holds_for_external_authors_too(sender, recipient, send, organization):
    default = definitions.default_for(organization)
    Definition.objects.filter(id=default.id).update(read_receipt=True)
    assert send(recipient, to=sender.address).read_receipt


def test_no_receipt_leaves_after_a_recall(sender, recipient, send, log_in, smtp):
    message = send(sender, to=recipient.address)
    Message.objects.update(read_receipt=True)
    opened(log_in(recipient), message, recipient)
    recall_message(actor=sender, message=message)
    delivery.deliver_due()
    assert smtp.messages == []
    assert OutgoingMail.objects.get(kind="read_receipt").state == "cancelled"


def test_none_leaves_to_who_is_erased(sender, recipient, administrator, send, log_in, smtp):
    message = send(sender, to=recipient.address, read_receipt=True)
    erasing.order(actor=administrator, user=sender)
    OutgoingMail.objects.all().delete()
    opened(log_in(recipient), message, recipient)
    assert OutgoingMail.objects.filter(kind="read_receipt").exists()
    delivery.deliver_due()
    assert smtp.messages == []


def test_fetched_attachments_are_told_once(sender, recipient, log_in):
    file = BytesIO(b"x")
    file.name = "report.pdf"
    form = {"to": recipient.address, "subject": "s", "body": "b", "action": "send", "files": file}
    log_in(sender).post(reverse("draft", args=[uuid7()]), form)
    message = Message.objects.get()
    url = reverse("attachment", args=[copy_of(message, recipient).id, Attachment.objects.get().id])
    client = log_in(recipient)
    assert client.head(url).status_code == 200
    assert not AttachmentFetch.objects.exists()
    client.get(url).getvalue()
    client.get(url).getvalue()
    assert AttachmentFetch.objects.count() == 1
    page = opened(log_in(sender), message, sender).text
    assert "Attachment fetched" in page
    assert "report.pdf" in page


@pytest.mark.parametrize("held", [False, True])
def test_downloading_the_message_fetches_its_attachments_but_those_held_back(held, sender, recipient, log_in):
    form = {"to": recipient.address, "subject": "s", "body": "b", "action": "send", "files": file_named("a.pdf", b"x")}
    log_in(sender).post(reverse("draft", args=[uuid7()]), form)
    Message.objects.update(may_download=True)
    Attachment.objects.update(scan=Scan.INFECTED if held else Scan.OFF)
    message = Message.objects.get()
    log_in(sender).get(reverse("download", args=[copy_of(message, sender).id])).getvalue()
    url = reverse("download", args=[copy_of(message, recipient).id])
    assert log_in(recipient).head(url).status_code == 200
    assert not AttachmentFetch.objects.exists()
    log_in(recipient).get(url).getvalue()
    log_in(recipient).get(url).getvalue()
    assert AttachmentFetch.objects.count() == (0 if held else 1)


def test_however_many_files_they_are_noted_at_once(sender, recipient, write, log_in):
    entry = write(sender, to=recipient.address)
    form = {"to": recipient.address, "body": "b", "action": "send"}
    files = [file_named(f"{n}.txt", b"x") for n in range(20)]
    log_in(sender).post(reverse("draft", args=[entry.message_id]), form | {"files": files})
    received = copy_of(Message.objects.get(), recipient)
    attachments = received.message.attachments.all()
    with CaptureQueriesContext(connection) as queries:
        receipts.record_fetches(actor=recipient, entry=received)
    asked = [query["sql"] for query in queries if "attachmentfetch" in query["sql"]]
    assert len(asked) == 2
    assert AttachmentFetch.objects.count() == len(attachments) == 20
    receipts.record_fetch(actor=recipient, entry=received, attachment=attachments[0])
    assert AuditEvent.objects.filter(action="attachment.fetched").count() == 20


def test_a_failed_notification_is_told_by_mail(sender, recipient, send, smtp):
    message = send(sender, to=recipient.address)
    mail = OutgoingMail.objects.get()
    verdicts.written_down(mail, verdicts.Verdict(OutgoingMail.State.FAILED, "550 5.1.1 No such user"))
    delivery.deliver_due()
    (told,) = smtp.messages
    assert told.rcpt == [sender.address]
    text = told.get_body(("plain",)).get_content()
    assert "550 5.1.1 No such user" in text
    assert recipient.address in text
    assert reverse("log_in_to_message", args=["north", copy_of(message, sender).id]) in text

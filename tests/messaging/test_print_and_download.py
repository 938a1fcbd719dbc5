"""A clean print sheet, and the message as a file, where the definition allows them."""

import os
from email import message_from_bytes, policy
from email.parser import BytesParser
from email.utils import getaddresses
from io import BytesIO

import pytest
from django.urls import reverse

from messaging import sealing
from messaging.models import Message, Quote, Recipient
from messaging.replies import Answer
from portal.ids import uuid7
from portal.models import AuditEvent

from .conftest import BODY, SUBJECT, copy_of
from .test_reply import answer, reply_page

CONTENT = os.urandom(200_000)


@pytest.fixture
def sent(sender, recipient, second_recipient, log_in):
    file = BytesIO(CONTENT)
    file.name = "Befund März.bin"
    form = {
        "to": recipient.address,
        "bcc": second_recipient.address,
        "subject": SUBJECT,
        "body": BODY,
        "action": "send",
    }
    log_in(sender).post(reverse("draft", args=[uuid7()]), form | {"files": file, "action": "send"})
    Message.objects.update(may_download=True)
    return Message.objects.get()


def test_the_sheet_has_the_message_and_nothing_of_the_portal(sent, recipient, second_recipient, log_in):
    page = log_in(recipient).get(reverse("print_sheet", args=[copy_of(sent, recipient).id]))
    for word in (SUBJECT, BODY, "sender@north.example", recipient.address):
        assert word in page.text
    assert second_recipient.address not in page.text
    assert "Log Out" not in page.text
    assert "sandbox allow-modals" in page["Content-Security-Policy"]
    assert "script" not in page["Content-Security-Policy"]


def test_where_printing_is_restricted_there_is_none(sent, recipient, sender, log_in):
    Message.objects.update(may_print=False)
    client, entry = log_in(recipient), copy_of(sent, recipient)
    url = reverse("print_sheet", args=[entry.id])
    page = client.get(reverse("message", args=[entry.id])).text
    assert url not in page
    assert "Printing is not allowed." in page
    assert client.get(url).status_code == 403
    assert log_in(sender).get(reverse("print_sheet", args=[copy_of(sent, sender).id])).status_code == 200


def fetch(client, entry):
    response = client.get(reverse("download", args=[entry.id]))
    assert response["Content-Type"] == "message/rfc822"
    return BytesParser(policy=policy.default).parsebytes(b"".join(response.streaming_content))


def test_the_file_holds_all_of_it(sent, recipient, log_in):
    message = fetch(log_in(recipient), copy_of(sent, recipient))
    assert not message.defects
    assert message["Subject"] == SUBJECT
    assert message["From"] == "Demo Sender <sender@north.example>"
    assert message["Bcc"] is None
    assert BODY in message.get_body(("plain",)).get_content()
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "Befund März.bin"
    assert attachment.get_content() == CONTENT
    assert AuditEvent.objects.filter(action="message.downloaded", actor_id=recipient.id).count() == 1


def test_a_name_in_it_never_becomes_an_address(sent, sender, log_in):
    Recipient.objects.filter(role="to").update(name="director@bank.example, Jörg")
    raw = b"".join(log_in(sender).get(reverse("download", args=[copy_of(sent, sender).id])).streaming_content)
    to = " ".join(message_from_bytes(raw)["To"].split())
    assert [address for _name, address in getaddresses([to])] == ["first@outside.example"]


def test_the_authors_own_has_bcc(sent, sender, second_recipient, log_in):
    assert second_recipient.address in fetch(log_in(sender), copy_of(sent, sender))["Bcc"]


def test_a_subject_cannot_add_headers(sent, sender, recipient, log_in):
    form = {"to": recipient.address, "subject": "Hello\r\nBcc: spy@evil.example", "body": "b", "action": "send"}
    log_in(sender).post(reverse("draft", args=[uuid7()]), form)
    message = fetch(log_in(sender), copy_of(Message.objects.latest("sent_at"), sender))
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    "subject",
    [
        "2024 – für „Straße“ Re: März für –",
        "=?utf-8?q?Your_bank?=",
        "Ä" * 150,
        "results",
        "a, b <c@d.example>",
        "مرحبا",
    ],
)
def test_the_subject_comes_back_as_it_was_written(subject, sender, recipient, send, log_in):
    message = send(sender, to=recipient.address, subject=subject)
    fetched = fetch(log_in(sender), copy_of(message, sender))
    assert fetched["Subject"] == subject
    assert fetched["Date"].datetime == message.sent_at.replace(microsecond=0)


def test_the_file_is_under_the_rules_of_today(sent, sender, log_in):
    copy = copy_of(sent, sender)
    sent.body = sealing.seal_message_text(sent, sealing.open_message_key(copy), "body", "<p onclick=x()>seen</p>")
    sent.save()
    assert "<p>seen</p>" in fetch(log_in(sender), copy).get_body(["html"]).get_content()


def test_where_downloading_is_not_allowed_there_is_none(sent, recipient, log_in):
    Message.objects.update(may_download=False)
    client, entry = log_in(recipient), copy_of(sent, recipient)
    url = reverse("download", args=[entry.id])
    assert url not in client.get(reverse("message", args=[entry.id])).text
    assert client.get(url).status_code == 403


@pytest.mark.parametrize("name", ["print_sheet", "download"])
def test_they_check_ownership(name, sent, recipient, stranger, colleague, log_in):
    for person in (stranger, colleague):
        assert log_in(person).get(reverse(name, args=[copy_of(sent, recipient).id])).status_code == 404


@pytest.mark.parametrize(("name", "done"), [("print_sheet", "printed"), ("download", "downloaded")])
def test_what_may_not_be_taken_away_is_not_by_answering_first(name, done, sent, sender, recipient, log_in):
    Message.objects.update(may_print=False, may_download=False)
    client = log_in(recipient)
    answer(client, reply_page(client, sent, recipient))
    reply = Message.objects.get(in_reply_to=sent)
    url = reverse(name, args=[copy_of(reply, recipient).id])
    page = client.get(reverse("message", args=[copy_of(reply, recipient).id])).text
    assert url not in page
    assert f"It quotes a message that may not be {done}." in page
    assert client.get(url).status_code == 403
    Message.objects.filter(id=reply.id).update(may_print=True, may_download=True)
    assert (
        log_in(sender).get(reverse(name, args=[copy_of(reply, sender).id])).status_code == 200
    )  # who wrote what is quoted


@pytest.fixture
def answered(sent, sender, recipient, send):
    answer = Answer(copy_of(sent, recipient))
    return send(recipient, to=sender.address, subject="Re: <b>", body="Thank you.", answer=answer)


def test_the_file_says_who_wrote_what_is_quoted(sender, recipient, answered, send, log_in):
    further = send(sender, to=recipient.address, body="And one back.", answer=Answer(copy_of(answered, sender)))
    Message.objects.update(may_download=True)
    message = fetch(log_in(recipient), copy_of(further, recipient))
    words = message.get_body(("plain",)).get_content()
    first, second = words.index("And one back."), words.index("Thank you.")
    assert "First Recipient <first@outside.example>, " in words[first:second]
    assert "To: Demo Sender <sender@north.example>" in words[first:second]
    assert "Re: <b>" in words[first:second]
    assert "Re: &lt;b&gt;" in message.get_body(("html",)).get_content()
    assert (
        words.index("Demo Sender <sender@north.example>, ", second) < words.index(SUBJECT, second) < words.index(BODY)
    )


def test_the_file_says_that_what_is_quoted_was_recalled(recipient, answered, log_in):
    Message.objects.update(may_download=True)
    Quote.objects.update(content=None)
    message = fetch(log_in(recipient), copy_of(answered, recipient))
    for form in ("plain", "html"):
        assert "The quoted message has been recalled." in message.get_body((form,)).get_content()

"""Drafts: saved while one types, and in two windows at once without one eating the other's text."""

import re
from io import BytesIO

import pytest
from django.urls import reverse

from messaging.models import MailboxEntry, Message
from portal.ids import uuid7
from portal.models import Organization

from .conftest import BODY, SUBJECT, copy_of, file_named


@pytest.fixture
def client(sender, log_in):
    return log_in(sender)


@pytest.fixture
def address(client, recipient):
    """A saved draft's URL."""
    url = reverse("draft", args=[uuid7()])
    client.post(url, {"to": recipient.address, "subject": SUBJECT, "body": BODY, "action": "save"})
    return url


def window(client, address):
    """What a window that shows the draft would send back."""
    form = client.get(address).context["form"]
    return {name: form[name].value() for name in ("to", "subject", "body", "revision", "window")}


def autosave(client, address, form, **changes):
    return client.post(address, form | changes | {"action": "autosave"})


def test_autosave_keeps_what_was_typed(client, recipient):
    address = reverse("draft", args=[uuid7()])
    answer = autosave(client, address, {"to": recipient.address, "body": "Dear pat", "window": "one"})
    told = answer.json()
    assert re.fullmatch(r"\d\d:\d\d", told.pop("at"))
    assert told == {"url": address, "revision": 1, "warning": ""}
    answer = autosave(
        client, address, {"to": recipient.address, "body": "Dear patient", "window": "one", "revision": 1}
    )
    assert answer.json()["revision"] == 2
    assert "Dear patient" in client.get(address).text
    assert Message.objects.count() == 1


def test_one_window_never_stands_in_its_own_way(client, address):
    form = window(client, address)
    autosave(client, address, form, body="two")
    response = client.post(address, form | {"body": "three", "action": "save"}, follow=True)
    assert "three" in response.text
    assert Message.objects.count() == 1


def test_two_windows_keep_both_texts_and_say_so(client, address):
    first, second = window(client, address), window(client, address)
    autosave(client, address, first, body="written in the first")
    answer = autosave(client, address, second, body="written in the second").json()
    assert "Both are kept" in answer["warning"]
    assert answer["url"] != address
    assert "written in the first" in client.get(address).text
    assert "written in the second" in client.get(answer["url"]).text
    again = second | {"revision": answer["revision"], "body": "more in the second"}
    assert autosave(client, answer["url"], again).json()["warning"] == ""
    assert Message.objects.count() == 2


def test_sending_from_the_stale_window_sends_nothing(client, address):
    first, second = window(client, address), window(client, address)
    autosave(client, address, first, body="changed")
    page = client.post(address, second | {"action": "send"}, follow=True)
    assert "Both are kept" in page.text
    assert not Message.objects.filter(sent_at__isnull=False).exists()


def test_the_second_draft_carries_the_attachments_too(client, address):
    file = BytesIO(b"x")
    file.name = "report.pdf"
    client.post(address, {"action": "attach", "body": BODY, "files": file})
    first, second = window(client, address), window(client, address)
    autosave(client, address, first, body="changed")
    answer = autosave(client, address, second, body="changed too").json()
    assert "report.pdf" in client.get(answer["url"]).text


def test_after_sending_a_late_autosave_says_so(client, address, recipient):
    form = window(client, address)
    client.post(address, form | {"action": "send"})
    response = client.post(address, form | {"body": "late", "action": "autosave"})
    assert response.json() == {"sent": True}
    assert Message.objects.get().sent_at is not None


def test_an_upload_that_took_long_writes_over_nothing_newer(client):
    address = reverse("draft", args=[uuid7()])
    autosave(client, address, {"body": "Dear pat", "window": "one"})
    autosave(client, address, {"body": "Dear patient", "window": "one", "revision": "1"})
    form = {"action": "upload", "body": "Dear pat", "window": "one", "revision": "1"}
    page = client.post(address, form | {"files": file_named("a.txt", b"a")}, follow=True)
    assert "Dear patient" in page.text
    assert "a.txt" in page.text
    form = {"action": "upload", "body": "Dear patient, good day", "window": "one", "revision": "3"}
    page = client.post(address, form | {"files": file_named("b.txt", b"b")}, follow=True)
    assert "Dear patient, good day" in page.text


def test_what_was_written_here_when_it_was_sent_from_another_window_is_kept(client, recipient):
    address = reverse("draft", args=[uuid7()])
    form = {"to": recipient.address, "subject": "s", "body": "One.", "window": "one"}
    assert client.post(address, form | {"action": "send_confirmed"}).url == reverse("sent")
    assert client.post(address, form | {"action": "send_confirmed"}).url == reverse("sent")  # a second click
    same = client.post(address, form | {"action": "send", "window": "two"})
    assert same.url == reverse("sent")
    page = client.post(address, form | {"action": "send", "window": "two", "body": "One. Two."}, follow=True)
    assert "sent already, from another window" in page.text
    assert "One. Two." in page.text
    assert Message.objects.filter(sent_at__isnull=False).count() == 1


def test_one_whose_recipients_could_be_changed_keeps_those_typed(sender, recipient, colleague, send, log_in):
    Organization.objects.update(replies_may_change_recipients=True)
    original = send(sender, to=recipient.address)
    client = log_in(recipient)
    address = reverse("draft", args=[uuid7()])
    form = {"answers": copy_of(original, recipient).id, "subject": "Re", "body": "Yes.", "to": sender.address}
    assert client.post(address, form | {"action": "send", "window": "one"}).url == reverse("sent")
    typed = {"to": colleague.address, "bcc": sender.address, "body": "No."}
    page = client.post(address, form | typed | {"action": "save", "window": "two"}, follow=True)
    initial = page.context["form"].initial
    assert (initial["to"], initial["bcc"]) == (colleague.address, sender.address)


def test_a_reply_kept_beside_the_one_that_was_sent_goes_to_the_same_people(sender, recipient, send, log_in):
    original = send(sender, to=recipient.address)
    client = log_in(recipient)
    address = reverse("draft", args=[uuid7()])
    form = {"answers": copy_of(original, recipient).id, "subject": "Re", "body": "Yes.", "window": "one"}
    assert client.post(address, form | {"action": "send"}).url == reverse("sent")
    page = client.post(address, form | {"action": "save", "window": "two", "body": "No."}, follow=True)
    assert BODY in page.text  # the quote
    sent = client.post(page.context["action"], {"action": "send", "subject": "Re", "body": "No.", "window": "two"})
    assert sent.url == reverse("sent")
    assert MailboxEntry.objects.filter(owner=sender, kind="received").count() == 2

"""What is written in one window when another has sent the message."""

import pytest
from django.urls import reverse

from messaging import access, sending
from messaging.models import Attachment, MailboxEntry, Message
from portal.ids import uuid7
from portal.models import Organization

from .conftest import BODY, copy_of, file_named

KEPT = "What you wrote here since is kept as a draft of its own."


@pytest.fixture
def client(sender, log_in):
    return log_in(sender)


@pytest.fixture
def form(recipient):
    return {"to": recipient.address, "subject": "s", "body": "One.", "window": "one"}


@pytest.fixture
def address(client, form):
    """Of the draft that was sent from window one."""
    url = reverse("draft", args=[uuid7()])
    assert client.post(url, form | {"action": "send"}).url == reverse("sent")
    return url


def test_what_was_written_here_when_it_was_sent_from_another_window_is_kept(client, address, form):
    assert client.post(address, form | {"action": "send"}).url == reverse("sent")  # a second click
    same = client.post(address, form | {"action": "send", "window": "two"})
    assert same.url == reverse("sent")
    page = client.post(address, form | {"action": "send", "window": "two", "body": "One. Two."}, follow=True)
    assert KEPT in page.text
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


def test_so_is_a_recipient_who_was_added(client, address, form, colleague):
    typed = f"{form['to']}, {colleague.address}"
    page = client.post(address, form | {"action": "save", "window": "two", "to": typed}, follow=True)
    assert KEPT in page.text
    assert page.context["form"].initial["to"] == typed


@pytest.mark.parametrize("action", ["attach", "upload", "send"])
def test_so_is_a_file(client, address, form, action):
    file = {"files": file_named("a.txt", b"a")}
    page = client.post(address, form | file | {"action": action, "window": "two"}, follow=True)
    assert KEPT in page.text
    assert "a.txt" in page.text


def test_a_file_that_went_with_it_is_nothing_new(client, form):
    url = reverse("draft", args=[uuid7()])
    for _click in range(2):
        file = {"files": file_named("a.txt", b"a")}
        assert client.post(url, form | file | {"action": "send"}).url == reverse("sent")
    assert Message.objects.count() == 1


@pytest.mark.parametrize("action", ["attach", "upload"])
def test_one_that_was_attached_since_is(client, form, action):
    url = reverse("draft", args=[uuid7()])
    client.post(url, form | {"action": "send", "files": file_named("a.txt", b"price 10")})
    page = client.post(url, form | {"action": action, "files": file_named("a.txt", b"price 20")}, follow=True)
    assert KEPT in page.text
    assert Attachment.objects.count() == 3  # what went stands in the new draft, too


def test_what_the_second_click_brought_is_not_taken_from_what_the_first_sent(
    client, form, sender, recipient, log_in, monkeypatch
):
    """Both had saved, each with its file, before either sent."""
    send_draft = sending.send_draft

    def send_after_another(*, entry, **how):
        send_draft(actor=sender, entry=access.draft_entry(sender, entry.message_id))
        return send_draft(entry=entry, **how)

    monkeypatch.setattr(sending, "send_draft", send_after_another)
    url = reverse("draft", args=[uuid7()])
    client.post(url, form | {"action": "send", "files": file_named("a.txt", b"a")})
    row = Attachment.objects.get()
    file = log_in(recipient).get(reverse("attachment", args=[copy_of(row.message, recipient).id, row.id]))
    assert file.getvalue() == b"a"


def test_so_is_what_was_written_on_after_going_back(client, address, form):
    page = client.post(address, form | {"action": "save", "body": "One. And more words."}, follow=True)
    assert KEPT in page.text
    assert "One. And more words." in page.text


def test_so_it_is_when_the_sent_message_was_removed(client, address, form, sender):
    sent = str(MailboxEntry.objects.get(owner=sender).id)
    client.post(reverse("delete"), {"entry": sent})
    client.post(reverse("remove"), {"entry": sent, "sure": "yes"})
    page = client.post(address, form | {"action": "save", "window": "two", "body": "Quite other words."}, follow=True)
    assert KEPT in page.text
    assert "Quite other words." in page.text
    assert page.context["form"].initial["to"] == form["to"]

"""Drafts: saved while one types, and in two windows at once without one eating the other's text."""

import re
from io import BytesIO

import pytest
from django.urls import reverse

from messaging import access, drafts, folders
from messaging.drafts import DraftText
from messaging.models import Message
from portal.ids import uuid7

from .conftest import BODY, SUBJECT, copy_of, discard, file_named

GONE = "This draft was discarded meanwhile."


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


def test_a_revision_no_draft_ever_had_is_none(client, address):
    assert client.post(address, {"body": "x", "action": "save", "revision": "9" * 5000}).status_code == 302


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


@pytest.fixture
def split(client, address):
    """A draft with a file, shown in two windows; saved in the first since. What the second sends to remove the file."""
    client.post(address, {"action": "attach", "body": BODY, "files": file_named("report.pdf", b"x")})
    first, second = window(client, address), window(client, address)
    shown = client.get(address).text
    autosave(client, address, first, body="changed")
    return second | {"remove": re.search('name="remove" value="([^"]+)"', shown)[1]}


def test_the_second_window_can_remove_a_file_as_its_draft_begins(client, address, split):
    page = client.post(address, split | {"body": "changed too"}, follow=True)
    assert "Both are kept" in page.text
    assert "“report.pdf” was removed." in page.text
    assert page.context["attachments"] == []
    assert "report.pdf" in client.get(address).text


@pytest.mark.parametrize("first_goes", [False, True])
def test_and_later_with_the_page_that_it_has(client, address, split, first_goes):
    told = autosave(client, address, {**split, "remove": []}, body="changed too").json()
    if first_goes:
        discard(client, address)
    page = client.post(told["url"], split | {"revision": told["revision"]}, follow=True)
    assert "“report.pdf” was removed." in page.text
    assert page.context["attachments"] == []


def test_after_sending_a_late_autosave_says_so(client, address, recipient):
    form = window(client, address)
    client.post(address, form | {"action": "send"})
    response = client.post(address, form | {"body": "late", "action": "autosave"})
    assert response.json() == {"sent": True}
    assert Message.objects.get().sent_at is not None


@pytest.fixture
def discarded(client, address):
    """What a window sends back that shows a draft with a file, discarded in another since."""
    client.post(address, {"action": "attach", "body": BODY, "files": file_named("report.pdf", b"x")})
    form = window(client, address)
    discard(client, address, form)
    assert not Message.objects.exists()
    return form


@pytest.mark.parametrize("action", ["send", "send_confirmed", "save", "attach", "upload"])
def test_one_discarded_in_another_window_is_kept_anew_and_not_sent(client, address, discarded, recipient, action):
    page = client.post(address, discarded | {"action": action, "body": "Written since."}, follow=True)
    assert GONE in page.text
    assert "Written since." in page.text
    assert page.context["form"].initial["to"] == recipient.address
    assert "Draft saved." not in page.text
    assert not Message.objects.filter(sent_at__isnull=False).exists()
    again = client.post(page.context["action"], window(client, page.context["action"]) | {"action": "send"})
    assert again.url == reverse("sent")


def test_nor_is_it_by_the_second_of_two_clicks(client, address, recipient):
    client.post(address, {"to": recipient.address, "body": BODY, "action": "discard"})
    form = window(client, address) | {"action": "send"}
    discard(client, address, form)
    for _click in range(2):
        client.post(address, form)
    assert not Message.objects.filter(sent_at__isnull=False).exists()


def test_saving_while_one_types_says_so_once(client, address, discarded):
    told = autosave(client, address, discarded, body="Written since.").json()
    assert GONE in told["warning"]
    again = discarded | {"revision": told["revision"], "body": "And more."}
    assert autosave(client, told["url"], again).json()["warning"] == ""
    assert "And more." in client.get(told["url"]).text
    assert Message.objects.count() == 1


def test_discarding_it_here_too_leads_to_drafts(client, address, discarded):
    page = client.post(address, discarded | {"action": "discard"}, follow=True)
    assert page.redirect_chain == [(reverse("drafts"), 302)]
    assert not Message.objects.exists()


def test_what_it_answered_is_known_to_the_page_on_which_it_was_begun(sender, recipient, send, log_in):
    original = send(sender, to=recipient.address)
    client = log_in(recipient)
    page = client.get(reverse("reply", args=[copy_of(original, recipient).id]))
    form = {name: page.context["form"][name].value() for name in ("answers", "subject", "window")}
    told = autosave(client, page.context["action"], form, body="Yes.").json()
    discard(client, told["url"])
    seen = form | {"revision": told["revision"], "body": "Yes."}
    page = client.post(told["url"], seen | {"action": "send"}, follow=True)
    assert GONE in page.text
    assert BODY in page.text
    assert not Message.objects.filter(in_reply_to=original, sent_at__isnull=False).exists()


def test_discarded_in_this_moment_it_is_not_taken_for_sent(sender, client, address, monkeypatch):
    form, save_draft = window(client, address), drafts.save_draft

    def save_after_discarding(*, entry, **fields):
        folders.discard(actor=sender, entry_ids=[entry.id] if entry else [])
        return save_draft(entry=entry, **fields)

    monkeypatch.setattr(drafts, "save_draft", save_after_discarding)
    told = autosave(client, address, form, body="Written since.").json()
    assert GONE in told["warning"]
    assert "Written since." in client.get(told["url"]).text


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


def test_nor_one_that_waited_while_newer_text_was_saved(sender, write):
    """Its request had looked the draft up before the newer text was in it."""
    entry = write(sender, body="Dear pat", window="one")
    looked_up = access.draft_entry(sender, entry.message_id)
    newer = DraftText(body="<p>Dear patient</p>", window="one", revision=1)
    drafts.save_draft(actor=sender, message_id=entry.message_id, entry=entry, text=newer)
    older = DraftText(body="<p>Dear pat</p>", window="one", revision=1)
    drafts.save_draft(actor=sender, message_id=entry.message_id, entry=looked_up, text=older, keeps_newer=True)
    assert drafts.open_draft(access.draft_entry(sender, entry.message_id)).body == "<p>Dear patient</p>"


def test_a_file_is_not_refused_for_what_else_stands_in_the_form(client):
    """A year is 0026 on the way to 2026."""
    form = {"action": "upload", "body": "x", "window": "w", "expires_at": "0026-12-31T10:00"}
    page = client.post(reverse("draft", args=[uuid7()]), form | {"files": file_named("a.txt", b"a")}, follow=True)
    assert "a.txt" in page.text
    assert "notice--error" not in page.text

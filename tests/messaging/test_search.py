"""Search, through its page: what it finds, what it must not, and where it stops."""

import logging
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from messaging import access, mailbox_scan, recall, search
from messaging.bodies import MAX_BODY_CHARACTERS
from messaging.models import MailboxEntry, Message
from messaging.replies import Answer
from messaging.views.search import SEARCHES
from portal.models import LimitUse, RetentionKey

from .conftest import copy_of
from .test_attachment import file_named
from .test_folders import many


def look_for(client, **fields):
    return client.post(reverse("search"), fields, follow=True)


def subjects(page) -> list[str]:
    return [hit["subject"] for hit in page.context["hits"]]


@pytest.fixture
def inside(recipient, log_in):
    return log_in(recipient)


# --- What is found ------------------------------------------------------------------------------------------


def test_words_of_subject_and_body_are_found_and_marked(sender, recipient, send, inside):
    send(sender, to=recipient.address, subject="Blood test", body="The haemoglobin is <normal>.")
    send(sender, to=recipient.address, subject="Appointment", body="On Tuesday.")
    page = look_for(inside, words="HAEMOGLOBIN test")
    assert subjects(page) == ["Blood test"]
    assert "Blood <mark>test</mark>" in page.text
    assert "The <mark>haemoglobin</mark> is &lt;normal&gt;." in page.text
    assert "1 message found" in page.text
    assert "everything there is" in page.text


def test_all_words_must_occur(sender, recipient, send, inside):
    send(sender, to=recipient.address, subject="Blood test", body="Normal.")
    assert subjects(look_for(inside, words="blood tuesday")) == []
    assert "Nothing found" in look_for(inside, words="blood tuesday").text


def test_newest_come_first_from_all_folders(sender, recipient, send, write, log_in):
    client = log_in(sender)
    for n in range(3):
        send(sender, to=recipient.address, subject=f"Number {n}")
    write(sender, to=recipient.address, subject="Number 3")
    first = copy_of(Message.objects.order_by("id").first(), sender)
    client.post(reverse("delete"), {"entry": str(first.id)})
    page = look_for(client, words="number")
    assert subjects(page) == ["Number 3", "Number 2", "Number 1", "Number 0"]
    assert [hit["folder"] for hit in page.context["hits"]] == ["Drafts", "Sent Items", "Sent Items", "Deleted Items"]
    assert page.context["hits"][0]["url"] == reverse("draft", args=[Message.objects.get(sent_at=None).id])


def test_what_a_reply_quotes_is_found_in_it(sender, recipient, send, write, inside):
    send(sender, to=recipient.address, subject="Question", body="Do you take the aspirin?")
    entry = access.openable_entry(recipient, MailboxEntry.objects.get(owner=recipient).id)
    write(recipient, subject="Re: Question", body="Yes, daily.", answer=Answer(entry, False))
    assert subjects(look_for(inside, words="aspirin daily")) == ["Re: Question"]
    assert subjects(look_for(inside, words="aspirin")) == ["Re: Question", "Question"]


def test_a_quote_that_was_destroyed_is_not_searched(organization, sender, recipient, send, write, inside):
    organization.recall_destroys_quotes = True
    organization.save()
    message = send(sender, to=recipient.address, subject="Question", body="Do you take the aspirin?")
    entry = access.openable_entry(recipient, copy_of(message, recipient).id)
    write(recipient, subject="Re: Question", body="Yes, daily.", answer=Answer(entry, False))
    recall.recall_message(actor=sender, message=message)
    assert subjects(look_for(inside, words="aspirin")) == []
    assert subjects(look_for(inside, words="daily")) == ["Re: Question"]


def test_a_very_long_body_and_quote_are_searched_too(sender, recipient, send, write, inside):
    send(sender, to=recipient.address, subject="Long", body="filling " * 20_000 + "needle")
    entry = access.openable_entry(recipient, MailboxEntry.objects.get(owner=recipient).id)
    write(recipient, subject="Re", body="Thanks.", answer=Answer(entry, False))
    page = look_for(inside, words="needle")
    assert subjects(page) == ["Re", "Long"]
    assert "<mark>needle</mark>" in page.text


# --- What narrows it ----------------------------------------------------------------------------------------


def test_a_person_is_found_however_the_name_is_typed(sender, make_user, organization, send, log_in):
    send(sender, to=make_user(organization, "a@outside.example", name="Jürgen Müller").address, subject="One")
    send(sender, to=make_user(organization, "b@xn--mller-kva.example").address, subject="Two")
    assert subjects(look_for(log_in(sender), person="ＪüＲＧＥＮ")) == ["One"]
    assert subjects(look_for(log_in(sender), person="mu\u0308ller")) == ["Two", "One"]
    for typed in ("müller.example", "b@müller.example"):
        assert subjects(look_for(log_in(sender), person=typed)) == ["Two"]


def test_a_person_is_the_sender_or_a_recipient(sender, colleague, recipient, second_recipient, send, log_in):
    send(sender, to=f"{recipient.address}, {second_recipient.address}", subject="To both")
    send(sender, to=recipient.address, subject="To one")
    assert subjects(look_for(log_in(sender), person="second recip")) == ["To both"]
    assert subjects(look_for(log_in(sender), person="ELSEWHERE.example")) == ["To both"]
    assert subjects(look_for(log_in(recipient), person="demo sender")) == ["To one", "To both"]
    assert subjects(look_for(log_in(recipient), person="second")) == ["To both"]
    assert subjects(look_for(log_in(recipient), person="100%")) == []


def test_a_bcc_reader_is_not_found_by_others(sender, recipient, second_recipient, send, log_in):
    send(sender, to=recipient.address, bcc=second_recipient.address, subject="Discreet")
    assert subjects(look_for(log_in(recipient), person="second")) == []
    assert subjects(look_for(log_in(sender), person="second")) == ["Discreet"]


def test_a_draft_is_found_by_whom_it_is_to(sender, write, log_in):
    write(sender, to="Someone New <new@outside.example>", subject="Unsent")
    write(sender, to="other@outside.example", subject="Other")
    assert subjects(look_for(log_in(sender), person="someone new@")) == ["Unsent"]


def test_dates_are_days_of_the_readers_zone_both_included(organization, sender, recipient, send, inside):
    organization.time_zone = "Pacific/Kiritimati"  # 14 hours ahead of UTC
    organization.save()
    message = send(sender, to=recipient.address, subject="Dated")
    Message.objects.filter(id=message.id).update(sent_at="2026-03-10T10:30:00+00:00")  # 11 March, 00:30 there
    assert subjects(look_for(inside, since="2026-03-11", until="2026-03-11")) == ["Dated"]
    assert subjects(look_for(inside, until="2026-03-10")) == []
    assert subjects(look_for(inside, since="2026-03-12")) == []
    assert subjects(look_for(inside, since="2026-03-01")) == ["Dated"]


def test_a_folder(sender, recipient, send, log_in):
    send(sender, to=f"{recipient.address}, {sender.address}", subject="To myself too")
    client = log_in(sender)
    assert [hit["folder"] for hit in look_for(client, words="myself", folder="sent").context["hits"]] == ["Sent Items"]
    assert [hit["folder"] for hit in look_for(client, words="myself", folder="inbox").context["hits"]] == ["Inbox"]
    assert subjects(look_for(client, words="myself", folder="deleted")) == []


def test_an_attachments_name(sender, recipient, send, log_in):
    for name in ("Röntgen Knie.png", "report.pdf"):
        form = {
            "to": recipient.address,
            "subject": name,
            "body": "b",
            "action": "send",
            "files": file_named(name, b"x"),
        }
        assert log_in(sender).post(reverse("draft", args=[search.uuid.uuid4()]), form).status_code == 302
    send(sender, to=recipient.address, subject="röntgen without a file")
    page = look_for(log_in(recipient), file="RÖNTGEN .png")
    assert subjects(page) == ["Röntgen Knie.png"]


# --- What must not be found ----------------------------------------------------------------------------------


def test_nobody_finds_anything_outside_their_own_mailbox(sender, recipient, second_recipient, stranger, send, log_in):
    send(sender, to=recipient.address, subject="Private")
    for person in (second_recipient, stranger):
        page = look_for(log_in(person), words="private")
        assert subjects(page) == []
        assert page.context["searched"].copies == 0


def test_what_cannot_be_opened_is_not_searched(sender, recipient, second_recipient, send, inside, log_in):
    messages = {what: send(sender, to=recipient.address, subject=what) for what in ("expired", "recalled", "removed")}
    Message.objects.filter(id=messages["expired"].id).update(expires_at=timezone.now() - timedelta(seconds=1))
    recall.recall_message(actor=sender, message=messages["recalled"])
    entry = copy_of(messages["removed"], recipient)
    inside.post(reverse("delete"), {"entry": str(entry.id)})
    inside.post(reverse("remove"), {"entry": str(entry.id), "sure": "yes"})
    hidden = send(sender, to=recipient.address, subject="hidden")
    MailboxEntry.objects.filter(message=hidden).update(visible_at=timezone.now() + timedelta(minutes=1))
    page = look_for(inside, person="sender")
    assert (subjects(page), page.context["searched"].copies) == ([], 0)
    assert sorted(subjects(look_for(log_in(sender), person="recipient"))) == ["expired", "recalled", "removed"]


def test_a_destroyed_key_and_a_broken_seal_hide_one_message_only(sender, recipient, send, inside):
    broken, fine = (send(sender, to=recipient.address, subject=f"Message {n}") for n in range(2))
    Message.objects.filter(id=broken.id).update(body=b"\x01" + bytes(60))
    assert subjects(look_for(inside, words="message")) == ["Message 1"]
    RetentionKey.objects.update(wrapped_key=None, destroyed_at=timezone.now())
    page = look_for(inside, words="message")
    assert (subjects(page), page.context["searched"].copies) == ([], 0)
    assert fine.subject


# --- Where it stops ------------------------------------------------------------------------------------------


def test_it_stops_at_a_page_of_hits_and_goes_on_from_there(sender, recipient, inside):
    many(sender, recipient, 60)
    seen, page = [], look_for(inside, words="number")
    while True:
        seen += subjects(page)
        if not (url := page.context["older_url"]):
            break
        assert "Search older" in page.text
        page = inside.get(url)
    assert len(seen) == len(set(seen)) == 60
    assert page.context["newest_url"]


def test_it_stops_at_a_number_of_copies_and_at_a_time(sender, recipient, inside, monkeypatch):
    many(sender, recipient, 120)
    monkeypatch.setattr(search, "MOST_COPIES", 100)
    page = look_for(inside, words="absent")
    assert (subjects(page), page.context["searched"].copies) == ([], 100)
    assert "Looked through 100 messages, back to" in page.text
    assert inside.get(page.context["older_url"]).context["searched"].copies == 20
    monkeypatch.setattr(search, "MOST_SECONDS", 0)
    page = look_for(inside, words="absent")
    assert page.context["searched"].copies == 0 or page.context["older_url"]


def test_queries_do_not_grow_with_hits(sender, recipient, inside, django_assert_max_num_queries):
    many(sender, recipient, 200)
    look_for(inside, words="number")
    url = look_for(inside, words="number 1").redirect_chain[0][0]
    with django_assert_max_num_queries(18):
        assert len(subjects(inside.get(url))) == 25


def test_too_many_in_a_minute_have_to_wait(recipient, inside):
    assert look_for(inside, words="x").status_code == 200
    LimitUse.objects.filter(limit=SEARCHES.name).update(used=SEARCHES.uses)
    page = look_for(inside, words="my words")
    assert page.status_code == 429
    assert 1 <= int(page["Retry-After"]) <= 60
    assert "many searches" in page.text
    assert 'value="my words"' in page.text


# --- What was typed stays here ----------------------------------------------------------------------------------


def test_no_address_holds_what_was_typed(sender, recipient, send, inside, caplog):
    caplog.set_level(logging.DEBUG)
    send(sender, to=recipient.address, subject="oncology", body="b")
    page = look_for(inside, words="oncology", person="sender")
    ((url, _status),) = page.redirect_chain
    assert "oncology" not in url and "sender" not in url
    assert "oncology" not in unescape(page.context["older_url"] or "")
    assert subjects(inside.get(url)) == ["oncology"]  # going back, or reloading
    assert 'value="oncology"' in inside.get(url).text


def test_an_address_is_good_for_its_own_person_only(sender, recipient, send, inside, log_in):
    send(sender, to=recipient.address, subject="oncology")
    url = look_for(inside, words="oncology").redirect_chain[0][0]
    other = log_in(sender).get(url)
    assert other.status_code == 200
    assert "hits" not in other.context
    assert "oncology" not in other.text


@pytest.mark.parametrize("token", ["nonsense", "=", "ü", "AQ", "A" * 100])
def test_an_address_that_is_none_shows_the_form(token, inside):
    page = inside.get(reverse("search"), {"for": token})
    assert page.status_code == 200
    assert "hits" not in page.context


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"words": "   "},
        {"words": "x" * 201},
        {"words": "nul\x00"},
        {"folder": "nowhere"},
        {"since": "yesterday"},
        {"since": "2026-02-02", "until": "2026-02-01"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
    ],
)
def test_what_cannot_be_searched_for_is_said(fields, inside):
    page = look_for(inside, **fields)
    assert page.status_code == 422
    assert 'role="alert"' in page.text or "field__errors" in page.text


@pytest.mark.parametrize("day", ["1970-01-01", "2999-12-31"])
def test_the_ends_of_time(day, inside):
    assert look_for(inside, since=day).status_code == 200
    assert look_for(inside, until=day).status_code == 200


def test_the_field_beside_the_folders_searches(sender, recipient, send, inside):
    send(sender, to=recipient.address, subject="From anywhere")
    assert f'action="{reverse("search")}"' in inside.get("/inbox/").text
    assert subjects(look_for(inside, words="anywhere")) == ["From anywhere"]


def test_batches_do_not_hold_long_bodies(sender, recipient, send):
    send(sender, to=recipient.address, body="x" * 100_000)
    assert MAX_BODY_CHARACTERS > 100_000
    (copy,) = mailbox_scan.newest_first(recipient, mailbox_scan.Narrowing(), None)
    assert copy.message.body is None

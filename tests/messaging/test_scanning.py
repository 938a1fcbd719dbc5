"""Attachments pass the virus scanner while they arrive; what could not be scanned is never passed off as clean."""

import os
import socket
from datetime import timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.urls import reverse

from messaging import access, late_scans, recall, scanning, tasks
from messaging.models import Attachment, MailboxEntry
from messaging.sealed_files import path_of
from portal import delivery, moments
from portal.models import AuditEvent, Organization
from tests.clamd import EICAR, running

from .conftest import copy_of

Scan = Attachment.Scan


@pytest.fixture(params=["tcp", "unix"])
def clamd(request, settings, tmp_path):
    with running(tmp_path / "clamd" if request.param == "unix" else None) as (clamd, settings.CLAMD):
        yield clamd


@pytest.fixture
def no_clamd(settings):
    """Configured, and down."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.CLAMD = f"tcp:127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def received(attach, recipient, log_in):
    """received(content) → the recipient's copy, and the one attachment in it."""

    def send(content: bytes) -> tuple[MailboxEntry, Attachment]:
        attach(content, action="send")
        row = Attachment.objects.get()
        return copy_of(row.message, recipient), row

    return send


def fetch(client, entry: MailboxEntry, row: Attachment):
    return client.get(reverse("attachment", args=[entry.id, row.id]))


def mark_instead(organization) -> None:
    Organization.objects.filter(id=organization.id).update(hold_unscanned=False)


def make_due() -> None:
    Attachment.objects.update(next_scan_at=moments.now() - timedelta(seconds=1))


# --- While it arrives -----------------------------------------------------------------------------------------


def test_a_clean_file_is_attached_and_says_nothing(clamd, received, recipient, log_in):
    content = os.urandom(300_000)
    entry, row = received(content)
    assert (row.scan, row.next_scan_at, clamd.seen) == (Scan.CLEAN, None, [len(content)])
    assert "virus" not in log_in(recipient).get(reverse("message", args=[entry.id])).text
    assert fetch(log_in(recipient), entry, row).getvalue() == content


@pytest.mark.parametrize("before", [0, 200_000])
def test_an_infected_file_is_refused_in_words_and_leaves_nothing(before, clamd, attach, settings):
    stored = set(settings.ATTACHMENTS_DIR.glob("??/*"))
    page = attach(bytes(before) + EICAR, "invoice.pdf")
    assert "“invoice.pdf” was not attached: a virus was found in it (Eicar-Signature)." in page.text
    assert "kept text" in page.text
    assert not Attachment.objects.exists()
    assert set(settings.ATTACHMENTS_DIR.glob("??/*")) == stored
    event = AuditEvent.objects.get(action="attachment.scanned")
    assert (event.details["scan"], event.details["virus"]) == ("infected", "Eicar-Signature")


def test_that_files_are_checked_is_said_before_they_are_chosen(clamd, sender, organization, log_in):
    assert "nobody can fetch it before it has been." in log_in(sender).get(reverse("compose")).text
    mark_instead(organization)
    assert "goes with the message and says so." in log_in(sender).get(reverse("compose")).text


def test_an_infected_file_is_not_sent_with_its_message(clamd, attach):
    attach(EICAR, action="send")
    assert MailboxEntry.objects.get().kind == MailboxEntry.Kind.DRAFT


def test_without_a_scanner_nothing_is_said_of_scanning(received, recipient, log_in):
    entry, row = received(b"content")
    assert row.scan == Scan.OFF
    assert "virus" not in log_in(row.message.sender).get(reverse("compose")).text
    assert "virus" not in log_in(recipient).get(reverse("message", args=[entry.id])).text


@pytest.mark.parametrize("answer", ["stream: Can't allocate memory ERROR", "", "stream: OK\nstream: OK", "OK"])
def test_an_answer_that_is_none_makes_no_file_clean(answer, clamd, attach, monkeypatch):
    monkeypatch.setattr(clamd, "verdict", lambda _content: answer)
    attach(b"content")
    assert Attachment.objects.get().scan == Scan.WAITING


@pytest.mark.parametrize("rest", [b"", b"more"])
def test_a_file_called_clean_before_its_end_is_not(rest, clamd):
    clamd.limit, clamd.said_at_limit = 1_000, "stream: OK"
    stream = scanning.Stream()
    stream.write(bytes(2_000))
    assert clamd.has_answered.wait(10)
    stream.write(rest)
    assert stream.finish().scan == Scan.WAITING


def test_a_virus_found_before_the_end_is_one(clamd):
    clamd.limit, clamd.said_at_limit = 1_000, "stream: Eicar-Signature FOUND"
    stream = scanning.Stream()
    stream.write(bytes(2_000))
    assert clamd.has_answered.wait(10)
    assert stream.finish() == scanning.Verdict(Scan.INFECTED, "Eicar-Signature")


# --- Not scanned ------------------------------------------------------------------------------------------------


def test_with_the_scanner_down_a_file_is_held_back(no_clamd, received, sender, recipient, log_in):
    entry, row = received(b"content")
    assert row.scan == Scan.WAITING
    for person in (sender, recipient):
        copy = copy_of(row.message, person)
        page = log_in(person).get(reverse("message", args=[copy.id]))
        assert "report.pdf" in page.text
        assert "Not yet checked for viruses; it can be fetched as soon as it has been." in page.text
        assert reverse("attachment", args=[copy.id, row.id]) not in page.text
        assert fetch(log_in(person), copy, row).status_code == 403


def test_its_author_is_told_before_sending(no_clamd, attach):
    assert "Not yet checked for viruses" in attach(b"content").text


def test_or_it_is_marked_where_the_organisation_chose_so(no_clamd, received, organization, recipient, log_in):
    mark_instead(organization)
    entry, row = received(b"content")
    assert "Not checked for viruses yet." in log_in(recipient).get(reverse("message", args=[entry.id])).text
    assert fetch(log_in(recipient), entry, row).getvalue() == b"content"


def test_what_the_scanner_finds_too_large_is_held_or_marked(clamd, received, organization, recipient, log_in):
    clamd.limit = 100_000
    entry, row = received(os.urandom(400_000))
    assert row.scan == Scan.TOO_LARGE
    page = reverse("message", args=[entry.id])
    assert "Too large to be checked for viruses; it cannot be fetched." in log_in(recipient).get(page).text
    assert fetch(log_in(recipient), entry, row).status_code == 403
    mark_instead(organization)
    assert "Not checked for viruses: it is too large for that." in log_in(recipient).get(page).text
    assert len(fetch(log_in(recipient), entry, row).getvalue()) == 400_000


def test_a_file_that_was_looked_at_in_part_only_is_not_clean(clamd, attach):
    clamd.answer = "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND"
    attach(b"content")
    assert Attachment.objects.get().scan == Scan.TOO_LARGE


def test_forwarding_a_held_file_opens_no_way_round(no_clamd, received, recipient, send, log_in):
    from messaging.replies import Answer

    entry, row = received(b"content")
    type(row.message).objects.update(may_forward=True, may_download=True)
    answer = Answer(access.openable_entry(recipient, entry.id), False, True)
    forwarded = send(recipient, to="sender@north.example", answer=answer)
    passed_on = forwarded.attachments.get()
    copy = MailboxEntry.objects.get(message=forwarded, owner=recipient)
    assert fetch(log_in(recipient), copy, passed_on).status_code == 403
    # Nor does the whole message as a file hold it.
    eml = log_in(recipient).get(reverse("download", args=[entry.id])).getvalue()
    assert b"report.pdf: Not yet checked for viruses" in eml
    assert b"application/octet-stream" not in eml


# --- Later --------------------------------------------------------------------------------------------------------


def test_it_is_scanned_when_the_scanner_is_back(no_clamd, received, recipient, log_in, settings):
    entry, row = received(b"content")
    make_due()
    assert late_scans.scan_waiting() == 1  # still down: put off
    row.refresh_from_db()
    assert row.scan == Scan.WAITING
    assert row.next_scan_at > moments.now()
    assert late_scans.scan_waiting() == 0
    with running() as (_clamd, settings.CLAMD):
        make_due()
        late_scans.scan_waiting()
    assert fetch(log_in(recipient), entry, row).getvalue() == b"content"
    row.refresh_from_db()
    assert (row.scan, row.next_scan_at) == (Scan.CLEAN, None)


def test_one_that_takes_longer_than_a_task_may_run_is_put_off_for_as_long_as_it_has_waited(
    no_clamd, received, settings, monkeypatch
):
    def told_to_stop(connection: socket.socket):
        raise SoftTimeLimitExceeded

    _entry, row = received(b"content")
    Attachment.objects.update(created_at=moments.now() - timedelta(hours=3))
    monkeypatch.setattr(scanning, "_answer", told_to_stop)
    with running() as (_clamd, settings.CLAMD):
        make_due()
        assert late_scans.scan_waiting() == 1
    row.refresh_from_db()
    assert row.scan == Scan.WAITING
    assert row.next_scan_at > moments.now() + timedelta(hours=2)


def test_it_is_told_before_it_is_killed(settings):
    assert tasks.scan_waiting.soft_time_limit < settings.CELERY_TASK_TIME_LIMIT


def test_a_forwards_file_is_scanned_when_nobody_can_open_the_first_message_any_more(
    no_clamd, received, sender, recipient, colleague, send, log_in, settings
):
    from messaging.replies import Answer

    entry, row = received(b"content")
    type(row.message).objects.update(may_forward=True)
    answer = Answer(access.openable_entry(recipient, entry.id), False, True)
    forwarded = send(recipient, to=colleague.address, answer=answer)
    recall.recall_message(actor=sender, message=row.message)
    MailboxEntry.objects.filter(message=row.message).update(removed_at=moments.now(), wrapped_key=None)
    with running() as (_clamd, settings.CLAMD):
        make_due()
        late_scans.scan_waiting()
    passed_on = forwarded.attachments.get()
    assert fetch(log_in(colleague), copy_of(forwarded, colleague), passed_on).getvalue() == b"content"


def test_one_that_proves_infected_is_destroyed_wherever_it_went(
    no_clamd, received, recipient, send, organization, log_in, settings, django_capture_on_commit_callbacks
):
    from messaging.replies import Answer

    mark_instead(organization)
    entry, row = received(EICAR)
    type(row.message).objects.update(may_forward=True)
    send(recipient, to="sender@north.example", answer=Answer(access.openable_entry(recipient, entry.id), False, True))
    with running() as (_clamd, settings.CLAMD), django_capture_on_commit_callbacks(execute=True):
        make_due()
        late_scans.scan_waiting()
    assert set(Attachment.objects.values_list("scan", flat=True)) == {Scan.INFECTED}
    assert Attachment.objects.count() == 2
    assert not path_of(row.file_id).exists()
    page = log_in(recipient).get(reverse("message", args=[entry.id]))
    assert "Removed: a virus was found in it." in page.text
    assert fetch(log_in(recipient), entry, row).status_code == 403
    found = AuditEvent.objects.filter(action="attachment.scanned", details__virus="Eicar-Signature")
    assert found.count() == 2


def proves_infected(settings) -> None:
    with running() as (_clamd, settings.CLAMD):
        make_due()
        assert late_scans.scan_waiting() == 1
    delivery.deliver_due()


def told(smtp) -> dict[str, str]:
    """What the mails about it say, by their reader."""
    mails = [mail for mail in smtp.messages if "A virus was found" in mail["Subject"]]
    assert len({mail.rcpt[0] for mail in mails}) == len(mails)
    return {mail.rcpt[0]: " ".join(mail.get_body(("plain",)).get_content().split()) for mail in mails}


def test_sender_and_administrators_are_told_by_mail_and_readers_on_the_page(
    no_clamd, received, organization, sender, recipient, administrator, stranger, log_in, settings, smtp
):
    mark_instead(organization)
    entry, row = received(EICAR)
    b"".join(fetch(log_in(recipient), entry, row).streaming_content)
    proves_infected(settings)
    mails = told(smtp)
    assert set(mails) == {sender.address, administrator.address}
    for text in mails.values():
        assert "A virus (Eicar-Signature) was found in a file of" in text
        assert "The file has been destroyed; nobody can fetch it any more." in text
        assert "1 recipient had fetched it before and should not open it." in text
        assert "report.pdf" not in text
    sent = MailboxEntry.objects.get(message=row.message, kind=MailboxEntry.Kind.SENT)
    assert "your message of" in mails[sender.address]
    assert f"/m/{sent.id}/" in mails[sender.address]
    assert f"a message that {sender.address} sent on" in mails[administrator.address]
    assert "/m/" not in mails[administrator.address]
    assert "Removed: a virus was found in it." in log_in(recipient).get(reverse("message", args=[entry.id])).text


def test_whoever_forwarded_it_is_told_of_their_own_message(
    no_clamd, received, recipient, send, organization, sender, settings, smtp
):
    from messaging.replies import Answer

    mark_instead(organization)
    entry, row = received(EICAR)
    type(row.message).objects.update(may_forward=True)
    send(recipient, to="sender@north.example", answer=Answer(access.openable_entry(recipient, entry.id), False, True))
    proves_infected(settings)
    for author in (sender, recipient):
        assert "your message of" in told(smtp)[author.address]
        assert "No recipient had fetched it." in told(smtp)[author.address]


def test_the_author_of_a_draft_is_told_of_that(no_clamd, attach, sender, settings, smtp):
    attach(EICAR)
    proves_infected(settings)
    assert "a file of one of your drafts." in told(smtp)[sender.address]
    assert "fetched it" not in told(smtp)[sender.address]


def test_what_nobody_can_open_any_more_is_let_be(no_clamd, received, sender, settings):
    _entry, row = received(b"content")
    MailboxEntry.objects.update(removed_at=moments.now(), wrapped_key=None)
    with running() as (_clamd, settings.CLAMD):
        make_due()
        assert late_scans.scan_waiting() == 1
    row.refresh_from_db()
    assert row.scan == Scan.WAITING

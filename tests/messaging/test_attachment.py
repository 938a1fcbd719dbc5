import os
import time
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from messaging import access, attachments, file_names
from messaging.models import Attachment, MailboxEntry, Message
from messaging.replies import Answer
from messaging.sealed_files import CHUNK_BYTES, path_of
from portal.ids import uuid7
from portal.models import Organization

from .conftest import copy_of, file_named


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 1_000_000])
def test_it_comes_back_byte_for_byte(size, send_file, recipient, log_in):
    content = os.urandom(size)
    url, row = send_file(content)
    response = log_in(recipient).get(url)
    assert response.getvalue() == content
    assert response["Content-Length"] == str(size)
    assert row.size == size


def test_it_is_a_download_with_safe_headers(send_file, recipient, log_in):
    url, _row = send_file(b"x", "Befund März.pdf")
    response = log_in(recipient).get(url)
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''Befund%20M%C3%A4rz.pdf"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert set(response["Content-Security-Policy"].split("; ")) == {"sandbox", "default-src 'none'"}
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "data.xml"])
def test_what_a_browser_might_run_is_sent_as_bytes(name, send_file, recipient, log_in):
    url, _row = send_file(b"<script>1</script>", name)
    assert log_in(recipient).get(url)["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("person", ["second_recipient", "stranger", "colleague", "administrator", "sender"])
def test_it_checks_ownership(person, send_file, log_in, request):
    url, _row = send_file(b"x")
    assert log_in(request.getfixturevalue(person)).get(url).status_code == 404


def test_each_of_a_messages_files_has_its_address(sender, recipient, log_in):
    texts = {"first.txt": b"one", "second.txt": b"two", "third.txt": b"three"}
    files = [file_named(name, content) for name, content in texts.items()]
    form = {"to": recipient.address, "subject": "s", "body": "b", "action": "send", "files": files}
    log_in(sender).post(reverse("draft", args=[uuid7()]), form)
    message = Message.objects.get()
    client = log_in(recipient)
    for row in message.attachments.all():
        response = client.get(reverse("attachment", args=[copy_of(message, recipient).id, row.id]))
        name = response["Content-Disposition"].partition('filename="')[2].rstrip('"')
        assert response.getvalue() == texts.pop(name)
    assert texts == {}


def test_an_attachment_of_another_message_is_not_found(send_file, recipient, log_in):
    first, _row = send_file(b"one")
    _second, other = send_file(b"two")
    assert log_in(recipient).get(first[:-37] + f"{other.id}/").status_code == 404


def test_after_a_recall_there_is_no_file(send_file, sender, recipient, log_in):
    from messaging.recall import recall_message

    url, row = send_file(b"x")
    recall_message(actor=sender, message=row.message)
    answer = log_in(recipient).get(url)
    assert answer.status_code == 410
    assert "recalled" in answer.text


def test_nor_after_it_has_expired(send_file, recipient, log_in):
    url, row = send_file(b"x")
    Message.objects.update(expires_at=timezone.now() - timedelta(seconds=1), may_download=True)
    client = log_in(recipient)
    for address in (url, reverse("download", args=[copy_of(row.message, recipient).id])):
        answer = client.get(address)
        assert answer.status_code == 410
        assert "expired" in answer.text


def test_a_changed_file_is_never_released(send_file, recipient, log_in):
    url, row = send_file(bytes(2 * CHUNK_BYTES))
    path = path_of(row.file_id)
    sealed = bytearray(path.read_bytes())
    sealed[-1] ^= 1
    path.write_bytes(sealed)
    response = log_in(recipient).get(url)
    received = b""
    with pytest.raises(Exception, match="chunk 1"):
        for chunk in response.streaming_content:
            received += chunk
    assert len(received) == CHUNK_BYTES  # the first chunk, verified; nothing of the changed one


def test_a_truncated_or_missing_file_is_an_error_not_a_short_file(send_file, recipient, log_in):
    url, row = send_file(bytes(2 * CHUNK_BYTES))
    client = log_in(recipient)
    path = path_of(row.file_id)
    path.write_bytes(path.read_bytes()[: CHUNK_BYTES + 17])
    assert client.get(url).status_code == 500
    path.unlink()
    assert client.get(url).status_code == 500


def test_files_sent_to_other_pages_are_dropped(recipient, log_in, settings):
    before = list(settings.ATTACHMENTS_DIR.glob("??/*"))
    response = log_in(recipient).post("/messages/delete/", {"entry": "x", "files": file_named("a", b"x")})
    assert response.status_code == 302
    assert list(settings.ATTACHMENTS_DIR.glob("??/*")) == before


def test_files_of_strangers_are_dropped(client, db, settings):
    before = list(settings.ATTACHMENTS_DIR.glob("??/*"))
    client.post(reverse("draft", args=[uuid7()]), {"body": "x", "files": file_named("a", b"x")})
    assert list(settings.ATTACHMENTS_DIR.glob("??/*")) == before
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Users\\x.txt", "C__Users_x.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nb\x00.txt", "ab.txt"),
        ("CON.txt", "_CON.txt"),
        ("...", "attachment"),
        ("", "attachment"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("结果.pdf", "结果.pdf"),
    ],
)
def test_names_are_only_names(name, clean):
    assert file_names.clean_name(name) == clean


def test_too_many_are_refused_and_said(sender, write, log_in):
    entry = write(sender, to="x@outside.example")
    address = reverse("draft", args=[entry.message_id])
    client = log_in(sender)
    form = {"to": "x@outside.example", "subject": "s", "body": "b"}
    client.post(address, form | {"action": "attach", "files": [file_named(f"{n}.txt", b"x") for n in range(50)]})
    page = client.post(address, form | {"action": "send", "files": file_named("one-too-many.txt", b"x")}, follow=True)
    assert "one-too-many.txt” was not attached" in page.text
    assert Message.objects.get().sent_at is None
    assert Attachment.objects.count() == 50


def test_a_form_with_more_than_a_message_carries_loses_neither_its_text_nor_the_others(sender, log_in, settings):
    before = set(settings.ATTACHMENTS_DIR.glob("??/*"))
    files = [file_named(f"{n}.txt", b"x") for n in range(1, 53)]
    form = {"to": "x@outside.example", "subject": "s", "body": "kept text", "action": "send", "files": files}
    page = log_in(sender).post(reverse("draft", args=[uuid7()]), form, follow=True)
    assert page.status_code == 200
    assert "kept text" in page.text
    for name in ("51.txt", "52.txt"):
        assert f"“{name}” was not attached: a message carries at most 50 attachments." in page.text
    assert Message.objects.get().sent_at is None
    assert Attachment.objects.count() == 50
    assert len(set(settings.ATTACHMENTS_DIR.glob("??/*")) - before) == 50


def limit(organization, **fields) -> None:
    Organization.objects.filter(id=organization.id).update(**fields)


def test_a_file_over_the_limit_is_refused_while_it_arrives(attach, organization, settings):
    limit(organization, max_attachment_mb=1)
    page = attach(bytes(1024 * 1024 + 1), "big.iso")
    assert "“big.iso” was not attached: an attachment may be 1 MB at most." in page.text
    assert "kept text" in page.text
    assert Attachment.objects.count() == 0
    assert not list(settings.ATTACHMENTS_DIR.glob("??/*.part"))
    attach(bytes(1024 * 1024), "fits.iso")
    assert Attachment.objects.count() == 1


def test_what_may_be_attached_is_said_before(sender, organization, log_in):
    limit(organization, max_attachment_mb=3, max_message_mb=7, forbidden_types=".EXE, bat")
    page = log_in(sender).get(reverse("compose")).text
    assert "Up to 50 files of at most 3.0\xa0MB each, 7.0\xa0MB together." in page
    assert "Not taken, nor in a ZIP archive: bat, exe." in page


def test_a_message_and_a_persons_storage_are_limited(attach, organization):
    limit(organization, max_message_mb=1)
    attach(bytes(700_000), "one.bin")
    assert "take at most 1 MB together" in attach(bytes(700_000), "two.bin").text
    limit(organization, max_message_mb=10, storage_mb=1)
    assert "your storage of 1 MB is full" in attach(bytes(700_000), "three.bin").text
    assert Attachment.objects.count() == 1


def test_a_forms_files_are_limited_together_while_they_arrive(sender, log_in, organization, monkeypatch):
    limit(organization, max_message_mb=1)
    arrived = []
    monkeypatch.setattr(attachments, "attach", lambda message, key, uploads: arrived.extend(uploads) or [])
    files = [file_named(name, bytes(700_000)) for name in ("one.bin", "two.bin")]
    log_in(sender).post(reverse("draft", args=[uuid7()]), {"body": "b", "action": "attach", "files": files})
    assert [upload.size for upload in arrived] == [700_000, 0]
    assert "take at most 1 MB together" in arrived[1].problem


def test_storage_is_free_again_once_the_sent_copy_is_removed(
    send_file, sender, recipient, organization, attach, log_in
):
    limit(organization, storage_mb=1)
    url, row = send_file(bytes(700_000), "one.bin")
    client, copy = log_in(sender), copy_of(row.message, sender)
    client.post(reverse("delete"), {"entry": str(copy.id)})
    assert "your storage of 1 MB is full" in attach(bytes(700_000), "two.bin").text
    client.post(reverse("remove"), {"entry": str(copy.id), "sure": "yes"})
    assert "is full" not in attach(bytes(700_000), "two.bin").text
    assert len(log_in(recipient).get(url).getvalue()) == 700_000  # theirs is not the sender's to remove
    assert "your storage of 1 MB is full" in attach(bytes(700_000), "three.bin").text  # a draft counts


def test_a_file_sent_on_takes_its_room_once(send_file, sender, send, organization, attach):
    limit(organization, storage_mb=1)
    _url, row = send_file(bytes(400_000))
    for _n in range(3):
        answer = Answer(access.openable_entry(sender, copy_of(row.message, sender).id), is_forward=True)
        send(sender, to="third@outside.example", answer=answer)
    assert "is full" not in attach(bytes(400_000)).text
    assert "is full" in attach(bytes(400_000)).text


@pytest.mark.parametrize("name", ["setup.exe", "letter.EXE", "invoice.exe.txt", "link.lnk"])
def test_forbidden_types_are_refused(name, attach):
    assert "does not allow files of the type" in attach(b"x", name).text
    assert Attachment.objects.count() == 0


@pytest.mark.parametrize("content", [b"MZ\x90\x00", b"\x7fELF\x02", b"#!/bin/sh"])
def test_a_program_under_another_name_is_refused(content, attach):
    assert "its content is a program" in attach(content, "holiday.jpg").text
    assert Attachment.objects.count() == 0


@pytest.mark.parametrize("content", [b"<!DOCTYPE html>", b"\xef\xbb\xbf\r\n<svg onload=x>", b"<?xml version='1.0'?>"])
def test_a_web_page_under_a_quiet_name_is_refused(content, attach):
    assert "its content is a web page" in attach(content, "holiday.jpg").text
    assert Attachment.objects.count() == 0


@pytest.mark.parametrize(("content", "name"), [(b"<html>", "page.html"), (b"<?xml ?>", "a.xml"), (b"\x89PNG", "a.jpg")])
def test_what_says_what_it_is_or_harms_nobody_is_attached(content, name, attach):
    attach(content, name)
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["отчёт.pdf", "结果.pdf", "报告 😀.pdf", "تقرير.pdf", "Straße — “1”.pdf", "a'b;c%41.pdf"]
)
def test_names_of_every_script_come_back(name, send_file, recipient, log_in):
    url, row = send_file(b"x", name)
    disposition = log_in(recipient).get(url)["Content-Disposition"]
    _form, _separator, encoded = disposition.partition("filename*=utf-8''")
    assert (unquote(encoded) if encoded else disposition.partition('filename="')[2].rstrip('"')) == name
    assert escape(name) in log_in(recipient).get(url.partition("attachments/")[0]).text


def test_a_disk_that_cannot_be_written_is_said_and_loses_no_text(attach, settings, tmp_path):
    in_the_way = tmp_path / "attachments"
    in_the_way.write_text("a file where the folder should be")
    settings.ATTACHMENTS_DIR = in_the_way
    page = attach(b"x", "report.pdf")
    assert "could not be stored just now" in page.text
    assert "kept text" in page.text


def test_orphans_are_collected_after_an_hour(send_file, settings):
    _url, row = send_file(b"known")
    orphan = path_of(uuid7())
    orphan.parent.mkdir(parents=True, exist_ok=True)
    orphan.write_bytes(b"x")
    unfinished = orphan.with_name(orphan.name + ".part")
    unfinished.write_bytes(b"x")
    old = time.time() - attachments.ORPHAN_SECONDS - 1
    os.utime(path_of(row.file_id), (old, old))
    attachments.collect_orphans()
    assert orphan.exists()  # an upload may still be under way
    os.utime(orphan, (old, old))
    os.utime(unfinished, (old, old))
    attachments.collect_orphans()
    assert not orphan.exists()
    assert not unfinished.exists()
    assert path_of(row.file_id).exists()


@pytest.mark.django_db
def test_one_that_cannot_be_deleted_keeps_no_other(settings, tmp_path):
    settings.ATTACHMENTS_DIR = tmp_path
    stuck, orphan = path_of(uuid7()), path_of(uuid7())
    stuck.mkdir(parents=True)
    orphan.parent.mkdir(exist_ok=True)
    orphan.touch()
    for path in (stuck, orphan):
        os.utime(path, (0, 0))
    assert attachments.collect_orphans() == 1
    assert stuck.exists()
    assert not orphan.exists()


@pytest.mark.django_db
def test_orphans_are_looked_up_many_at_once_and_what_is_not_ours_stays(settings, tmp_path, django_assert_num_queries):
    settings.ATTACHMENTS_DIR = tmp_path
    orphans = [path_of(uuid7()) for _ in range(30)]
    foreign = tmp_path / "ab" / "README"
    for path in (*orphans, foreign):
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (0, 0))
    with django_assert_num_queries(1):
        assert attachments.collect_orphans() == 30
    assert not any(path.exists() for path in orphans)
    assert foreign.exists()


def test_a_file_that_vanishes_meanwhile_is_no_orphan(settings, tmp_path, monkeypatch):
    settings.ATTACHMENTS_DIR = tmp_path
    folder = tmp_path / "ab"
    folder.mkdir()
    for _n in range(5):
        (folder / uuid7().hex).touch()
    old = attachments._files_older_than(time.time() + 1)
    _id, first = next(old)
    for path in set(folder.iterdir()) - {first}:
        path.unlink()
    assert list(old) == []


def test_it_takes_two_queries(send_file, recipient, sender, log_in, django_assert_num_queries):
    """The session with its user, the copy with its message and the attachment."""
    _url, row = send_file(b"content")
    copy = MailboxEntry.objects.get(message=row.message_id, kind=MailboxEntry.Kind.SENT)
    client = log_in(sender)
    client.get("/sent/")
    with django_assert_num_queries(2):
        assert b"".join(client.get(f"/messages/{copy.id}/attachments/{row.id}/").streaming_content) == b"content"

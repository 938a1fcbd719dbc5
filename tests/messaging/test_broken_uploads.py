"""Uploads that end in the middle: nothing half is left, and choosing the file again attaches it once."""

import os
import resource
import socket
from contextlib import closing
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from messaging import attachments, uploads
from messaging.models import Attachment, Message
from portal.ids import uuid7

from .conftest import file_named

MIB = 1024 * 1024


def stored(settings) -> set:
    return set(settings.ATTACHMENTS_DIR.glob("??/*"))


@pytest.fixture
def form() -> dict[str, str]:
    return {"to": "first@outside.example", "subject": "s", "body": "kept text", "action": "attach"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("received", [100_000, 2_000_000])
def test_a_connection_that_breaks_leaves_nothing(received, live_server, sender, log_in, form, settings):
    before, client = stored(settings), log_in(sender)
    path = reverse("draft", args=[uuid7()])
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(live_server.url).netloc}\r\n"
        f"Cookie: session={client.cookies['session'].value}; csrf={'a' * 32}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000\r\nConnection: close\r\n\r\n"
    )
    part = "--b\r\nContent-Disposition: form-data; name={}\r\n\r\n{}\r\n"
    fields = "".join(part.format(name, value) for name, value in {**form, "csrfmiddlewaretoken": "a" * 32}.items())
    file = "--b\r\nContent-Disposition: form-data; name=files; filename=report.pdf\r\n\r\n"
    address = urlsplit(live_server.url)
    with closing(socket.create_connection((address.hostname, address.port))) as connection:
        connection.sendall((head + fields + file).encode() + bytes(received))
        connection.shutdown(socket.SHUT_WR)  # and not a byte more
        while connection.recv(65536):
            pass
    assert stored(settings) == before
    assert not Attachment.objects.exists()
    client.post(path, form | {"files": file_named("report.pdf", bytes(5_000_000))})
    assert [row.size for row in Attachment.objects.all()] == [5_000_000]
    assert Message.objects.count() == 1


def test_a_disk_that_fills_in_the_middle_is_said_and_leaves_nothing(sender, log_in, form, settings):
    """Not a disk, but the system refuses to let a file grow any further, which comes to the same."""
    before, client, path = stored(settings), log_in(sender), reverse("draft", args=[uuid7()])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (24 * MIB, hard))
    try:
        page = client.post(path, form | {"files": file_named("report.pdf", bytes(25 * MIB))}, follow=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "“report.pdf” was not attached: it could not be stored just now." in page.text
    assert "kept text" in page.text
    assert stored(settings) == before
    page = client.post(path, form | {"files": file_named("report.pdf", bytes(25 * MIB))}, follow=True)
    assert "was not attached" not in page.text
    assert Attachment.objects.count() == 1


@pytest.fixture
def two_files(form, sender, log_in):
    """two_files() → the page that answers a form with them."""

    def post():
        both = [file_named("first.pdf", b"%PDF-1"), file_named("second.pdf", b"%PDF-2")]
        return log_in(sender).post(reverse("draft", args=[uuid7()]), form | {"files": both}, follow=True)

    return post


def before_each(monkeypatch, method: str, do) -> None:
    """do(handler) before that method of the upload handler."""
    original = getattr(uploads.SealingUploadHandler, method)
    monkeypatch.setattr(uploads.SealingUploadHandler, method, lambda self, *args: (do(self), original(self, *args))[1])


def make_old(settings) -> None:
    for path in stored(settings):
        os.utime(path, (0, 0))


def test_a_forms_first_file_outlives_the_hours_its_last_takes(two_files, settings, tmp_path, monkeypatch):
    settings.ATTACHMENTS_DIR = tmp_path
    monkeypatch.setattr(uploads, "_KEEP_ALIVE_SECONDS", 0)
    before_each(monkeypatch, "new_file", lambda handler: make_old(settings))
    before_each(monkeypatch, "file_complete", lambda handler: attachments.collect_orphans())
    assert "was not attached" not in two_files().text
    assert len(stored(settings)) == Attachment.objects.count() == 2


def test_a_file_that_is_gone_is_asked_for_again(two_files, settings, tmp_path, monkeypatch):
    settings.ATTACHMENTS_DIR = tmp_path
    before_each(monkeypatch, "new_file", lambda handler: [path.unlink() for path in stored(settings)])
    page = two_files().text
    assert "“first.pdf” was not attached: it could not be stored. Please attach it again." in page
    assert "kept text" in page
    assert len(stored(settings)) == Attachment.objects.count() == 1


@pytest.fixture
def refused(sender, log_in, form, settings, tmp_path):
    """refused(client=…, **form) → the answer to a form with a file, nothing of which may be left."""
    settings.ATTACHMENTS_DIR = tmp_path

    def post(client=None, address=None, **fields):
        fields = form | {"files": file_named("report.pdf", b"%PDF-")} | fields
        return (client or log_in(sender)).post(address or reverse("draft", args=[uuid7()]), fields)

    yield post
    assert stored(settings) == set()
    assert not Attachment.objects.exists()


@pytest.fixture
def checked(sender):
    """Whose forms are checked, and so read, before their view runs."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(sender)
    client.get(reverse("compose"))
    return client


def test_a_form_with_a_stale_token_leaves_nothing(refused, checked):
    assert refused(checked, csrfmiddlewaretoken="x" * 32).status_code == 403


def test_nor_one_to_somebody_elses_draft(refused, checked, write, recipient):
    address = reverse("draft", args=[write(recipient).message_id])
    assert refused(checked, address, csrfmiddlewaretoken=checked.cookies["csrf"].value).status_code == 404


def test_nor_a_file_in_another_field(refused):
    assert refused(files="", note=file_named("report.pdf", b"%PDF-")).status_code == 302


def test_nor_a_form_that_cannot_be_written_down(refused, monkeypatch):
    monkeypatch.setattr(Attachment.objects, "bulk_create", lambda rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        refused()


def test_nor_a_line_that_breaks_in_the_second_file(refused, checked):
    class Line(BytesIO):
        def read(self, *size) -> bytes:
            if data := super().read(*size):
                return data
            raise ConnectionResetError

    part = "--b\r\nContent-Disposition: form-data; name=files; filename={}\r\n\r\n{}"
    body = part.format("first.pdf", "%PDF-\r\n") + part.format("second.pdf", "%PDF-" * 30_000)
    extra = {
        "wsgi.input": Line(body.encode()),
        "CONTENT_LENGTH": 1_000_000,
        "CONTENT_TYPE": "multipart/form-data; boundary=b",
    }
    checked.post(reverse("draft", args=[uuid7()]), **extra)

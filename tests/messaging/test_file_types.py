"""What a file is, beside what its name says it is: told where they differ, refused where the true type is forbidden."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import wave
import zipfile

import openpyxl
import pytest
from django.urls import reverse

from messaging import file_types
from messaging.models import Attachment
from messaging.uploads import SealedUpload
from portal.models import Organization
from tests import small_pictures

from .conftest import copy_of

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"


def made_by(write) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def zipped(*names: str, content: bytes = b"x") -> bytes:
    def write(file):
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, content)

    return made_by(write)


def open_document(kind: str) -> bytes:
    def write(file):
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("mimetype", kind)
            archive.writestr("content.xml", "<x/>")

    return made_by(write)


def recording() -> bytes:
    def write(file):
        with wave.open(file, "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(64))

    return made_by(write)


def tar() -> bytes:
    def write(file):
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a.txt"))

    return made_by(write)


# As programs write them, where one is at hand; else as their specifications have them begin.
REAL = {
    "letter.pdf": PDF,
    "letter.docx": zipped("[Content_Types].xml", "word/document.xml"),
    "table.xlsx": made_by(openpyxl.Workbook().save),
    "table.xlsm": zipped("[Content_Types].xml", "xl/vbaProject.bin"),
    "old.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    "protected.xlsx": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    "letter.odt": open_document("application/vnd.oasis.opendocument.text"),
    "book.epub": open_document("application/epub+zip"),
    "letter.rtf": rb"{\rtf1\ansi Hello}",
    "figure.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "photo.PNG": small_pictures.png(2, 2),
    "photo.jpg": small_pictures.jpeg(2, 2),
    "photo.webp": small_pictures.lossy_webp(2, 2),
    "photo.gif": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
    "photo.bmp": b"BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0",
    "photo.tif": b"II*\0\x08\0\0\0",
    "photo.heic": b"\0\0\0\x18ftypheic\0\0\0\0",
    "film.mp4": b"\0\0\0\x18ftypmp42\0\0\0\0",
    "film.mov": b"\0\0\0\x14ftypqt  \0\0\0\0",
    "film.mkv": b"\x1a\x45\xdf\xa3\x01\0\0\0",
    "song.mp3": b"\xff\xfb\x90\x64" + bytes(100),
    "odd.mp3": bytes(100),
    "memo.amr": b"#!AMR\n\x3c",
    "memo.wav": recording(),
    "all.zip": zipped("a.txt"),
    "none.zip": zipped(),
    "tool.jar": zipped("META-INF/MANIFEST.MF", "A.class"),
    "all.tgz": gzip.compress(tar()),
    "all.bz2": bz2.compress(b"x"),
    "all.xz": lzma.compress(b"x"),
    "all.tar": tar(),
    "disc.iso": bytes(32768) + b"\x01CD001\x01",
    "notes.txt": "Grüße – 你好\n".encode(),
    "legacy.csv": "Größe;Preis\r\n".encode("cp1252"),
    "wide.txt": "Grüße".encode("utf-16"),
    "japanese.txt": "こんにちは".encode("iso2022_jp"),
    "page.html": b"<p>no more than a paragraph</p>",
    "data.xml": b"<?xml version='1.0'?><a/>",
    "drawing.svg": b"<!-- a comment first --><svg/>",
    "text.txt": b"<html> is what a page begins with",
    "mail.eml": b"From: a@outside.example\r\n\r\nThe free text",
    "photos.db": b"SQLite format 3\0",
    "README": PDF,
    "drawing.dwg": b"AC1032" + bytes(20),
    "nothing.pdf": b"",
}


def in_short(value: bytes | str) -> str:
    """For the tests' names: archives hold the moment they were made at."""
    return value if isinstance(value, str) else ""


@pytest.fixture
def note(attach):
    """note(content, name): what the file's author is told of it."""

    def told(content: bytes, name: str) -> str:
        attach(content, name)
        return file_types.in_words(Attachment.objects.get().doubt)

    return told


@pytest.mark.parametrize("name", REAL)
def test_nothing_is_said_of_what_is_what_its_name_says(name, note):
    assert note(REAL[name], name) == ""


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (PDF, "photo.jpg", "a PDF document"),
        (small_pictures.png(2, 2), "letter.pdf", "a PNG picture"),
        (small_pictures.jpeg(2, 2), "photo.png", "a JPEG picture"),
        (REAL["all.zip"], "letter.docx", "a ZIP archive"),
        (REAL["letter.docx"], "all.zip", "an Office document"),
        (REAL["table.xlsm"], "table.xlsx", "an Office document with macros"),
        (REAL["table.xlsm"], "table.xls", "an Office document with macros"),
        (REAL["letter.rtf"], "letter.doc", "an RTF document"),
        (REAL["tool.jar"], "all.zip", "a Java program"),
        (b"<html><table>", "table.xls", "a web page"),
        (REAL["letter.odt"], "letter.docx", "an OpenDocument document"),
        (REAL["disc.iso"], "film.mp4", "an image of a disc"),
        (b"not a document at all", "letter.pdf", "plain text"),
        (REAL["all.tar"], "notes.txt", "a TAR archive"),
    ],
    ids=in_short,
)
def test_another_type_than_the_name_says_is_told(content, name, kind, note):
    assert note(content, name) == f"Its content is {kind}, which its name does not say."


@pytest.mark.parametrize("name", ["letter.pdf", "photo.jpg", "notes.txt", "letter.docx"])
def test_so_is_content_that_is_nothing_known(name, note):
    assert note(bytes(range(256)), name) == "Its content is not what its name says."


def test_author_and_readers_are_told_beside_the_file(attach, sender, recipient, log_in):
    told = "Its content is a ZIP archive, which its name does not say."
    assert told in attach(REAL["all.zip"], "letter.pdf").text
    attach(b"plain", "notes.txt", action="send")
    message = Attachment.objects.first().message
    for person in (sender, recipient):
        page = log_in(person).get(reverse("message", args=[copy_of(message, person).id])).text
        assert page.count(told) == 1


def test_a_forward_tells_its_readers_too(attach, recipient, sender, send):
    from messaging import access
    from messaging.replies import Answer

    attach(REAL["all.zip"], "letter.pdf", action="send")
    message = Attachment.objects.get().message
    type(message).objects.update(may_forward=True)
    answer = Answer(access.openable_entry(recipient, copy_of(message, recipient).id), False, True)
    assert send(recipient, to=sender.address, answer=answer).attachments.get().doubt == "zip"


@pytest.mark.parametrize(
    ("forbidden", "content", "name", "kind"),
    [
        ("zip", REAL["all.zip"], "letter.pdf", "a ZIP archive"),
        ("docm", REAL["table.xlsm"], "table.docx", "an Office document with macros"),
        ("lnk", b"\x4c\0\0\0\x01\x14\x02\0" + bytes(12), "letter.pdf", "a Windows shortcut"),
        ("html", b"<html>", "table.xls", "a web page"),
    ],
    ids=in_short,
)
def test_a_forbidden_type_is_refused_under_any_other_name(forbidden, content, name, kind, attach):
    Organization.objects.update(forbidden_types=forbidden)
    page = attach(content, name).text
    assert f"“{name}” was not attached: its content is {kind}, which your organisation does not allow." in page
    assert not Attachment.objects.exists()


def test_a_type_is_not_forbidden_for_a_neighbours_ending(attach):
    Organization.objects.update(forbidden_types="docm, html")
    for name in ("table.xlsm", "notes.txt", "letter.docx"):
        attach(REAL[name], name)
    assert Attachment.objects.count() == 3


def test_the_head_is_whole_however_the_bytes_arrive(rf, sender):
    from messaging.uploads import SealingUploadHandler

    request = rf.post("/")
    request.user = sender
    request.resolver_match = type("Match", (), {"func": type("View", (), {"receives_files": True})})
    handler = SealingUploadHandler(request)
    handler.new_file("files", "film.mp4", "video/mp4", None)
    content, at = REAL["disc.iso"], 0
    for size in (1, 10, 20_000, len(content)):
        handler.receive_data_chunk(content[at : at + size], at)
        at += size
    upload = handler.file_complete(len(content))
    assert isinstance(upload, SealedUpload)
    assert upload.look.kind.name == "iso"
    upload.discard()


@pytest.mark.parametrize("size", [0, 1, 16, file_types.HEAD_BYTES])
def test_noise_is_of_one_kind_or_none(size):
    for _n in range(50):
        assert file_types.kind_of(os.urandom(size)).name in file_types._BY_NAME

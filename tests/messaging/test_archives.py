"""What lies in a ZIP archive, without unpacking it."""

import io
import os
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging import archives, file_types
from messaging.models import Attachment
from messaging.sealed_files import CHUNK_BYTES, SealedReader, SealedWriter, path_of
from portal.ids import uuid7
from portal.keyring import new_key
from portal.models import Organization

from .test_file_types import REAL, zipped

FORBIDDEN = frozenset({"exe"})


@pytest.fixture
def stored(db, settings, tmp_path):
    """stored(content) → the id and key of a sealed file."""
    settings.ATTACHMENTS_DIR = tmp_path

    return store


def store(content: bytes):
    file_id, key = uuid7(), new_key()
    writer = SealedWriter(file_id, key)
    writer.write(content)
    writer.finish()
    return file_id, key


def look(content: bytes) -> archives.Look:
    file_id, key = store(content)
    try:
        return archives.look_into(file_id, key, len(content), file_types.ZIP, FORBIDDEN)
    finally:
        path_of(file_id).unlink()


@pytest.mark.parametrize("name", ["setup.exe", "in/a/folder/setup.EXE", "setup.exe.txt", "setup.exe. ", "файл.exe"])
def test_a_forbidden_type_in_an_archive_is_refused_and_named(name, attach):
    page = attach(zipped("letter.txt", name), "all.zip").text
    assert f"“all.zip” was not attached: “{name}” is in it" in page
    assert "does not allow files of the type .exe." in page
    assert not Attachment.objects.exists()


def test_so_it_is_under_another_name_and_beside_a_document(attach):
    for name in ("all.jar", "all", "letter.pdf"):
        attach(zipped("setup.exe"), name)
    attach(zipped("[Content_Types].xml", "setup.exe"), "all.zip")
    assert not Attachment.objects.exists()


def test_so_it_is_behind_something_else(attach):
    for name in ("all.zip", "all.zip\u200b"):
        assert "“setup.exe” is in it" in attach(b"\0" + zipped("setup.exe"), name).text
    assert not Attachment.objects.exists()


def test_parts_of_a_document_are_not_files(attach):
    Organization.objects.update(forbidden_types="xml, bin")
    for name in ("letter.docx", "table.xlsx", "letter.odt", "table.xlsm"):
        attach(REAL[name], name)
    assert Attachment.objects.count() == 4


def test_folders_and_the_unforbidden_pass(attach):
    attach(zipped("exe/letter.txt", "letter.txt", "exe/"), "all.zip")
    assert Attachment.objects.get().doubt == ""


def test_what_comes_before_and_after_hides_nothing(stored):
    """A program that unpacks itself, and a comment that could hold a list's end."""
    archive = zipped("setup.exe")
    assert look(os.urandom(200_000) + archive).forbidden == "setup.exe"
    commented = io.BytesIO(archive)
    with zipfile.ZipFile(commented, "a") as file:
        file.comment = b"x" * 65_535
    assert look(commented.getvalue()).forbidden == "setup.exe"


def test_one_with_a_password_is_read_by_its_names_and_told(attach):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("letter.txt", b"x")
    locked = bytearray(file.getvalue())
    for head, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(head) + flags] |= 1
    page = attach(bytes(locked), "all.zip").text
    assert "Locked with a password: nobody could look into it on its way." in page
    attach(bytes(locked).replace(b"letter.txt", b"setup1.exe"), "other.zip")
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(100), zipped("a.txt")[:-30]], ids=["noise", "cut"])
def test_one_that_cannot_be_read_is_never_passed_off_as_harmless(content, attach):
    assert "An archive that could not be looked into." in attach(content, "all.zip").text


def test_a_list_that_is_too_long_is_not_read_into_memory(stored, monkeypatch):
    monkeypatch.setattr(archives, "MOST_LIST_BYTES", 2_000)
    assert look(zipped(*(f"{n}.txt" for n in range(20)))).doubt == ""
    assert look(zipped(*(f"{n}.txt" for n in range(100)))).doubt == file_types.CLOSED


def test_one_that_would_burst_is_looked_into_like_any_other(stored):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.txt", bytes(20_000_000))
    assert look(file.getvalue()) == archives.Look(file_types.ZIP)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 400), junk=st.binary(min_size=1, max_size=12))
def test_no_damage_stops_the_portal(at, junk):
    content = bytearray(zipped("a.txt", "ü.txt", "c/d.txt"))
    content[at : at + len(junk)] = junk
    assert look(bytes(content)).kind in (file_types.ZIP, file_types.OFFICE, file_types.JAVA)


@pytest.mark.parametrize("at", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 5, 150_000, 160_000])
def test_a_sealed_file_is_read_from_anywhere(at, stored):
    content = os.urandom(150_000)
    with io.BufferedReader(SealedReader(*stored(content), 150_000)) as file:
        file.seek(at)
        assert file.read(70_000) == content[at : at + 70_000]
        assert file.seek(-5, io.SEEK_END) == 149_995
        assert file.read() == content[-5:]

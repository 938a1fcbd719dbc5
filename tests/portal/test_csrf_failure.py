"""A form that fails its check gives back what was typed (DESIGN.md, decision 14)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from portal.ids import uuid7


@pytest.fixture
def checked(recipient) -> Client:
    """A browser of the recipient's, whose forms are checked."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(recipient)
    return client


def post(client: Client, fields: dict, **extra):
    return client.post(reverse("draft", args=[uuid7()]), fields, **extra)


def test_it_gives_back_what_was_typed(checked):
    page = post(checked, {"to": "somebody@north.example", "subject": "An hour's work", "body": "Line 1\nLine 2"})

    assert page.status_code == 403
    text = page.content.decode()
    assert "somebody@north.example</textarea>" in text
    assert "An hour&#x27;s work</textarea>" in text
    assert "Line 1\nLine 2</textarea>" in text
    assert "Copy it" in text


def test_formatted_text_comes_back_as_words(checked):
    page = post(checked, {"body": "<div>Dear all,</div><ul><li>one</li></ul>", "body_format": "html"})

    assert "Dear all,\n\none</textarea>" in page.content.decode()


def test_what_was_typed_is_text(checked):
    page = post(checked, {"subject": "</textarea><script>alert(1)</script>"})

    assert "<script>alert" not in page.content.decode()


@pytest.mark.parametrize("field", ["password", "new_password", "confirm_password"])
def test_it_never_gives_back_a_password(client, organization, field):
    checked = Client(enforce_csrf_checks=True)

    page = checked.post("/p/north/", {"address": "first@outside.example", field: "correct horse"})

    text = page.content.decode()
    assert page.status_code == 403
    assert "first@outside.example" in text
    assert "correct horse" not in text


def test_prose_of_a_form_that_it_does_not_know_comes_back_too(checked):
    assert "A note of mine</textarea>" in post(checked, {"note": "A note of mine"}).content.decode()


def test_it_leaves_out_what_nobody_typed(checked):
    page = post(
        checked, {"next": "/inbox/", "action": "save", "answers": str(uuid7()), "is_forward": "False", "cc": " "}
    )

    assert "<textarea" not in page.content.decode()
    assert "reload the page" in page.content.decode()


def test_the_words_of_another_site_are_not_repeated(checked):
    page = post(checked, {"subject": "Ring this number"}, headers={"origin": "https://evil.example"})

    assert page.status_code == 403
    assert "Ring this number" not in page.content.decode()


def test_a_file_is_not_kept(checked, settings):
    before = _stored(settings)
    page = post(checked, {"subject": "With a file", "files": SimpleUploadedFile("a.txt", b"x" * 100_000)})

    assert page.status_code == 403
    assert "With a file" in page.content.decode()
    assert "have to be attached again" in page.content.decode()
    assert _stored(settings) == before


def _stored(settings) -> set:
    return set(settings.ATTACHMENTS_DIR.rglob("*")) if settings.ATTACHMENTS_DIR.exists() else set()

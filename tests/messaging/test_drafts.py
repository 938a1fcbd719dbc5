"""Drafts: saved while one types, and in two windows at once without one eating the other's text."""

from io import BytesIO

import pytest
from django.urls import reverse

from messaging.models import Message
from portal.ids import uuid7

from .conftest import BODY, SUBJECT


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
    assert answer.json() == {"url": address, "revision": 1, "warning": ""}
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

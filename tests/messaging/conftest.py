from collections.abc import Callable
from io import BytesIO

import pytest
from django.urls import reverse

from accounts.models import User
from messaging import drafts, sending
from messaging.bodies import from_plain_text
from messaging.drafts import DraftText
from messaging.models import Attachment, MailboxEntry, Message
from portal.ids import uuid7

SUBJECT = "Your results of Tuesday"
BODY = "Everything is in order. Nobody but you should read this."


@pytest.fixture
def write(db) -> Callable[..., MailboxEntry]:
    """write(author, to=…, cc=…, bcc=…, subject=…, body=…, uploads=[…]): a draft of that person's."""

    def save(
        author: User, *, body: str = BODY, subject: str = SUBJECT, uploads=(), answer=None, **fields
    ) -> MailboxEntry:
        text = DraftText(subject=subject, body=from_plain_text(body), **fields)
        saved = drafts.save_draft(
            actor=author, message_id=uuid7(), entry=None, text=text, uploads=list(uploads), answer=answer
        )
        assert saved.problems == []
        return saved.entry

    return save


@pytest.fixture
def send(write) -> Callable[..., Message]:
    """send(author, to=…, …): a message on its way."""

    def send_now(author: User, **fields) -> Message:
        return sending.send_draft(actor=author, entry=write(author, **fields)).message

    return send_now


def send_confirmed(client, url: str, form: dict):
    """Send what the form says, and that it is right where a second look is asked for."""
    asked = client.post(url, form | {"action": "send"})
    seen = (asked.context or {}).get("cautions")
    return client.post(url, form | {"action": "send_confirmed", "seen": seen}) if seen else asked


def discard(client, url: str, form: dict | None = None):
    """Press Discard on the draft's page, and again where it is asked."""
    asked = client.post(url, (form or {}) | {"action": "discard"})
    rows = [row["id"] for row in asked.context["rows"]]
    return client.post(reverse("discard"), {"entry": rows, "next": asked.context["next"], "sure": "yes"}, follow=True)


def copy_of(message: Message, owner: User) -> MailboxEntry:
    """The one copy of the message this person received, or sent."""
    return MailboxEntry.objects.select_related("message__retention_key").get(message=message, owner=owner)


def file_named(name: str, content: bytes) -> BytesIO:
    """As the test client sends one."""
    file = BytesIO(content)
    file.name = name
    return file


@pytest.fixture
def attach(sender, log_in):
    """attach(content, name, action=…) → the page that answers; always the same draft."""
    address = reverse("draft", args=[uuid7()])

    def post(content: bytes, name: str = "report.pdf", action: str = "attach"):
        form = {"to": "first@outside.example", "subject": "s", "body": "kept text", "action": action}
        return log_in(sender).post(address, form | {"files": file_named(name, content)}, follow=True)

    return post


@pytest.fixture
def send_file(sender, recipient, log_in):
    """send_file(content, name) → (the recipient's URL of it, its row)."""

    def send(content: bytes, name: str = "report.pdf"):
        form = {
            "to": recipient.address,
            "subject": "s",
            "body": "b",
            "action": "send",
            "files": file_named(name, content),
        }
        assert log_in(sender).post(reverse("draft", args=[uuid7()]), form).status_code == 302
        row = Attachment.objects.latest("id")
        return reverse("attachment", args=[copy_of(row.message, recipient).id, row.id]), row

    return send

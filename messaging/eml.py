"""A message as a file other mail programs open (RFC 5322, MIME), made while it is sent: memory use does not depend on
the attachments' size."""

import base64
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from django.template.loader import render_to_string

from portal import mime
from portal.plain_text import plain_text

from . import attachments, bodies, replies, sealing
from .models import Attachment, MailboxEntry, Recipient

# Of a base64 line: 57 bytes become 76 characters (RFC 2045, 6.8); a whole number of lines at a time.
_LINES_BYTES = 57 * 1024
_WIRE = policy.SMTP.clone(cte_type="7bit")


def eml(copy: MailboxEntry) -> Iterator[bytes]:
    """The copy as an .eml file in pieces. Bcc stands in the author's own only."""
    key = sealing.open_message_key(copy)
    boundary = f"=_{copy.message_id.hex}"
    # By hand: the library would close a multipart that has no parts yet.
    opening = f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n--{boundary}\r\n'
    yield _head(copy, key)
    yield opening.encode() + _text(copy, key).as_bytes()
    for attachment in copy.message.attachments.all():
        yield f"\r\n--{boundary}\r\n".encode()
        hold = copy.message.organization.hold_unscanned
        if attachment.is_released(hold):
            yield from _attachment(attachment, key)
        else:
            yield _instead(attachment, key, attachments.note_on(attachment, hold))
    yield f"\r\n--{boundary}--\r\n".encode()


def _head(copy: MailboxEntry, key: bytes) -> bytes:
    message = copy.message
    lines = [mime.written("From", mime.mailbox(message.sender.name, message.sender.address))]
    listed = list(message.recipients.order_by("id"))
    for name, role in (("To", Recipient.Role.TO), ("Cc", Recipient.Role.CC), ("Bcc", Recipient.Role.BCC)):
        people = [mime.mailbox(person.name, person.address) for person in listed if person.role == role]
        if people and (role != Recipient.Role.BCC or copy.is_authors):
            lines.append(mime.written(name, ", ".join(people)))
    lines.append(mime.written("Subject", sealing.open_subject(message, key)))
    if message.sent_at is not None:
        lines.append(mime.written("Date", format_datetime(message.sent_at)))
    return b"".join([*lines, mime.written("MIME-Version", "1.0")])


def _text(copy: MailboxEntry, key: bytes) -> EmailMessage:
    html = body_with_quotes(copy, key)
    text = EmailMessage(policy=_WIRE)
    text.set_content(plain_text(html))
    text.add_alternative(html, subtype="html")
    del text["MIME-Version"]
    return text


def body_with_quotes(copy: MailboxEntry, key: bytes) -> str:
    """What was written and, as its page has it, what it quotes: who wrote that, when, to whom."""
    reader = {"user": copy.owner, "organization": copy.message.organization}
    quotes = [quote | {"body": bodies.shown(quote["body"])} for quote in replies.open_quotes(copy.message, key)]
    shown = [render_to_string("messaging/quote.html", reader | {"quote": quote}) for quote in quotes]
    return "".join([bodies.shown(sealing.open_body(copy.message, key)), *shown])


def _attachment(attachment: Attachment, key: bytes) -> Iterator[bytes]:
    head = EmailMessage(policy=_WIRE)
    head["Content-Type"] = "application/octet-stream"
    head.add_header("Content-Disposition", "attachment", filename=sealing.open_attachment_name(attachment, key))
    head["Content-Transfer-Encoding"] = "base64"
    yield head.as_bytes()
    pending = bytearray()
    for chunk in attachments.open_attachment(attachment, key):
        pending += chunk
        whole = len(pending) // _LINES_BYTES * _LINES_BYTES
        if whole:
            yield _base64_lines(bytes(pending[:whole]))
            del pending[:whole]
    yield _base64_lines(bytes(pending))


def _instead(attachment: Attachment, key: bytes, why: str) -> bytes:
    """A few words in the place of a file that is held back."""
    text = EmailMessage(policy=_WIRE)
    text.set_content(f"{sealing.open_attachment_name(attachment, key)}: {why}\n")
    del text["MIME-Version"]
    return text.as_bytes()


def _base64_lines(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")

"""Bounces: mail that was accepted and came back. Each mail leaves under a return path of its own (VERP), so that what
comes back names it (return_paths.py).

Read are delivery status notifications (RFC 3464), and the dialects that flufl.bounce knows. What failed for good is
told as any other failure of that kind of mail, and the rooms above are told of the address (`on_hard_bounce`). A delay
is only noted. Whatever else arrives, an automatic answer for one, changes nothing.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import Message
from uuid import UUID

from django.db import transaction
from flufl.bounce import all_failures

from . import audit, moments, outbox
from .models import OutgoingMail

# Servers try for days and report at the end; nothing honest comes later.
NOT_AFTER = timedelta(days=14)
MOST_WORDS = 500
logger = logging.getLogger(__name__)
# 5xx that speak of a full mailbox, the receiving system or its policy, not of the address (RFC 3463, section 3).
_NOT_THE_ADDRESS = ("5.2.2", "5.3.", "5.7.")

OnHardBounce = Callable[[OutgoingMail], None]
_on_hard_bounce: list[OnHardBounce] = []


def on_hard_bounce(told: OnHardBounce) -> None:
    """Have `told` called, in the same transaction, when a mail's address turns out not to exist."""
    _on_hard_bounce.append(told)


# --- What came back ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Report:
    """What a bounce says about the one mail it is about."""

    failed: bool  # else: only delayed
    status: str  # RFC 3463, such as 5.1.1; empty where nobody said
    words: str

    @property
    def is_about_the_address(self) -> bool:
        return self.failed and not self.status.startswith(("4", *_NOT_THE_ADDRESS))


def take(mail_id: UUID, content: bytes) -> Report | None:
    """Read what came back for a mail and write it down; None: it says nothing about it."""
    mail = OutgoingMail.objects.select_related("organization").filter(pk=mail_id).first()
    if mail is None or mail.state in (OutgoingMail.State.CANCELLED, OutgoingMail.State.FAILED):
        return None
    report = read(content, mail.to_address)
    if report is None or mail.date + NOT_AFTER < moments.now():
        return None
    return report if _record(mail, report) else None


@transaction.atomic
def _record(mail: OutgoingMail, report: Report) -> bool:
    """False where a failure was written down before."""
    mail.bounce_words = report.words
    fields = {"bounce_words": report.words}
    open_ones = OutgoingMail.objects.filter(pk=mail.pk, bounced_at__isnull=True)
    if not report.failed:
        return open_ones.update(**fields) == 1
    mail.bounced_at = moments.now()
    if not open_ones.update(bounced_at=mail.bounced_at, **fields):
        return False
    audit.record(mail.organization, "mail.bounced", about=mail.pk, kind=mail.kind, status=report.status)
    outbox.tell_of_failure(mail)
    if report.is_about_the_address:
        for told in _on_hard_bounce:
            told(mail)
    return True


def read(content: bytes, address: str) -> Report | None:
    """What a mail that came back says about the one to this address; None: nothing."""
    message = message_from_bytes(content, policy=policy.compat32)
    reports = list(_status_reports(message))
    if reports:
        return next((report for report in reports if report.failed), reports[0])
    return None if _is_status(message) else _as_dialect(message, address)


def _is_status(message: Message) -> bool:
    return any(part.get_content_type() == "message/delivery-status" for part in message.walk())


def _status_reports(message: Message) -> Iterator[Report]:
    """RFC 3464: a group of fields for each recipient, of whom there is one here."""
    for part in message.walk():
        groups = part.get_payload()
        if part.get_content_type() != "message/delivery-status" or not isinstance(groups, list):
            continue
        for group in (group for group in groups if isinstance(group, Message)):
            action = _field(group, "Action").lower()
            if action in ("failed", "delayed"):
                yield Report(action == "failed", _field(group, "Status"), _words(group))


def _words(group: Message) -> str:
    """The remote server's own words where they are quoted (2.3.6: "type; text"), else the status code."""
    text = _field(group, "Diagnostic-Code")
    return (text.partition(";")[2] or text or _field(group, "Status")).strip()[:MOST_WORDS]


def _field(group: Message, name: str) -> str:
    """On one line, without controls: it is shown on pages and in mails."""
    text = str(group.get(name, ""))
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _as_dialect(message: Message, address: str) -> Report | None:
    """Bounces from before RFC 3464, and from those who never read it; only where the address is named."""
    try:
        temporary, permanent = all_failures(message)
    except Exception as error:  # its readers stumble over what is not written as they expect
        logger.info("Something that came back cannot be read: %s", type(error).__name__)
        return None
    named = address.encode().lower()
    if named in {found.lower() for found in permanent}:
        return Report(True, "", "")
    if named in {found.lower() for found in temporary}:
        return Report(False, "", "")
    return None

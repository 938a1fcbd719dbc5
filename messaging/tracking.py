"""Tracking: what the sender sees of each recipient. It outlives the content."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from portal.models import OutgoingMail

from .models import Message, Recipient


@dataclass(frozen=True)
class Step:
    """Something that happened, or is waiting to."""

    label: str
    state: str
    at: datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class Tracked:
    """One recipient's line in the sender's history; `state` is the last thing that happened."""

    id: uuid.UUID
    name: str
    address: str
    role: str
    steps: list[Step]
    last: Step
    is_read: bool
    can_resend: bool
    can_recall: bool

    @property
    def state(self) -> str:
        return self.last.state

    @property
    def state_label(self) -> str:
        return self.last.label


def tracking(message: Message, attachment_names: Mapping[uuid.UUID, str]) -> list[Tracked]:
    """What has happened at each recipient's; two queries."""
    rows = message.recipients.select_related("notification", "user").prefetch_related("fetches").order_by("id")
    return [_tracked(row, message, attachment_names, row.now) for row in rows.annotate(now=Now())]


def _tracked(
    recipient: Recipient, message: Message, attachment_names: Mapping[uuid.UUID, str], now: datetime
) -> Tracked:
    steps = [_notified(recipient.notification)]
    if recipient.read_at is not None:
        steps.append(Step(_("Read"), "read", recipient.read_at))
    for fetch in recipient.fetches.all():
        name = attachment_names.get(fetch.attachment_id, "") if fetch.attachment_id else ""
        steps.append(Step(_("Attachment fetched"), "read", fetch.at, name))
    if recipient.answered_at is not None:
        steps.append(Step(_("Answered"), "answered", recipient.answered_at))
    if recipient.recalled_at is not None:
        steps.append(Step(_("Recalled"), "recalled", recipient.recalled_at))
    last = next(step for step in reversed(steps) if step.label != _("Attachment fetched"))
    if recipient.user.first_logged_in_at is not None:
        steps.insert(1, Step(_("First logged in"), "notified", recipient.user.first_logged_in_at))
    is_open = not message.is_recalled() and recipient.recalled_at is None and message.purged_at is None
    return Tracked(
        id=recipient.id,
        name=recipient.name or recipient.address,
        address=recipient.address,
        role=recipient.get_role_display(),
        steps=steps,
        last=last,
        is_read=recipient.read_at is not None,
        can_resend=is_open
        and not message.is_expired(now)
        and recipient.read_at is None
        and last.state in ("notified", "failed"),
        can_recall=is_open,
    )


def _notified(mail: OutgoingMail | None) -> Step:
    if mail is None:
        return Step(_("Not notified"), "waiting")
    match OutgoingMail.State(mail.state):
        case OutgoingMail.State.SENT if mail.bounced_at:
            return Step(_("Notification bounced"), "failed", mail.bounced_at, mail.bounce_words)
        case OutgoingMail.State.SENT:
            return Step(_("Notified"), "notified", mail.finished_at, mail.bounce_words)
        case OutgoingMail.State.FAILED:
            return Step(_("Notification failed"), "failed", mail.finished_at, mail.server_reply)
        case OutgoingMail.State.CANCELLED:
            return Step(_("Notification not sent"), "failed", mail.finished_at)
    if mail.server_reply:
        return Step(_("Still trying to notify"), "waiting", None, mail.server_reply)
    return Step(_("Notification waiting"), "waiting")

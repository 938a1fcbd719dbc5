"""Receipts: what the sender learns of each recipient, written when a message is opened."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from portal import audit, moments
from portal.models import OutgoingMail

from .models import MailboxEntry, Message, Recipient


def record_opening(*, actor: User, entry: MailboxEntry) -> None:
    """The first opening of a received copy marks it read, for its owner and in the sender's history.

    Nothing happens when the copy was taken away in the same moment: a recall leaves no later trace.
    """
    if entry.read_at is not None and entry.recipient is not None and entry.recipient.read_at is not None:
        return
    with transaction.atomic():
        now = moments.now()
        if not MailboxEntry.objects.filter(id=entry.id, removed_at__isnull=True).update(read_at=now):
            return
        if Recipient.objects.filter(entry=entry, read_at__isnull=True).update(read_at=now):
            audit.record(actor.organization, "message.read", actor=actor, about=entry.message_id)


@dataclass(frozen=True)
class Step:
    label: str
    at: datetime | None
    note: str = ""
    state: str = ""  # "done", "waiting" or "failed": the shape shown beside the words


@dataclass(frozen=True)
class Tracked:
    """One recipient's line in the sender's history."""

    name: str
    address: str
    role: str
    state_label: str
    state: str
    steps: list[Step]


def tracking(message: Message) -> list[Tracked]:
    """What has happened at each recipient's; one query."""
    rows: QuerySet[Recipient] = message.recipients.select_related("notification", "user").order_by("id")
    return [_tracked(row) for row in rows]


def _tracked(recipient: Recipient) -> Tracked:
    steps = [_notified(recipient.notification)]
    if recipient.user.first_logged_in_at is not None:
        steps.append(Step(_("First logged in"), recipient.user.first_logged_in_at))
    if recipient.read_at is not None:
        steps.append(Step(_("Read"), recipient.read_at, state="done"))
    if recipient.answered_at is not None:
        steps.append(Step(_("Answered"), recipient.answered_at, state="done"))
    reached = [step for step in steps if step.label != _("First logged in")]
    return Tracked(
        name=recipient.name or recipient.address,
        address=recipient.address,
        role=recipient.get_role_display(),
        state_label=reached[-1].label,
        state=reached[-1].state,
        steps=steps,
    )


def _notified(mail: OutgoingMail | None) -> Step:
    if mail is None:
        return Step(_("Not notified"), None)
    state = OutgoingMail.State(mail.state)
    if state == OutgoingMail.State.SENT:
        return Step(_("Notified"), mail.finished_at)
    if state == OutgoingMail.State.FAILED:
        return Step(_("Notification failed"), mail.finished_at, mail.server_reply, "failed")
    if state == OutgoingMail.State.CANCELLED:
        return Step(_("Notification not sent"), mail.finished_at)
    if mail.attempts:
        return Step(_("Still trying to notify"), None, mail.server_reply, "waiting")
    return Step(_("Notification waiting"), None, state="waiting")

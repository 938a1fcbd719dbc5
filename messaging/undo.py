"""Undo: for a while after sending, in which nobody sees the message and no mail leaves, its author takes it back.
It is one transaction, and gives the draft back as it was. What the licence counted stays counted."""

from django.db import transaction
from django.db.models import Min, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from portal import audit, moments, outbox
from portal.models import OutgoingMail

from . import definitions, drafts, newcomers, sealing
from .models import MailboxEntry, Message, Recipient


class TooLate(Exception):
    """Recipients can see the message: what is left is to recall it."""


@transaction.atomic
def undo_sending(*, actor: User, entry: MailboxEntry) -> Message:
    """Take back the message whose sent copy this is; TooLate once its recipients may see it. The second time nothing
    happens: the draft of the first stays as it is."""
    message = Message.objects.select_for_update().get(id=entry.message_id)
    if message.sent_at is None:
        return message
    received = MailboxEntry.objects.filter(message=message, kind=MailboxEntry.Kind.RECEIVED)
    if message.is_recalled() or received.filter(visible_at__lte=Now()).exists():
        raise TooLate
    recipients = list(message.recipients.order_by("id"))
    first_timers = newcomers.lock(message.recipients.all())
    entries = MailboxEntry.objects.filter(message=message).values_list("id", flat=True)
    mails = OutgoingMail.objects.filter(about__in=list(entries))
    outbox.cancel(mails)
    MailboxEntry.objects.filter(message=message).exclude(id=entry.id).delete()
    message.recipients.all().delete()
    mails.delete()
    newcomers.take_back_passwords(first_timers)
    _back_to_draft(actor, entry, message, recipients)
    audit.record(actor.organization, "message.sending_undone", actor=actor, about=message.id)
    return message


def _back_to_draft(actor: User, entry: MailboxEntry, message: Message, recipients: list[Recipient]) -> None:
    key = sealing.open_message_key(entry)
    typed = {
        role: ", ".join(_written(recipient) for recipient in recipients if recipient.role == role)
        for role in Recipient.Role.values
    }
    sealing.seal_draft_recipients(message, key, typed)
    answered = Recipient.objects.filter(message=message.in_reply_to_id, user=actor, answered_at=message.sent_at)
    answered.update(answered_at=_other_answers(message).aggregate(at=Min("sent_at"))["at"])
    message.expires_at = None if definitions.is_usual_expiry(message) else message.expires_at
    message.read_receipt = message.read_receipt and not definitions.asks_for_receipts(message)
    message.sent_at = None
    message.save()
    entry_id = entry.id
    entry.delete()
    # Under the same id: by it a second press of the button finds the draft.
    drafts.add_draft_entry(message, key, moments.now(), entry_id)


def _other_answers(message: Message) -> QuerySet[Message]:
    same = Message.objects.filter(sender=message.sender_id, in_reply_to=message.in_reply_to_id, sent_at__isnull=False)
    return same.exclude(id=message.id)


def _written(recipient: Recipient) -> str:
    name = recipient.name.replace('"', "'")
    return f'"{name}" <{recipient.address}>' if name else recipient.address

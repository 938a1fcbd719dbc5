"""Resending: a notification once more, and one more recipient for a message already sent (a mistyped address: recall
for one, then send to another)."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet, Subquery
from django.utils.translation import gettext as _

from accounts import correspondents, credentials, directories
from accounts.correspondents import Correspondent
from accounts.models import User
from portal import audit, erased, moments, outbox
from portal.models import OutgoingMail

from . import licences, notifications, rules, sealing, sending
from .addressing import MAX_RECIPIENTS, Addressed
from .copies import Copies
from .models import MailboxEntry, Message, Recipient


class NotResent(Exception):
    """Nothing left; the message says why, for people."""


@transaction.atomic
def resend_notification(*, actor: User, recipient: Recipient) -> None:
    """Announce the message to this recipient once more, with a fresh temporary password if the last has run out.
    NotResent while the last mail is still under way, after as many as the organisation allows in an hour, or when there
    is nothing left to open."""
    message = _locked_open_message(recipient.message_id)
    entry = MailboxEntry.objects.select_related("owner").filter(recipient=recipient, removed_at__isnull=True).first()
    if entry is None:
        raise NotResent(_("This recipient no longer has the message."))
    mails = OutgoingMail.objects.filter(about=entry.id, kind=notifications.KIND)
    if mails.filter(finished_at__isnull=True).exists():
        raise NotResent(_("The last notification is still on its way."))
    now = moments.now()
    if _is_hour_full(message, mails):
        raise NotResent(
            _("%(address)s has been notified of it as often as your organisation allows in an hour. Try again later.")
            % {"address": recipient.address}
        )
    mail = notifications.mail_for(message, entry.owner, entry.id, due_at=now, again=mails.count())
    outbox.enqueue([mail, *credentials.first_visit_mails([entry.owner], due_at=now)])
    Recipient.objects.filter(id=recipient.id).update(notification=mail)
    audit.record(
        message.organization, "notification.resent", actor=actor, about=message.id, recipient=recipient.address
    )


def _is_hour_full(message: Message, mails: QuerySet[OutgoingMail]) -> bool:
    most = message.organization.hourly_notifications
    an_hour_ago = moments.now() - timedelta(hours=1)
    return 0 < most <= mails.filter(finished_at__gt=an_hour_ago).count()


@transaction.atomic
def send_to_another(*, actor: User, entry: MailboxEntry, typed: str, seen: Collection[str] | None = None) -> str:
    """Give the message to one more recipient, as To; returns their address, also where a press before this one was
    quicker.

    seen: the cautions that were said and confirmed, as in sending.send_draft. NotResent says why not;
    sending.NeedsConfirmation when the address is worth a second look.
    """
    person = _one_address(typed)
    message = _locked_open_message(entry.message_id)
    if _was_added(message, person):
        return person.address
    _refuse_unless_allowed(actor, message, person)
    if why := rules.why_not(entry, "may_forward"):
        raise NotResent(why)
    if seen is not None:
        sending.ask_for_a_second_look(actor.organization, [person], seen)
    user = correspondents.find_or_create(actor.organization, {person.address: person.name})[person.address]
    now = moments.now()
    _count_for_licence(actor, user, now)
    Copies(message, sealing.open_message_key(entry), visible_at=now).add_received([(user, person)])
    audit.record(message.organization, "message.sent_to_another", actor=actor, about=message.id, recipient=user.address)
    return person.address


def _was_added(message: Message, person: Addressed) -> bool:
    """Whether they have the message, and not since it was sent: whom it was sent to could all see it from one moment
    on."""
    received = MailboxEntry.objects.filter(message=message, kind=MailboxEntry.Kind.RECEIVED)
    as_sent = received.order_by("recipient").values("visible_at")[:1]
    held = received.filter(owner__address=person.address, removed_at__isnull=True)
    return held.exclude(visible_at=Subquery(as_sent)).exists()


def _refuse_unless_allowed(actor: User, message: Message, person: Addressed) -> None:
    if not sending.may_write_to_anyone(actor):
        raise NotResent(_("Your account cannot send this message to others."))
    if message.recipients.count() >= MAX_RECIPIENTS:
        raise NotResent(_("The message has as many recipients as one may have."))
    if message.recipients.filter(user__address=person.address).exists():
        raise NotResent(_("%(address)s is a recipient of this message already.") % {"address": person.address})


def _count_for_licence(actor: User, user: Correspondent, now: datetime) -> None:
    try:
        licences.count_recipients(actor, [] if user.is_internal else [user.address], now)
    except licences.OverLimit as over:
        raise NotResent(over.problem) from over


def _locked_open_message(message_id) -> Message:
    """The message, held against a recall at this moment; NotResent when recipients cannot open it any more."""
    message = (
        Message.objects.select_for_update(of=("self",))
        .select_related("retention_key", "organization", "sender")
        .get(id=message_id)
    )
    if message.sent_at is None:
        raise NotResent(_("The sending of this message has been undone."))
    if message.is_recalled():
        raise NotResent(_("The message has been recalled."))
    if message.is_expired(moments.now()):
        raise NotResent(_("The message has expired."))
    if message.purged_at is not None:
        raise NotResent(_("The content of the message has been destroyed."))
    return message


def _one_address(typed: str) -> Addressed:
    try:
        (parsed,) = directories.parse_addresses(typed)
    except directories.InvalidAddresses as error:
        raise NotResent(str(error)) from error
    except ValueError:
        raise NotResent(_("Write one address.")) from None
    if erased.is_erased(parsed.address):
        raise NotResent(_("%(address)s is nobody's address any more.") % {"address": parsed.address})
    return Addressed(parsed.address, parsed.name, Recipient.Role.TO)

"""Sending: a draft becomes a message in everybody's mailbox, in one transaction, all of it or nothing.

Every recipient gets a mailbox entry with the message key wrapped for it alone, a row of history and a
notification in the outbox; who has never set a password gets a temporary one in a mail of its own.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import correspondents
from accounts.correspondents import Correspondent
from accounts.models import User
from portal import audit, keyring, moments
from portal.models import Organization

from . import bodies, cautions, definitions, draft_quotes, drafts, licences, rules, sealing
from .addressing import Addressed, read_addresses
from .copies import Copies
from .models import Definition, MailboxEntry, Message, Recipient

MAX_SUBJECT_CHARACTERS = 250


class NotSent(Exception):
    """Nothing was sent, the draft is as it was; `problems` says in sentences what to mend."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class NeedsConfirmation(Exception):
    """Nothing was sent: `cautions` are said first, and sending again with them as seen goes ahead."""

    def __init__(self, cautions: list[str]) -> None:
        super().__init__("; ".join(cautions))
        self.cautions = cautions


@dataclass
class _Sending:
    """What the steps of one sending share."""

    actor: User
    message: Message
    key: bytes
    sent_at: datetime
    people: list[Addressed]
    users: dict[str, Correspondent] = field(default_factory=dict)


def send_draft(*, actor: User, entry: MailboxEntry, seen: Collection[str] | None = None) -> MailboxEntry:
    """Send the draft; returns the author's fresh entry in Sent Items.

    seen: the cautions that were said and confirmed; None where there is nobody to look. NotSent when a rule stands
    against it; NeedsConfirmation when something else is worth a second look; drafts.AlreadySent when it is no draft any
    more.
    """
    people = _checked(entry, actor)
    with transaction.atomic():
        drafts.lock_unsent(entry)
        sending = _Sending(actor, entry.message, sealing.open_message_key(entry), moments.now(), people)
        _refuse_unless_allowed(sending)
        definition = _definition_for(sending)
        if seen is not None:
            ask_for_a_second_look(actor.organization, people, seen)
        sending.users = correspondents.find_or_create(
            actor.organization, {person.address: person.name for person in people}
        )
        _count_for_licence(sending)
        _seal_for_sending(sending, definition)
        entry.delete()
        sent = _fill_mailboxes(sending)
        audit.record(actor.organization, "message.sent", actor=actor, about=sending.message.id, recipients=len(people))
    return sent


def ask_for_a_second_look(organization: Organization, people: list[Addressed], seen: Collection[str]) -> None:
    """NeedsConfirmation where there is a caution that was not seen: the addresses may be others than those asked
    about."""
    found = cautions.cautions(organization, people)
    if set(found) - set(seen):
        raise NeedsConfirmation(found)


def _checked(entry: MailboxEntry, actor: User) -> list[Addressed]:
    """Everybody the draft goes to, or NotSent with what can be said of the draft alone."""
    text = drafts.open_draft(entry)
    people, problems = read_addresses(text, actor)
    if drafts.are_fixed(entry.message) and not people:
        problems = [_("There is nobody left to reply to. Yours was not sent; it is kept as a draft.")]
    if len(text.subject) > MAX_SUBJECT_CHARACTERS:
        problems.append(
            _("The subject is too long: at most %(limit)d characters, this one has %(count)d.")
            % {"limit": MAX_SUBJECT_CHARACTERS, "count": len(text.subject)}
        )
    if len(text.body) > bodies.MAX_BODY_CHARACTERS:
        problems.append(_("The text with its pictures is too large: at most 8 MB. Attach the pictures instead."))
    if problems:
        raise NotSent(problems)
    return people


def _refuse_unless_allowed(sending: _Sending) -> None:
    problems = []
    if sending.message.expires_at is not None and sending.message.expires_at <= sending.sent_at:
        problems.append(_("The expiry is in the past. Choose a later time, or leave it empty."))
    if sending.message.in_reply_to_id is not None or sending.message.forwards_id is not None:
        problems += _source_problems(sending)
    added = _newly_addressed(sending)
    if sending.message.in_reply_to_id is not None and added and (why := rules.why_not_pass_on(sending.message)):
        problems.append(why + " " + _("Take out whom it was not written to."))
    if not may_write_to_anyone(sending.actor):
        problems += _new_message_problems(sending, added)
    if problems:
        raise NotSent(problems)


def may_write_to_anyone(user: User) -> bool:
    """A licensed sender of the organisation's own."""
    return user.is_internal and user.is_licensed


def may_write_new_messages(user: User) -> bool:
    """Licensed senders to anyone, external people to the organisation's own people; the others reply only."""
    return user.is_licensed if user.is_internal else True


def _source_problems(sending: _Sending) -> list[str]:
    """What stands against answering or passing on: the original is gone."""
    source = sending.message.in_reply_to_id or sending.message.forwards_id
    # Locked, so that a recall is either before this (and the answer is refused) or after it.
    rows = Message.objects.select_for_update().defer("subject", "body", "draft_recipients")
    original = rows.filter(id=source).first() if source else None
    gone = draft_quotes.why_gone(original, sending.actor, sending.sent_at) if original else ""
    if gone == "recalled":
        return [_("The original message has been recalled. Yours was not sent; it is kept as a draft.")]
    if gone:
        return [_("The original message has expired. Yours was not sent; it is kept as a draft.")]
    return []


def _newly_addressed(sending: _Sending) -> list[Addressed]:
    """Everybody; of a reply, those who are not on what it answers."""
    answered = sending.message.in_reply_to
    if answered is None:
        return sending.people
    listed = answered.recipients.filter(recalled_at__isnull=True).exclude(role=Recipient.Role.BCC)
    known = {answered.sender.address, *listed.values_list("user__address", flat=True)}
    return [person for person in sending.people if person.address not in known]


def _new_message_problems(sending: _Sending, people: list[Addressed]) -> list[str]:
    if not people:
        return []
    if not may_write_new_messages(sending.actor):
        return [_("Your account can answer messages, but not write new ones. Ask your administrator for a licence.")]
    known = set(
        User.objects.filter(
            organization=sending.actor.organization,
            domain__is_internal=True,
            disabled_at__isnull=True,
            address__in=[person.address for person in people],
        ).values_list("address", flat=True)
    )
    return [
        _("%(address)s: you can write only to people at %(organization)s.")
        % {"address": person.address, "organization": sending.actor.organization.name}
        for person in people
        if person.address not in known
    ]


def _count_for_licence(sending: _Sending) -> None:
    """What external people write is not counted, and of a reply only whom it takes in beside those it answers."""
    if not may_write_to_anyone(sending.actor):
        return
    addressed = [person.address for person in _newly_addressed(sending)]
    external = [address for address in addressed if not sending.users[address].is_internal]
    if not external:
        return
    try:
        licences.count_recipients(sending.actor, external, sending.sent_at)
    except licences.OverLimit as over:
        raise NotSent([over.problem]) from over


def _definition_for(sending: _Sending) -> Definition:
    definition = definitions.chosen(sending.message)
    if definition is None:
        raise NotSent(
            [
                _("“%(definition)s” is not offered to you any more. Choose another definition.")
                % {"definition": sending.message.definition}
            ]
        )
    return definition


def _seal_for_sending(sending: _Sending, definition: Definition) -> None:
    message = sending.message
    # Others are not asked whether they wish for a receipt; a form that says so all the same is not the portal's.
    message.read_receipt = message.read_receipt and sending.actor.is_internal
    definitions.apply(definition, message, sending.sent_at)
    latest = sending.sent_at + timedelta(days=sending.actor.organization.retention_days)
    message.expires_at = min(message.expires_at, latest) if message.expires_at else None
    message.retention_key = keyring.retention_key_for(sending.actor.organization, sending.sent_at)
    message.sent_at = sending.sent_at
    message.draft_recipients = b""
    message.save()
    if message.in_reply_to_id is not None:
        Recipient.objects.filter(message=message.in_reply_to_id, user=sending.actor, answered_at__isnull=True).update(
            answered_at=sending.sent_at
        )


def _fill_mailboxes(sending: _Sending) -> MailboxEntry:
    # Until then the sending can be undone: nobody sees anything and no mail leaves.
    visible_at = sending.sent_at + timedelta(seconds=sending.actor.organization.undo_seconds)
    copies = Copies(sending.message, sending.key, visible_at)
    sent = copies.add_sent(sending.actor, sending.sent_at)
    if sending.actor.is_internal and sending.actor.organization.bcc_to_mail_server:
        copies.add_own_copy(sending.actor)
    copies.add_received([(sending.users[person.address], person) for person in sending.people])
    return sent


def sent_summary(count: int) -> str:
    """What the author is told."""
    return ngettext("Sent securely to %(count)d recipient.", "Sent securely to %(count)d recipients.", count) % {
        "count": count
    }

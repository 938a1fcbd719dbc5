"""The Secure Messaging Notification: who sent something, until when it can be read, one link. Never subject or body.

The outbox holds no content; what a mail says is rendered here, in the worker, at the moment of sending, from
what is true then. None means that it is no longer wanted.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import preferences
from accounts.correspondents import Correspondent
from accounts.models import User
from portal import bulk, letters, moments, outbox, wordings
from portal.models import Organization, OutgoingMail

from .models import MailboxEntry, Message, Recipient

KIND = "notification"
FAILURE_KIND = "notification_failed"
_SOME_COPY = UUID(int=0)
_OF_OWNER = [f"owner__{name}" for name in ("allow_logon", "disabled_at", "organization", "sealed_phrase")]


def mail_for(
    message: Message, owner: User | Correspondent, entry: UUID, *, due_at: datetime, again: int = 0
) -> OutgoingMail:
    """The (unsaved) mail that announces the message's received entry to its owner; `again`: the how-manieth
    repetition."""
    return outbox.new_mail(
        organization=message.organization,
        kind=KIND,
        about=entry,
        to_address=owner.address,
        dedupe_key=_dedupe_key(message, owner) + (f":{again}" if again else ""),
        due_at=due_at,
        not_after=message.expires_at,
    )


def announce(message: Message, received: Sequence[tuple[Correspondent, UUID]], *, due_at: datetime) -> dict[UUID, UUID]:
    """Put a mail for each of these into the outbox, (owner, id of the received entry), in the caller's transaction;
    returns its id by the owner's. One statement."""
    if not received:
        return {}
    mail_ids = outbox.enqueue_like(
        mail_for(message, *received[0], due_at=due_at),
        about=[entry for _owner, entry in received],
        to_address=[owner.address for owner, _entry in received],
        dedupe_key=[_dedupe_key(message, owner) for owner, _entry in received],
    )
    return dict(zip((owner.id for owner, _entry in received), mail_ids, strict=True))


def _dedupe_key(message: Message, owner: User | Correspondent) -> str:
    return f"{KIND}:{message.id}:{owner.id}"


def link_to(organization: Organization, entry: MailboxEntry) -> str:
    """The absolute address that opens this copy after logging in."""
    return settings.BASE_URL + _path_like(organization.slug).replace(str(_SOME_COPY), str(entry.id))


@lru_cache(maxsize=1024)
def _path_like(slug: str) -> str:
    """Of _SOME_COPY: finding a path takes longer than anything else about a letter that is written already."""
    return reverse("log_in_to_message", args=[slug, _SOME_COPY])


def announced(mails: Sequence[OutgoingMail], *related: str) -> dict[UUID, MailboxEntry]:
    """The copies that these mails are about, by what the mails call them, with these rows beside them; without those
    that their owners cannot open any more."""
    messages = Message.objects.select_related("sender").defer("body", "subject").prefetch_related("organization")
    entries = (
        MailboxEntry.objects.filter(id__in=bulk.among([mail.about for mail in mails]))
        .select_related("owner")
        .only("kind", "message", "read_at", "recipient", "removed_at", "visible_at", *_OF_OWNER)
        # Of those there are few, each for many copies.
        .prefetch_related(Prefetch("message", messages), "owner__organization", *related)
        .annotate(now=Now())
    )
    due = {mail.about: mail for mail in mails}
    return {
        entry.id: entry
        for entry in entries
        if entry.is_openable(when_due(due[entry.id], entry.now)) and entry.owner.may_log_on
    }


def when_due(mail: OutgoingMail, now: datetime) -> datetime:
    """The moment by which what a mail tells is judged. It was due when a worker took it up: where the database's clock
    has been set back since, what it announces would not be visible yet, and the mail be taken for unwanted."""
    return max(now, mail.due_at)


class Letters:
    """Mails that lead their readers to their copies. What is the same for several readers is written once."""

    def __init__(self, subject: Promise, template: str) -> None:
        self._subject, self._template = subject, template
        self._own = wordings.OwnTexts()
        self._phrase_key = preferences.phrase_key()
        self._circulars: dict[tuple[UUID, str], letters.Circular] = {}

    def to(self, entry: MailboxEntry) -> letters.Letter:
        message, phrase = entry.message, preferences.phrase_of(entry.owner, self._phrase_key)
        circular = self._circulars.get((message.id, phrase))
        if circular is None:
            circular = self._circulars[message.id, phrase] = letters.Circular(
                message.organization,
                self._subject,
                self._template,
                self._own,
                sender=message.sender,
                sent_at=message.sent_at,
                expires_at=message.expires_at,
                phrase=phrase,
            )
        return circular.leading_to(link_to(message.organization, entry))


def prepare(mails: Sequence[OutgoingMail]) -> outbox.Render:
    """What writes the notifications as they stand now; None for one whose copy cannot be opened any more."""
    entries = announced(mails)
    written = Letters(_("Secure Messaging Notification"), "messaging/mail/notification")
    return lambda mail: written.to(entries[mail.about]) if mail.about in entries else None


def tell_senders(mail: OutgoingMail) -> None:
    """A notification, or a digest of several, has finally failed: each sender gets a mail of that, in the same
    transaction."""
    announced = Recipient.objects.filter(notification=mail, recalled_at__isnull=True, message__recalled_at__isnull=True)
    failures = [
        outbox.new_mail(
            organization=mail.organization,
            kind=FAILURE_KIND,
            about=recipient.id,
            to_address=recipient.message.sender.address,
            dedupe_key=f"{FAILURE_KIND}:{mail.id}:{recipient.id}",
            due_at=moments.now(),
        )
        for recipient in announced.select_related("message__sender")
    ]
    outbox.enqueue(failures)


def render_failure(mail: OutgoingMail) -> letters.Letter | None:
    """To the sender: whom a notification did not reach, in the server's words, and what to do."""
    recipient = Recipient.objects.select_related("message__organization", "notification").filter(id=mail.about).first()
    if recipient is None or recipient.message.is_recalled() or recipient.recalled_at or recipient.notification is None:
        return None
    organization = recipient.message.organization
    sent = MailboxEntry.objects.filter(message=recipient.message, kind=MailboxEntry.Kind.SENT).first()
    return letters.written(
        organization,
        _("A notification could not be delivered"),
        "messaging/mail/notification_failed",
        recipient=recipient,
        server_reply=recipient.notification.last_words,
        url=link_to(organization, sent) if sent else None,
    )


outbox.register_many(KIND, prepare, failed=tell_senders)
outbox.register(FAILURE_KIND, render_failure, label=_("Notification could not be delivered"))

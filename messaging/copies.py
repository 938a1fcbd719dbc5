"""Copies: what a recipient gets when a message reaches them. A row of the sender's history, a mailbox entry with the
message key wrapped for it alone, and the mail that announces it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounts import credentials
from accounts.models import User
from portal import bulk, keyring, outbox
from portal.models import OutgoingMail

from . import digests, mail_server_copy, notifications, sealing
from .addressing import Addressed
from .models import MailboxEntry, Message, Recipient


@dataclass
class Copies:
    """Copies of one message being made; `insert` writes them all in a constant number of statements."""

    message: Message
    message_key: bytes
    visible_at: datetime
    recipients: list[Recipient] = field(default_factory=list)
    entries: list[MailboxEntry] = field(default_factory=list)
    mails: list[OutgoingMail] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._retention_key = keyring.open_retention_key(self.message.retention_key)
        # What the copies of all recipients have in common, of whom there may be 500 while somebody waits.
        self._recipient = Recipient(message_id=self.message.id)
        self._mail: OutgoingMail | None = None
        self._entry = MailboxEntry(
            message_id=self.message.id,
            kind=MailboxEntry.Kind.RECEIVED,
            folder=MailboxEntry.Folder.INBOX,
            visible_at=self.visible_at,
        )

    def add_received(self, user: User, person: Addressed) -> None:
        """One for a recipient, hidden until it becomes visible."""
        named = {"address": user.address, "name": user.name or person.name}
        recipient = bulk.like(self._recipient, user_id=user.id, role=person.role, **named)
        entry = bulk.like(self._entry, owner_id=user.id, recipient_id=recipient.id)
        self.recipients.append(recipient)
        if digests.wants_digest(user):
            recipient.user = user
        else:
            self.mails.append(self._announcing(entry, user))
            recipient.notification_id = self.mails[-1].id
        self._add(entry)

    def add_sent(self, author: User, sent_at: datetime) -> MailboxEntry:
        """The author's own, in Sent Items."""
        entry = MailboxEntry(
            owner=author,
            message=self.message,
            kind=MailboxEntry.Kind.SENT,
            folder=MailboxEntry.Folder.SENT,
            visible_at=sent_at,
            read_at=sent_at,
        )
        self._add(entry)
        return entry

    def add_own_copy(self, author: User) -> None:
        """In the author's Inbox, and a mail with the message itself to the author's mailbox on the organisation's
        own mail server."""
        entry = MailboxEntry(
            owner=author,
            message=self.message,
            kind=MailboxEntry.Kind.OWN_COPY,
            folder=MailboxEntry.Folder.INBOX,
            visible_at=self.visible_at,
        )
        self.mails.append(mail_server_copy.mail_for(entry, due_at=self.visible_at))
        self._add(entry)

    def insert(self, users: Iterable[User]) -> None:
        """Write everything, in the caller's transaction; those of the users who need one get a temporary password."""
        users = list(users)
        self._gather(digests.whose_hour_is_full(self.message.organization, users))
        outbox.enqueue([*self.mails, *credentials.first_visit_mails(users, due_at=self.visible_at)])
        digests.announce([person for person in self.recipients if person.notification_id is None], self.visible_at)
        bulk.insert(self.recipients)
        bulk.insert(self.entries)

    def _gather(self, full: dict[UUID, User]) -> None:
        """Who got as many notifications within the hour as one may gets the rest as a digest."""
        if not full:
            return
        taken = set()
        for recipient in self.recipients:
            if recipient.user_id in full and recipient.notification_id is not None:
                taken.add(recipient.notification_id)
                recipient.user, recipient.notification_id = full[recipient.user_id], None
        self.mails = [mail for mail in self.mails if mail.id not in taken]

    def _announcing(self, entry: MailboxEntry, user: User) -> OutgoingMail:
        if self._mail is not None:
            return notifications.mail_like(self._mail, self.message, entry, user)
        self._mail = notifications.mail_for(self.message, entry, user, due_at=self.visible_at)
        return self._mail

    def _add(self, entry: MailboxEntry) -> None:
        sealing.wrap_for_entry(entry, self.message_key, self._retention_key)
        self.entries.append(entry)

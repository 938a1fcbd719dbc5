"""Copies: what a recipient gets when a message reaches them. A row of the sender's history, a mailbox entry with the
message key wrapped for it alone, and the mail that announces it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

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

    def add_received(self, user: User, person: Addressed) -> None:
        """One for a recipient, hidden until it becomes visible."""
        recipient = Recipient(
            message=self.message, user=user, role=person.role, address=user.address, name=user.name or person.name
        )
        entry = MailboxEntry(
            owner=user,
            message=self.message,
            recipient=recipient,
            kind=MailboxEntry.Kind.RECEIVED,
            folder=MailboxEntry.Folder.INBOX,
            visible_at=self.visible_at,
        )
        self.recipients.append(recipient)
        if not digests.wants_digest(user):
            recipient.notification = notifications.mail_for(entry, due_at=self.visible_at)
            self.mails.append(recipient.notification)
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
        outbox.enqueue([*self.mails, *credentials.first_visit_mails(users, due_at=self.visible_at)])
        digests.announce([person for person in self.recipients if person.notification is None], self.visible_at)
        bulk.insert(self.recipients)
        bulk.insert(self.entries)

    def _add(self, entry: MailboxEntry) -> None:
        sealing.wrap_for_entry(entry, self.message_key, self._retention_key)
        self.entries.append(entry)

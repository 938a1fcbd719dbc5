"""Copies: what a recipient gets when a message reaches them. A row of the sender's history, a mailbox entry with the
message key wrapped for it alone, and the mail that announces it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts import credentials
from accounts.correspondents import Correspondent
from accounts.models import User
from portal import bulk, keyring, outbox
from portal.ids import uuid7s

from . import digests, mail_server_copy, notifications, sealing
from .addressing import Addressed
from .models import MailboxEntry, Message, Recipient


@dataclass
class Copies:
    """Copies of one message being made, in the caller's transaction."""

    message: Message
    message_key: bytes
    visible_at: datetime

    def __post_init__(self) -> None:
        self._retention_key = keyring.open_retention_key(self.message.retention_key)

    def add_sent(self, author: User, sent_at: datetime) -> MailboxEntry:
        """The author's own, in Sent Items."""
        return self._add_authors(
            MailboxEntry(
                owner=author,
                message=self.message,
                kind=MailboxEntry.Kind.SENT,
                folder=MailboxEntry.Folder.SENT,
                visible_at=sent_at,
                read_at=sent_at,
            )
        )

    def add_own_copy(self, author: User) -> None:
        """In the author's Inbox, and a mail with the message itself to the author's mailbox on the organisation's
        own mail server."""
        entry = self._add_authors(
            MailboxEntry(
                owner=author,
                message=self.message,
                kind=MailboxEntry.Kind.OWN_COPY,
                folder=MailboxEntry.Folder.INBOX,
                visible_at=self.visible_at,
            )
        )
        outbox.enqueue([mail_server_copy.mail_for(entry, due_at=self.visible_at)])

    def _add_authors(self, entry: MailboxEntry) -> MailboxEntry:
        sealing.wrap_for_entry(entry, self.message_key, self._retention_key)
        entry.save(force_insert=True)
        return entry

    def add_received(self, people: Sequence[tuple[Correspondent, Addressed]]) -> None:
        """One for each recipient, hidden until it becomes visible, and a temporary password for those who need one; in
        a constant number of statements, for 500 people are written to while somebody waits."""
        users = [user for user, _person in people]
        entry_ids = uuid7s(len(users))
        mail_ids = self._announce(users, entry_ids)
        outbox.enqueue(credentials.first_visit_mails(users, due_at=self.visible_at))
        recipient_ids = uuid7s(len(users))
        bulk.insert_like(
            Recipient(message_id=self.message.id),
            {
                "id": recipient_ids,
                "user_id": [user.id for user in users],
                "role": [person.role for _user, person in people],
                "address": [user.address for user in users],
                "name": [user.name or person.name for user, person in people],
                "notification_id": [mail_ids[user.id] for user in users],
            },
        )
        self._insert_entries(users, entry_ids, recipient_ids)

    def _announce(self, users: list[Correspondent], entry_ids: list[UUID]) -> dict[UUID, UUID]:
        """The id of the mail that tells each user: a digest of those who want one and those whose hour is full."""
        organization = self.message.organization
        full = digests.whose_hour_is_full(organization, users)
        gathered = {user.id: user for user in users if digests.wants_digest(user) or user.id in full}
        at_once = [(user, entry) for user, entry in zip(users, entry_ids, strict=True) if user.id not in gathered]
        return digests.announce(organization, gathered.values(), self.visible_at) | notifications.announce(
            self.message, at_once, due_at=self.visible_at
        )

    def _insert_entries(self, users: list[Correspondent], entry_ids: list[UUID], recipient_ids: list[UUID]) -> None:
        bulk.insert_like(
            MailboxEntry(
                message_id=self.message.id,
                kind=MailboxEntry.Kind.RECEIVED,
                folder=MailboxEntry.Folder.INBOX,
                visible_at=self.visible_at,
            ),
            {
                "id": entry_ids,
                "owner_id": [user.id for user in users],
                "recipient_id": recipient_ids,
                "wrapped_key": [
                    sealing.wrap(self.message_key, self._retention_key, entry, user.id, self.message.id)
                    for user, entry in zip(users, entry_ids, strict=True)
                ],
            },
        )

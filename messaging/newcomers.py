"""Newcomers: whoever has never set a password gets a temporary one with a message. When the message is taken back
before that mail has left, so is the mail, and the password with it."""

from collections.abc import Collection

from django.db.models import QuerySet

from accounts import credentials
from accounts.models import User

from .models import MailboxEntry, Recipient


def lock(recipients: QuerySet[Recipient]) -> list[User]:
    """The newcomers among them, held until the transaction ends, as sending holds them: a message to one of them at
    this moment brings the temporary password, or sees that it was taken back.

    Nobody else, and not their keys: whoever sends something holds their own key, and may be waiting for these."""
    users = User.objects.select_for_update(of=("self",), no_key=True)
    return list(users.filter(received__in=recipients, password_set_at__isnull=True).order_by("pk"))


def take_back_passwords(newcomers: Collection[User]) -> None:
    """Of those who hold no other message: one that was mailed for this alone is not to leave."""
    held = MailboxEntry.objects.filter(
        owner__in=newcomers, kind=MailboxEntry.Kind.RECEIVED, removed_at__isnull=True
    ).order_by()
    holding = set(held.values_list("owner_id", flat=True))
    credentials.take_back([user for user in newcomers if user.id not in holding])

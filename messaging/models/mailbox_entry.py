from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .message import Message
from .recipient import Recipient


class MailboxEntry(models.Model):
    """One person's copy of a message, and with it the message key, wrapped for this copy alone.

    To read a message one needs an entry of one's own whose wrap still exists. Recall destroys the recipients'
    wraps; what remains of the row (a tombstone, removed_at set) only knows that there was a copy.
    """

    class Kind(models.TextChoices):
        RECEIVED = "received", _("received")
        SENT = "sent", _("sent")
        OWN_COPY = "own_copy", _("own copy")  # in the sender's Inbox where "Send BCC to Mail Server" is on
        DRAFT = "draft", _("draft")

    class Folder(models.TextChoices):
        INBOX = "inbox", _("Inbox")
        SENT = "sent", _("Sent Items")
        DRAFTS = "drafts", _("Drafts")
        DELETED = "deleted", _("Deleted Items")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Neither has an index of its own. Whose copy it is, is asked of those that are not removed, in a folder.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="entries", db_index=False)
    recipient = models.OneToOneField(Recipient, null=True, on_delete=models.PROTECT, related_name="entry")
    kind = models.CharField(max_length=8, choices=Kind)
    folder = models.CharField(max_length=8, choices=Folder)
    deleted_from = models.CharField(max_length=8, choices=Folder, blank=True, help_text="Where Restore puts it back.")
    visible_at = models.DateTimeField(help_text="Hidden before: the time in which sending can be undone.")
    read_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    wrapped_key = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("mailbox entry")
        verbose_name_plural = _("mailbox entries")
        indexes = [
            # The whole index of a folder page: ids are in time order, so the id is the page key.
            models.Index(
                name="entry_folder_page",
                fields=["owner", "folder", "-id"],
                condition=Q(removed_at__isnull=True),
            ),
            models.Index(
                name="entry_unread",
                fields=["owner", "folder"],
                condition=Q(removed_at__isnull=True, read_at__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="entry_one_copy_per_kind", fields=["message", "owner", "kind"]),
            models.CheckConstraint(
                name="entry_wrapped_until_removed",
                condition=Q(removed_at__isnull=True, wrapped_key__isnull=False)
                | Q(removed_at__isnull=False, wrapped_key__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_authors(self) -> bool:
        """Its owner wrote the message: what the definition allows concerns the others."""
        return self.kind in (self.Kind.SENT, self.Kind.OWN_COPY)

    def is_openable(self, now: datetime) -> bool:
        """Whether its owner may see what is in it at this moment (the database's)."""
        if self.removed_at is not None or self.visible_at > now:
            return False
        return self.kind != self.Kind.RECEIVED or not self.message.is_expired(now)

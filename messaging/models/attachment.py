from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .message import Message
from .recipient import Recipient


class Attachment(models.Model):
    """A file of a message or draft. Its bytes lie sealed in ATTACHMENTS_DIR, named by the file id alone, under a key
    of their own that the message key wraps: forwarding is a row more that wraps the same key again."""

    class Scan(models.TextChoices):
        OFF = "off", _("not asked for")
        CLEAN = "clean", _("nothing found")
        WAITING = "waiting", _("not scanned yet")
        TOO_LARGE = "too_large", _("too large to be scanned")
        INFECTED = "infected", _("infected")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    file_id = models.UUIDField(db_index=True, help_text="The file; a forwarded one is shared.")
    name = models.BinaryField(help_text="Sealed: the file's cleaned name.")
    content_type = models.CharField(_("content type"), max_length=120)
    doubt = models.CharField(
        max_length=16, blank=True, default="", help_text="What its content is, where its name says otherwise."
    )
    size = models.PositiveBigIntegerField(_("size"), help_text="Bytes, before sealing.")
    wrapped_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    scan = models.CharField(max_length=9, choices=Scan, default=Scan.OFF)
    next_scan_at = models.DateTimeField(null=True, help_text="When it is scanned again; null: no need.")

    class Meta:
        indexes = [
            models.Index(
                name="attachment_to_scan", fields=["next_scan_at"], condition=models.Q(next_scan_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    def is_released(self, hold_unscanned: bool) -> bool:
        """Whether anybody may have its bytes, its author included. hold_unscanned: the organisation's choice."""
        if self.scan in (self.Scan.WAITING, self.Scan.TOO_LARGE):
            return not hold_unscanned
        return self.scan != self.Scan.INFECTED


class AttachmentFetch(models.Model):
    """The first time a recipient fetched an attachment."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: the constraint below begins with it.
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="fetches", db_index=False)
    attachment = models.ForeignKey(
        Attachment, null=True, on_delete=models.SET_NULL, related_name="fetches", help_text="Null: purged since."
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="attachment_fetch_first", fields=["recipient", "attachment"])]

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.attachment_id}"

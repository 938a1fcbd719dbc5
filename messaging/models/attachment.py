from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .message import Message
from .recipient import Recipient


class Attachment(models.Model):
    """A file of a message or draft. Its bytes lie sealed in ATTACHMENTS_DIR, named by the file id alone, under a key
    of their own that the message key wraps: forwarding is a row more that wraps the same key again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    file_id = models.UUIDField(db_index=True, help_text="The file; a forwarded one is shared.")
    name = models.BinaryField(help_text="Sealed: the file's cleaned name.")
    content_type = models.CharField(_("content type"), max_length=120)
    size = models.PositiveBigIntegerField(_("size"), help_text="Bytes, before sealing.")
    wrapped_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.id)


class AttachmentFetch(models.Model):
    """The first time a recipient fetched an attachment."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="fetches")
    attachment = models.ForeignKey(
        Attachment, null=True, on_delete=models.SET_NULL, related_name="fetches", help_text="Null: purged since."
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="attachment_fetch_first", fields=["recipient", "attachment"])]

    def __str__(self) -> str:
        return f"{self.recipient_id} {self.attachment_id}"

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .message import Message


class Attachment(models.Model):
    """A file of a message or draft. Its bytes lie sealed in ATTACHMENTS_DIR, named by the id alone, under a key of
    their own that the message key wraps: sending or forwarding re-wraps 32 bytes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    name = models.BinaryField(help_text="Sealed: the file's cleaned name.")
    content_type = models.CharField(_("content type"), max_length=120)
    size = models.PositiveBigIntegerField(_("size"), help_text="Bytes, before sealing.")
    wrapped_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.id)

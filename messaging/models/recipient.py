from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7
from portal.models import OutgoingMail

from .message import Message


class Recipient(models.Model):
    """One person a message was sent to, and what has happened since; outlives the content."""

    class Role(models.TextChoices):
        TO = "to", _("To")
        CC = "cc", _("Cc")
        BCC = "bcc", _("Bcc")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: the constraint below begins with it.
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="recipients", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="received", db_index=False
    )
    role = models.CharField(max_length=3, choices=Role)
    # As written when sent: a changed address or name does not rewrite history.
    address = models.EmailField(max_length=320)
    name = models.CharField(max_length=120, blank=True)
    # Many recipients to one mail: a digest.
    notification = models.ForeignKey(OutgoingMail, null=True, on_delete=models.SET_NULL, related_name="+")
    read_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    recalled_at = models.DateTimeField(null=True, help_text="Recalled for this recipient alone.")

    class Meta:
        # Ids are in time order: what somebody got within the last hour is one stretch of it.
        indexes = [models.Index(name="recipient_of_user", fields=["user", "id"])]
        constraints = [models.UniqueConstraint(name="recipient_once_per_message", fields=["message", "user"])]

    def __str__(self) -> str:
        return self.address

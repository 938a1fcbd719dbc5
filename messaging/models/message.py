from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7
from portal.models import Organization, RetentionKey

from .definition import Definition, MessageRules


class Message(MessageRules):
    """A message, or a draft of one while sent_at is null. Subject and body are sealed under the message's own key,
    which stands nowhere but wrapped in the mailbox entries of those who hold a copy."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Few indexes of single columns: each costs with every message that is sent and purged. Those below begin with them.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("organisation"), db_index=False
    )
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sent_messages")
    retention_key = models.ForeignKey(RetentionKey, on_delete=models.PROTECT, related_name="+", db_index=False)
    subject = models.BinaryField(help_text="Sealed: text.")
    body = models.BinaryField(help_text="Sealed: sanitised HTML.")
    definition = models.ForeignKey(Definition, null=True, on_delete=models.PROTECT, related_name="+")
    in_reply_to = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="replies", db_index=False
    )
    answers_all = models.BooleanField(default=False, db_default=False, help_text="Of a reply: written as Reply All.")
    forwards = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="forwarded_in", db_index=False
    )
    # A draft's To, Cc and Bcc as they were typed, sealed; once sent they are Recipient rows.
    draft_recipients = models.BinaryField(default=bytes)
    # Which save of the draft this is and which window made it, so that one window does not eat another's text.
    revision = models.PositiveIntegerField(default=0)
    window = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    saved_at = models.DateTimeField(auto_now=True, help_text="When the draft was last written.")
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True, help_text="When the last reminders of it were written.")
    recalled_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True, help_text="Content destroyed; the history stays.")
    extensions_used = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(
                name="message_due_for_purge", fields=["organization", "sent_at"], condition=Q(purged_at__isnull=True)
            ),
            # Administrators look at all there is, newest first (traffic.py).
            models.Index(
                name="message_traffic",
                fields=["organization", "-sent_at", "-id"],
                condition=Q(sent_at__isnull=False),
            ),
            models.Index(
                name="message_expires",
                fields=["expires_at"],
                condition=Q(expires_at__isnull=False, purged_at__isnull=True),
            ),
            # Whether anything still hangs on a month's key.
            models.Index(name="message_under_key", fields=["retention_key"], condition=Q(purged_at__isnull=True)),
            models.Index(name="message_replies", fields=["in_reply_to"], condition=Q(in_reply_to__isnull=False)),
            models.Index(name="message_forwards", fields=["forwards"], condition=Q(forwards__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def is_recalled(self) -> bool:
        return self.recalled_at is not None


class Quote(models.Model):
    """One earlier message quoted under a reply: a row of its own, sealed under the reply's key, so that recalling
    its source can leave it or destroy it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: the constraint below begins with it.
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="quotes", db_index=False)
    position = models.PositiveSmallIntegerField(help_text="0: what the reply answers; then what that one quoted.")
    source = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="quoted_in")
    content = models.BinaryField(
        null=True, help_text="Sealed: JSON of sender, sent_at, to, cc, subject, body. Null: destroyed with its source."
    )

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(name="quote_position", fields=["message", "position"])]

    def __str__(self) -> str:
        return f"{self.message_id} #{self.position}"

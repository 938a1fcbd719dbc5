from django.db import models

from portal.ids import uuid7

from .organization import Organization


class RetentionKey(models.Model):
    """The key that wraps the message keys of one organisation and month of sending; itself under a master key.

    Destroyed when that month's last message is due: what backups of the database still hold is then unreadable.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="retention_keys")
    month = models.DateField(help_text="First day of the month of sending, UTC.")
    master_key_id = models.CharField(max_length=32)
    wrapped_key = models.BinaryField(null=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="retention_key_one_per_month", fields=["organization", "month"]),
            models.CheckConstraint(
                name="retention_key_wrapped_until_destroyed",
                condition=models.Q(wrapped_key__isnull=False, destroyed_at__isnull=True)
                | models.Q(wrapped_key__isnull=True, destroyed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.month:%Y-%m}"


class LeafKey(models.Model):
    """A key of one purpose for the whole installation (credentials, device cookies …), under a master key."""

    purpose = models.CharField(primary_key=True, max_length=32)
    master_key_id = models.CharField(max_length=32)
    wrapped_key = models.BinaryField()

    def __str__(self) -> str:
        return self.purpose

from django.db import models

from portal.ids import uuid7
from portal.models import Organization


class Activity(models.Model):
    """How much went on in an organisation in one quarter of an hour (messaging/activity.py): numbers, and nobody's
    name. A quarter in which nothing did has no row."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: the constraint below begins with it.
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    begins_at = models.DateTimeField()
    messages = models.PositiveIntegerField(default=0)
    recipients = models.PositiveIntegerField(default=0)
    log_ins = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="activity_once_per_quarter", fields=["organization", "begins_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.begins_at:%Y-%m-%d %H:%M}"

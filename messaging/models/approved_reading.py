from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.dates import in_full
from portal.ids import uuid7
from portal.models import Organization

from .message import Message


class ApprovedReading(models.Model):
    """One administrator asks to read one message's body, another decides (messaging/approved_reading.py)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="approved_readings", verbose_name=_("organisation")
    )
    # The audit log outlives both.
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", verbose_name=_("message"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"))
    reason = models.CharField(_("reason"), max_length=300)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    # Null where it was refused, or is not decided yet.
    readable_until = models.DateTimeField(_("readable until"), null=True)

    class Meta:
        verbose_name = _("reading of a message")
        verbose_name_plural = _("readings of messages")
        constraints = [
            models.CheckConstraint(
                name="approved_reading_decided_by_another",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="approved_reading_only_when_decided",
                condition=Q(decided_by__isnull=True, decided_at__isnull=True, readable_until__isnull=True)
                | Q(decided_by__isnull=False, decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return in_full(self.asked_at)

    def is_readable(self, now: datetime) -> bool:
        return self.readable_until is not None and now < self.readable_until

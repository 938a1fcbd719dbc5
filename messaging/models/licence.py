from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from portal.ids import uuid7


class RecipientUse(models.Model):
    """One external address a sender has written to in one month: what the licence counts, each once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="recipient_uses")
    month = models.DateField(help_text="First day of the month in the organisation's time zone.")
    address = models.EmailField(max_length=320)

    class Meta:
        constraints = [models.UniqueConstraint(name="recipient_use_once", fields=["sender", "month", "address"])]

    def __str__(self) -> str:
        return f"{self.sender_id} {self.month:%Y-%m}"


class BulkSenderPack(models.Model):
    """Raises a sender's monthly limit, from its first month to its last (none: until further notice)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bulk_sender_packs")
    recipients = models.PositiveIntegerField(_("additional recipients a month"), validators=[MinValueValidator(1)])
    first_month = models.DateField(_("from"), help_text=_("First day of a month."))
    last_month = models.DateField(_("until"), null=True, blank=True, help_text=_("First day of the last month."))

    class Meta:
        verbose_name = _("Bulk Sender pack")
        verbose_name_plural = _("Bulk Sender packs")
        constraints = [
            models.CheckConstraint(
                name="bulk_sender_pack_months_in_order",
                condition=Q(last_month__isnull=True) | Q(last_month__gte=F("first_month")),
            )
        ]

    def __str__(self) -> str:
        return f"+{self.recipients}"


class LicensedSender(User):
    """The console's entry for who may write to anyone, and how much of it they do."""

    class Meta:
        proxy = True
        verbose_name = _("licence")
        verbose_name_plural = _("Licences and usage")

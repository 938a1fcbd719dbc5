from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.dates import in_full
from portal.ids import uuid7
from portal.models import Organization

from .message import Message


class MassRecall(models.Model):
    """An administrator's recall of a selection of messages: worked off item by item (messaging/mass_recall.py)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="mass_recalls", verbose_name=_("organisation")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("ordered by")
    )
    ordered_at = models.DateTimeField(_("ordered"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("recall")
        verbose_name_plural = _("recalls")
        indexes = [models.Index(name="mass_recall_waiting", fields=["id"], condition=Q(finished_at__isnull=True))]

    def __str__(self) -> str:
        return in_full(self.ordered_at)


class MassRecallItem(models.Model):
    """One message of the selection, and what came of it."""

    class Outcome(models.TextChoices):
        WAITING = "", _("waiting")
        RECALLED = "recalled", _("recalled")
        BEFORE = "before", _("had been recalled before")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    mass_recall = models.ForeignKey(MassRecall, on_delete=models.CASCADE, related_name="items")
    # Null once what had been sent became a draft again, and its author discarded that.
    message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="+")
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.WAITING, blank=True)
    copies = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(name="mass_recall_item_once", fields=["mass_recall", "message"])]
        indexes = [models.Index(name="mass_recall_item_waiting", fields=["mass_recall"], condition=Q(outcome=""))]

    def __str__(self) -> str:
        return f"{self.message_id} {self.outcome}"

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.dates import in_full
from portal.ids import uuid7
from portal.models import Organization


class Erasure(models.Model):
    """A person who is erased at their request: worked off step by step (messaging/erasing.py)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="erasures", verbose_name=_("organisation")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="erasure", verbose_name=_("person")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("ordered by")
    )
    # Until it is finished, to find what still carries it.
    address = models.EmailField(max_length=320, blank=True)
    copies = models.PositiveIntegerField(_("copies destroyed"), default=0)
    ordered_at = models.DateTimeField(_("ordered"))
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("Erased people")
        indexes = [models.Index(name="erasure_waiting", fields=["id"], condition=Q(finished_at__isnull=True))]
        constraints = [
            models.CheckConstraint(
                name="erasure_forgets_the_address",
                condition=Q(finished_at__isnull=True) | Q(address=""),
            )
        ]

    def __str__(self) -> str:
        return in_full(self.ordered_at)

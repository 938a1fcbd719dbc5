from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7


class Organization(models.Model):
    """The customer that owns a portal: its address, its settings."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(
        _("name"), max_length=120, help_text=_("As recipients know it; stands in every notification.")
    )
    slug = models.SlugField(
        _("portal URL prefix"),
        unique=True,
        help_text=_("The log-in page is /p/<prefix>/. Links already mailed carry it."),
    )
    retention_days = models.PositiveSmallIntegerField(
        _("retention (days)"),
        default=365,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Messages, copies and attachments are destroyed this long after sending."),
    )
    idle_minutes = models.PositiveSmallIntegerField(
        _("session time-out (minutes)"),
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("A session ends after this long without activity. It may be shortened, not lengthened."),
    )
    first_visit_hours = models.PositiveSmallIntegerField(
        _("first temporary password lasts (hours)"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(72)],
    )
    reply_to = models.EmailField(
        _("notifications' Reply-To"),
        blank=True,
        help_text=_("Where answers to notifications go. Empty: no Reply-To."),
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=16, default="en-gb")

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            models.CheckConstraint(
                name="organization_idle_at_most_60_minutes",
                condition=models.Q(idle_minutes__gte=1, idle_minutes__lte=60),
            ),
            models.CheckConstraint(
                name="organization_first_visit_at_most_72_hours",
                condition=models.Q(first_visit_hours__gte=1, first_visit_hours__lte=72),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("log_in", args=[self.slug])

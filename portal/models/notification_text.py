from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .organization import Organization


class NotificationText(models.Model):
    """An organisation's own words in one kind of mail (portal/wordings.py); without such a row, the portal's."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="notification_texts", verbose_name=_("organisation")
    )
    kind = models.CharField(_("mail"), max_length=40)
    subject = models.CharField(
        _("subject"), max_length=100, help_text=_("Without the organisation's name: that stands before every subject.")
    )
    text = models.TextField(
        _("opening text"), max_length=1000, help_text=_("Plain text; an empty line begins a new paragraph.")
    )

    class Meta:
        verbose_name = _("notification text")
        verbose_name_plural = _("Notifications")
        constraints = [
            models.UniqueConstraint(
                name="notification_text_once",
                fields=["organization", "kind"],
                violation_error_message=_("There is a text of your own for this mail already: change that one."),
            )
        ]

    def __str__(self) -> str:
        return self.kind

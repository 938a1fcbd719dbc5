from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .organization import Organization


class AuditEvent(models.Model):
    """Something that happened, written in the transaction in which it happened, never changed afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: the one below begins with it.
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="audit_events",
        verbose_name=_("organisation"),
        db_index=False,
    )
    at = models.DateTimeField(_("at"))
    action = models.CharField(
        _("action"), max_length=60, help_text=_("What was done, as the search and the export name it.")
    )
    # No foreign key: the event outlives the person's account, and the ground floor knows no user.
    actor_id = models.UUIDField(null=True)
    actor_address = models.CharField(_("who"), max_length=320, blank=True)
    about = models.UUIDField(_("about"), null=True)
    details = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit log")
        indexes = [models.Index(name="audit_event_listing", fields=["organization", "id"])]

    def __str__(self) -> str:
        return f"{self.action} {self.at:%Y-%m-%d %H:%M:%S}"


class AuditLink(models.Model):
    """One event's place in its organisation's hash chain; written seconds later by the clock, so that log-ins and
    reads do not queue behind each other."""

    event = models.OneToOneField(AuditEvent, primary_key=True, on_delete=models.PROTECT, related_name="link")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveBigIntegerField()
    previous_hash = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(name="audit_link_sequence", fields=["organization", "sequence"])]

    def __str__(self) -> str:
        return f"{self.organization_id} #{self.sequence}"

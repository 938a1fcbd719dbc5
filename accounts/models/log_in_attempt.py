from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7
from portal.models import Organization

from .directory import User


class LogInAttempt(models.Model):
    """One try at the log-in page: what the visitor is not told, kept for the administrator under a reference code."""

    class Cause(models.TextChoices):
        STARTED = "started", _("broken off before an answer")
        SUCCESS = "success", _("logged in")
        TEMPORARY = "temporary", _("temporary password accepted")
        EXPIRED = "expired", _("right password, but expired")
        SECOND_FACTOR = "second_factor", _("right password, second factor asked")
        UNKNOWN = "unknown", _("no such address")
        WRONG = "wrong", _("wrong password")
        DELAYED = "delayed", _("too many failures, tried too soon")
        LOCKED = "locked", _("locked after too many failures")
        NO_PASSWORD = "no_password", _("no password set yet")
        CREDENTIAL_EXPIRED = "credential_expired", _("temporary password expired")
        DISABLED = "disabled", _("account disabled")
        NOT_ALLOWED = "not_allowed", _("Allow Secure Messaging Logon is off")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="log_in_attempts", verbose_name=_("organisation")
    )
    user = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="log_in_attempts", verbose_name=_("user")
    )
    address = models.CharField(_("address"), max_length=320)
    reference = models.CharField(_("reference"), max_length=16, unique=True)
    cause = models.CharField(_("cause"), max_length=20, choices=Cause)
    at = models.DateTimeField(_("at"))
    url = models.CharField(_("URL"), max_length=300)
    browser = models.CharField(_("browser"), max_length=300)
    network = models.GenericIPAddressField(_("network address"), null=True)
    limited_as = models.CharField(max_length=50, help_text="The network it counts for: an IPv4 address, an IPv6 /64.")

    class Meta:
        verbose_name = _("log-in attempt")
        verbose_name_plural = _("log-in attempts")
        indexes = [
            models.Index(name="log_in_attempt_listing", fields=["organization", "id"]),
            models.Index(name="log_in_attempt_network", fields=["limited_as", "at"]),
        ]

    def __str__(self) -> str:
        return self.reference

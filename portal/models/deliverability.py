from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .organization import Organization


class DkimKey(models.Model):
    """A key that signs an organisation's mail (RFC 6376), once its public half has been found in the DNS."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="dkim_keys", verbose_name=_("organisation")
    )
    domain = models.CharField(_("domain"), max_length=253)
    selector = models.CharField(_("selector"), max_length=63)
    sealed_private_key = models.BinaryField()
    public_key = models.TextField(help_text="As the p= of its record: DER in base64.")
    created_at = models.DateTimeField(_("made"))
    found_at = models.DateTimeField(_("found in the DNS"), null=True, blank=True)

    class Meta:
        verbose_name = _("DKIM key")
        verbose_name_plural = _("DKIM keys")
        constraints = [models.UniqueConstraint(name="dkim_key_selector_once", fields=["domain", "selector"])]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


class MailCheck(models.Model):
    """What the DNS says about the mail an organisation sends; looked up by a worker (portal/mail_check.py)."""

    organization = models.OneToOneField(
        Organization, primary_key=True, on_delete=models.CASCADE, verbose_name=_("organisation")
    )
    requested_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    findings = models.JSONField(default=list, blank=True)

    class Meta:
        verbose_name = _("mail check")
        verbose_name_plural = _("mail check")

    def __str__(self) -> str:
        return str(_("Mail check"))

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7
from portal.models import Organization


class MailRequest(models.Model):
    """Somebody typed an address and asked for a mail to it: a password reset, or the address of their portal.

    The request is only written down; a worker answers it (accounts/mail_requests.py). So the page cannot tell, not
    even by its clock, whether the address is known.
    """

    class Kind(models.TextChoices):
        RESET = "reset", _("password reset")
        LINK = "link", _("address of the portal")

    class Outcome(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("mail sent")
        UNKNOWN = "unknown", _("no such address")
        NOT_ALLOWED = "not_allowed", _("account disabled or logon not allowed")
        TOO_MANY = "too_many", _("asked too often")
        FAILED = "failed", _("could not be answered")
        BY_TELEPHONE = "by_telephone", _("passwords are told by telephone")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    organization = models.ForeignKey(
        Organization,
        null=True,
        on_delete=models.PROTECT,
        related_name="mail_requests",
        verbose_name=_("organisation"),
        help_text="Null: asked on the home page, which belongs to none.",
    )
    address = models.CharField(_("address"), max_length=320)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, default=Outcome.WAITING)
    at = models.DateTimeField(_("at"))
    browser = models.CharField(_("browser"), max_length=300)
    network = models.GenericIPAddressField(_("network address"), null=True)
    limited_as = models.CharField(max_length=50, help_text="The network it counts for: an IPv4 address, an IPv6 /64.")

    class Meta:
        verbose_name = _("mail request")
        verbose_name_plural = _("mail requests")
        indexes = [
            models.Index(name="mail_request_waiting", fields=["id"], condition=Q(outcome="waiting")),
            models.Index(name="mail_request_network", fields=["limited_as", "at"]),
            models.Index(name="mail_request_address", fields=["address", "at"]),
            models.Index(name="mail_request_listing", fields=["organization", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.address}"

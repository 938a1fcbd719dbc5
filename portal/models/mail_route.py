from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .organization import Organization


class MailRoute(models.Model):
    """How an organisation's mail to one domain leaves; without a domain: to every domain that has no route of its own.

    Where an organisation has no such row, its mail leaves by the installation's relay (settings.EMAIL_*).
    """

    class Way(models.TextChoices):
        MX = "mx", _("straight to the domain's own mail servers (MX)")
        RELAY = "relay", _("by a relay")

    class Tls(models.TextChoices):
        OPPORTUNISTIC = "opportunistic", _("opportunistic: encrypted where the server offers it")
        ENFORCED = "enforced", _("enforced: encrypted, to a server whose certificate proves its name, or not at all")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="mail_routes", verbose_name=_("organisation")
    )
    domain = models.CharField(
        _("mail to (domain)"),
        max_length=253,
        blank=True,
        help_text=_("Such as partner.example. Empty: every domain without a route of its own."),
    )
    way = models.CharField(_("way"), max_length=5, choices=Way, default=Way.MX)
    tls = models.CharField(_("TLS"), max_length=13, choices=Tls, default=Tls.ENFORCED)
    host = models.CharField(_("relay"), max_length=253, blank=True, help_text=_("Its name, as in its certificate."))
    port = models.PositiveIntegerField(
        _("port"), default=587, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    tls_from_start = models.BooleanField(
        _("TLS from the start"), default=False, help_text=_("As on port 465. Off: STARTTLS.")
    )
    user_name = models.CharField(_("user name"), max_length=200, blank=True)
    sealed_password = models.BinaryField(null=True, blank=True)

    class Meta:
        verbose_name = _("mail route")
        verbose_name_plural = _("mail routes")
        constraints = [
            models.UniqueConstraint(name="mail_route_one_per_domain", fields=["organization", "domain"]),
            models.CheckConstraint(
                name="mail_route_relay_has_a_host", condition=~models.Q(way="relay") | ~models.Q(host="")
            ),
            models.CheckConstraint(
                name="mail_route_log_in_under_tls", condition=models.Q(user_name="") | models.Q(tls="enforced")
            ),
        ]

    def __str__(self) -> str:
        return self.domain or str(_("all other domains"))


class MailHold(models.Model):
    """A destination that could not be talked to: its mail waits as a whole, in order, and somebody tries again then."""

    key = models.CharField(primary_key=True, max_length=320, help_text="portal/routes.py: Destination.key")
    organization = models.ForeignKey(
        Organization,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="Null: the installation's own relay, which concerns everybody.",
    )
    name = models.CharField(max_length=253, help_text="The domain or relay, for people.")
    since = models.DateTimeField()
    until = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    words = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class MailSlot(models.Model):
    """One of the connections that all workers together may have to a host."""

    host = models.CharField(max_length=253)
    number = models.PositiveSmallIntegerField()
    holder = models.CharField(max_length=32, blank=True)
    leased_until = models.DateTimeField(help_text="Free from then on, whatever became of its holder.")

    class Meta:
        constraints = [models.UniqueConstraint(name="mail_slot_once_per_host", fields=["host", "number"])]

    def __str__(self) -> str:
        return f"{self.host} {self.number}"


class MtaStsPolicy(models.Model):
    """A domain's published wish for TLS (RFC 8461), as last fetched; `mode` empty: it has none."""

    domain = models.CharField(primary_key=True, max_length=253)
    policy_id = models.CharField(max_length=32, blank=True)
    mode = models.CharField(max_length=8, blank=True)
    mx = models.TextField(blank=True, help_text="Names and patterns of its mail servers, one a line.")
    expires_at = models.DateTimeField()
    checked_at = models.DateTimeField(help_text="When its id was last asked for.")

    def __str__(self) -> str:
        return f"{self.domain} {self.mode}"

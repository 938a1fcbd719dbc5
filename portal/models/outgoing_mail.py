from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .organization import Organization


class OutgoingMail(models.Model):
    """One mail to one address, without its content: that is rendered by the worker at sending (portal/delivery.py)."""

    class State(models.TextChoices):
        DUE = "due", _("waiting")
        LEASED = "leased", _("being prepared")
        SENDING = "sending", _("being sent")
        AMBIGUOUS = "ambiguous", _("perhaps sent, being tried again")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Few indexes, for 500 mails are inserted while a sender waits; those that failed have one below.
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="outgoing_mails",
        verbose_name=_("organisation"),
        db_index=False,
    )
    kind = models.CharField(max_length=40, help_text="Whose registered render() writes it.")
    about = models.UUIDField(help_text="Id of the row it is about; which table, the kind knows.")
    to_address = models.EmailField(_("to"), max_length=320)
    dedupe_key = models.CharField(max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DUE)
    due_at = models.DateTimeField(_("to leave"))
    not_after = models.DateTimeField(
        _("not after"), null=True, blank=True, help_text=_("Not wanted any more from then on: it is cancelled.")
    )
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0, help_text="Grows with each claim; a stale worker's writes miss.")
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    first_tried_at = models.DateTimeField(
        _("first tried"), null=True, blank=True, help_text=_("It is tried for 48 hours.")
    )
    ambiguous_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="It may have left then: the server's answer to the final dot, or the worker, was lost.",
    )
    server_reply = models.TextField(_("the mail server's last words"), blank=True)
    # What came back after a server had taken it (portal/bounces.py); words without a moment: it is only delayed.
    bounced_at = models.DateTimeField(_("came back"), null=True, blank=True)
    bounce_words = models.TextField(_("why it came back"), blank=True, default="")
    message_id = models.CharField(_("Message-ID"), max_length=200)  # unique as the id is, of which it is made
    date = models.DateTimeField(help_text="Its Date header, the same at every try.")
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(name="outgoing_mail_pending", fields=["due_at"], condition=models.Q(finished_at__isnull=True)),
            models.Index(name="outgoing_mail_about", fields=["about"]),
            models.Index(
                name="outgoing_mail_failed", fields=["organization", "finished_at"], condition=models.Q(state="failed")
            ),
        ]
        constraints = [
            # Not `unique=True`, which on PostgreSQL keeps a second index for LIKE; 500 mails are inserted at once.
            models.UniqueConstraint(name="outgoing_mail_dedupe_key", fields=["dedupe_key"]),
            models.CheckConstraint(
                name="outgoing_mail_finished_in_a_final_state",
                condition=models.Q(state__in=["sent", "failed", "cancelled"], finished_at__isnull=False)
                | models.Q(state__in=["due", "leased", "sending", "ambiguous"], finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def last_words(self) -> str:
        """What was said last by whoever refused it or sent it back."""
        return self.bounce_words if self.bounced_at else self.server_reply

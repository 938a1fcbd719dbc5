from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7
from portal.models import Organization


class MessageRules(models.Model):
    """What a definition says of a message: kept by the definition, and by each message as it stood when sent."""

    may_reply = models.BooleanField(_("recipients may reply"), default=True)
    may_reply_all = models.BooleanField(_("recipients may reply to all"), default=True)
    may_forward = models.BooleanField(_("recipients may forward"), default=False)
    may_print = models.BooleanField(_("recipients may print"), default=True)
    may_download = models.BooleanField(_("recipients may download the message"), default=False)
    extensions = models.PositiveSmallIntegerField(
        _("expiry extensions"), default=1, help_text=_("How often a sender may extend the expiry. 0: never.")
    )
    read_receipt = models.BooleanField(_("read receipt"), default=False)

    class Meta:
        abstract = True


class Definition(MessageRules):
    """A named set of rules an administrator offers to senders."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="definitions", verbose_name=_("organisation")
    )
    description = models.CharField(_("description"), max_length=120)
    expire_after_days = models.PositiveSmallIntegerField(
        _("expire after (days)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(3650)],
        help_text=_("Empty: never."),
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    is_default = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = _("definition")
        verbose_name_plural = _("definitions")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                name="definition_one_default_per_organization",
                fields=["organization"],
                condition=Q(is_default=True),
            ),
            models.CheckConstraint(
                name="definition_expires_after_a_day_or_more",
                condition=Q(expire_after_days__isnull=True) | Q(expire_after_days__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.description

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Group
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


class DefinitionFolder(models.Model):
    """Definitions that stand together; its groups decide who is offered them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="definition_folders", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=120)
    position = models.PositiveIntegerField(_("position"), default=0)
    groups = models.ManyToManyField(
        Group,
        related_name="definition_folders",
        blank=True,
        verbose_name=_("groups"),
        help_text=_("Their members are offered the definitions in this folder, if they are licensed senders."),
    )

    class Meta:
        verbose_name = _("definition folder")
        verbose_name_plural = _("definition folders")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(name="definition_folder_name_once", fields=["organization", "name"]),
        ]

    def __str__(self) -> str:
        return self.name


class Definition(MessageRules):
    """A named set of rules an administrator offers to senders."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="definitions", verbose_name=_("organisation")
    )
    # Protected: without its folder a definition would be offered to everybody.
    folder = models.ForeignKey(
        DefinitionFolder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="definitions",
        verbose_name=_("folder"),
        help_text=_("Offered to the members of the folder's groups. Without a folder: to every licensed sender."),
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

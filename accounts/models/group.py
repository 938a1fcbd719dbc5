from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7
from portal.models import Organization

from .directory import User


class Group(models.Model):
    """People of one organisation, gathered by its administrator: whom a folder of definitions is offered to.

    Django's own groups belong to no organisation and carry permissions; these carry none.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="groups", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=120)
    members = models.ManyToManyField(User, related_name="member_of", blank=True, verbose_name=_("members"))

    class Meta:
        verbose_name = _("group")
        verbose_name_plural = _("groups")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(name="group_name_once_per_organization", fields=["organization", "name"])
        ]

    def __str__(self) -> str:
        return self.name

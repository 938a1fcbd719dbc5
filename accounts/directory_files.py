"""Directories as files: the domains, and the users."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import audit, erased, imports
from portal.table_resource import TableResource, YesNoWidget, column

from . import directories
from .directories import InvalidAddress, normalize_address
from .models import Domain, User


class DirectoryWidget(YesNoWidget):
    words: ClassVar[dict[str, bool]] = {"internal": True, "external": False}


class DomainResource(TableResource):
    model = Domain
    key = "domain"
    explained: ClassVar[dict[str, Any]] = {
        "domain": gettext_lazy("such as example.org"),
        "directory": gettext_lazy("internal or external; cannot be changed for a domain that is there already"),
    }
    domain = column("domain", "name")
    directory = column("directory", "is_internal", DirectoryWidget())

    def normalized(self, key: str) -> str:
        return directories.normalize_domain(key)

    def find(self, keys: Sequence[str]) -> dict[str, Domain]:
        return {one.name: one for one in Domain.objects.filter(organization=self.organization, name__in=keys)}

    def write(self, row: Domain, *, is_new: bool) -> None:
        if not is_new:
            raise ValidationError(_("It is in the other directory already, and cannot be moved by an import."))
        row.save(force_insert=True)
        audit.record(self.organization, "domain.created", actor=self.actor, about=row.pk, name=row.name)

    def everything(self) -> QuerySet:
        domains = Domain.objects.filter(organization=self.organization).exclude(name=erased.DOMAIN)
        return domains.order_by("name")


class UserResource(TableResource):
    model = User
    key = "address"
    explained: ClassVar[dict[str, Any]] = {
        "address": gettext_lazy("such as name@example.org; its domain, where nobody knows it, becomes an external one"),
        "name": gettext_lazy("of the person; may be empty"),
        "logon": gettext_lazy("yes or no: Allow Secure Messaging Logon"),
    }
    address = column("address")
    name = column("name")
    logon = column("logon", "allow_logon", YesNoWidget())

    def normalized(self, key: str) -> str:
        try:
            return normalize_address(key)
        except InvalidAddress as error:
            raise ValidationError(str(error)) from None

    def find(self, keys: Sequence[str]) -> dict[str, User]:
        users = User.objects.filter(organization=self.organization, address__in=keys)
        return {user.address: user for user in users.select_related("domain", "organization")}

    def write(self, row: User, *, is_new: bool) -> None:
        if len(row.name) > directories.MAX_NAME:
            raise ValidationError({"name": _("%d characters at most.") % directories.MAX_NAME})
        if is_new:
            directories.create(actor=self.actor, user=row)
            return
        if row.is_erased:
            raise ValidationError(_("This person has been erased."))
        if row.is_staff:
            raise ValidationError(_("Administrators are changed on their own page, not by an import."))
        directories.change_name(actor=self.actor, user=row, name=row.name)
        directories.allow_logon(actor=self.actor, user=row, allowed=row.allow_logon)

    def everything(self) -> QuerySet:
        users = User.objects.filter(organization=self.organization).exclude(domain__name=erased.DOMAIN)
        return users.order_by("address")


imports.register(imports.Kind("domains", gettext_lazy("domains"), "accounts.externaldomain", DomainResource))
imports.register(imports.Kind("users", gettext_lazy("users"), "accounts.user", UserResource))

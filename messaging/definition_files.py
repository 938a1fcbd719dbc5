"""Definitions as a file."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import audit, imports
from portal.table_resource import NumberWidget, TableResource, YesNoWidget, column

from .models import Definition, DefinitionFolder

_RULES = ("may_reply", "may_reply_all", "may_forward", "may_print", "may_download", "read_receipt")


class DefinitionResource(TableResource):
    model = Definition
    key = "description"
    explained: ClassVar[dict[str, Any]] = {
        "description": gettext_lazy("what senders choose by"),
        "folder": gettext_lazy("the name of a folder that is there already; empty: none"),
        "expire_after_days": gettext_lazy("a number of days; empty: never"),
        **{
            name: Definition._meta.get_field(name).verbose_name  # type: ignore[union-attr]
            for name in _RULES
        },
        "extensions": gettext_lazy("how often a sender may extend the expiry; 0: never"),
        "position": gettext_lazy("its place in the order"),
    }
    description = column("description")
    folder = column("folder", "folder_name")
    expire_after_days = column("expire_after_days", widget=NumberWidget(may_be_empty=True))
    may_reply = column("may_reply", widget=YesNoWidget())
    may_reply_all = column("may_reply_all", widget=YesNoWidget())
    may_forward = column("may_forward", widget=YesNoWidget())
    may_print = column("may_print", widget=YesNoWidget())
    may_download = column("may_download", widget=YesNoWidget())
    read_receipt = column("read_receipt", widget=YesNoWidget())
    extensions = column("extensions", widget=NumberWidget())
    position = column("position", widget=NumberWidget())

    def find(self, keys: Sequence[str]) -> dict[str, Definition]:
        found: dict[str, Definition] = {}
        self.ambiguous: set[str] = set()
        for definition in self.everything().filter(description__in=keys):
            if definition.description in found:
                self.ambiguous.add(definition.description)
            found[definition.description] = self.prepared(definition)
        self.folders = {one.name: one for one in DefinitionFolder.objects.filter(organization=self.organization)}
        return found

    def get_instance(self, instance_loader: Any, row: Any) -> Any:
        if row[self.key] in self.ambiguous:
            raise ValidationError(_("Several definitions have this description: change one on its page first."))
        return super().get_instance(instance_loader, row)

    def init_instance(self, row: Any = None) -> Any:
        last = Definition.objects.filter(organization=self.organization).aggregate(last=Max("position"))["last"]
        return self.prepared(Definition(organization=self.organization, position=(last or 0) + 1))

    def write(self, row: Any, *, is_new: bool) -> None:
        if row.is_default:
            raise ValidationError(_("The default definition stays as it is. For other rules, add one of your own."))
        if row.folder_name and row.folder_name not in self.folders:
            raise ValidationError({"folder_name": _("There is no folder of this name.")})
        row.folder = self.folders.get(row.folder_name)
        row.full_clean()
        row.save(force_insert=is_new)
        what = "definition.created" if is_new else "definition.changed"
        audit.record(self.organization, what, actor=self.actor, about=row.pk, name=row.description)

    def everything(self) -> QuerySet:
        found = Definition.objects.filter(organization=self.organization).select_related("folder", "organization")
        return found.order_by("position", "id")

    def prepared(self, row: Any) -> Any:
        row.folder_name = row.folder.name if row.folder else ""
        return row


imports.register(imports.Kind("definitions", gettext_lazy("definitions"), "messaging.definition", DefinitionResource))

"""Definitions in the console. Messages are not: no administration page shows a subject or a body."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from portal.console import OrganizationScopedAdmin, own_organization

from .definitions import default_for
from .models import Definition, Message


@admin.register(Definition)
class DefinitionAdmin(OrganizationScopedAdmin):
    """The default one is fixed, and one that messages were sent under stays as long as they do."""

    list_display = ("description", "expires", "may_reply", "may_reply_all", "may_forward", "may_print", "fixed")
    search_fields = ("description",)
    fieldsets = (
        (None, {"fields": ("description", "position", "expire_after_days", "extensions")}),
        (
            _("What recipients may do"),
            {"fields": ("may_reply", "may_reply_all", "may_forward", "may_print", "may_download")},
        ),
        (_("What the sender is told"), {"fields": ("read_receipt",)}),
    )

    @admin.display(description=_("expires"), ordering="expire_after_days")
    def expires(self, definition: Definition) -> str:
        days = definition.expire_after_days
        return gettext("never") if days is None else ngettext("after %d day", "after %d days", days) % days

    @admin.display(description=_("default"), boolean=True)
    def fixed(self, definition: Definition) -> bool:
        return definition.is_default

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        default_for(own_organization(request))  # made when first needed: here, to be seen
        return super().changelist_view(request, extra_context)

    def get_fieldsets(self, request: HttpRequest, obj: Definition | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not obj.is_default:
            return fieldsets
        (name, options), *rest = fieldsets
        fixed = _("The default definition stays as it is. For other rules, add a definition of your own.")
        return [(name, {**options, "description": fixed}), *rest]

    def has_change_permission(self, request: HttpRequest, obj: Definition | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_default)

    def has_delete_permission(self, request: HttpRequest, obj: Definition | None = None) -> bool:
        if obj is not None and (obj.is_default or Message.objects.filter(definition=obj).exists()):
            return False
        return super().has_delete_permission(request, obj)

"""Folders of definitions, and the groups each is offered to."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.console import OrganizationScopedAdmin
from portal.scoping import ScopedForm

from ..models import DefinitionFolder


class FolderForm(ScopedForm):
    class Meta:
        model = DefinitionFolder
        fields = ("organization", "name", "position", "groups")
        widgets = {"groups": forms.CheckboxSelectMultiple}


@admin.register(DefinitionFolder)
class DefinitionFolderAdmin(OrganizationScopedAdmin):
    """One that holds definitions is not deleted: without it they would be offered to everybody."""

    form = FolderForm
    when_empty = _(
        "No folder yet. A definition in one is offered to its groups alone; a definition in none, to every sender."
    )
    list_display = ("name", "number_of_definitions", "offered_to")
    search_fields = ("name",)
    ordering = ("position", "id")
    fields = ("name", "position", "groups")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        folders = super().get_queryset(request).prefetch_related("groups")
        return folders.annotate(number_of_definitions=Count("definitions", distinct=True))

    @admin.display(description=_("definitions"), ordering="number_of_definitions")
    def number_of_definitions(self, folder: Any) -> int:
        return folder.number_of_definitions

    @admin.display(description=_("offered to"))
    def offered_to(self, folder: DefinitionFolder) -> str:
        return ", ".join(group.name for group in folder.groups.all()) or gettext("nobody: it has no groups")

    def has_delete_permission(self, request: HttpRequest, obj: DefinitionFolder | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.definitions.exists())

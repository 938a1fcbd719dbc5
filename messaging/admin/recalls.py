"""Recalls of selections: how far each has come, and what came of it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from portal.console import ReadOnlyAdmin

from .. import mass_recall
from ..models import MassRecall, MassRecallItem

MAX_FAILED_NAMED = 50


@admin.register(MassRecall)
class MassRecallAdmin(ReadOnlyAdmin):
    list_display = ("ordered_at", "actor", "finished_at")
    list_select_related = ("actor",)
    ordering = ("-id",)
    fields = readonly_fields = ("ordered_at", "actor", "finished_at", "progress")

    @admin.display(description=_("progress"))
    def progress(self, selection: MassRecall) -> str:
        failed = selection.items.filter(outcome=MassRecallItem.Outcome.FAILED)
        context = {
            "selection": selection,
            "progress": mass_recall.progress(selection),
            "failed": list(failed.values_list("message", flat=True)[:MAX_FAILED_NAMED]),
        }
        return render_to_string("admin/messaging/massrecall/progress.html", context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        response.context_data["title"] = _("Recall")
        return response

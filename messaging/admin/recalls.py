"""Recalls of selections: how far each has come, and what came of it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from portal.console import ReadOnlyAdmin
from portal.scoping import may

from .. import mass_recall
from ..models import MassRecall, MassRecallItem, Message

MAX_FAILED_NAMED = 50


@admin.register(MassRecall)
class MassRecallAdmin(ReadOnlyAdmin):
    when_empty = _(
        "Nothing has been recalled yet. Find the messages under “Search and recall”; how far it has come is shown here."
    )
    list_display = ("ordered_at", "actor", "so_far", "finished_at")
    list_select_related = ("actor",)
    ordering = ("-id",)
    fields = readonly_fields = ("ordered_at", "actor", "finished_at", "progress")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return mass_recall.with_counts(super().get_queryset(request))

    @admin.display(description=_("progress"))
    def so_far(self, selection: Any) -> str:
        counts = {"done": selection.done, "total": selection.total, "failed": selection.failed}
        if selection.failed:
            return gettext("%(done)d of %(total)d done, %(failed)d failed") % counts
        return gettext("%(done)d of %(total)d done") % counts

    @admin.display(description=_("progress"))
    def progress(self, selection: MassRecall) -> str:
        failed = selection.items.filter(outcome=MassRecallItem.Outcome.FAILED, message__isnull=False)
        failed = failed.select_related("message__sender")
        context = {
            "selection": selection,
            "progress": mass_recall.progress(selection),
            "failed": [item.message for item in failed.defer("message__body", "message__subject")[:MAX_FAILED_NAMED]],
        }
        return render_to_string("admin/messaging/massrecall/progress.html", context)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.retry_view))
        return [path("<uuid:selection_id>/retry/", view, name="messaging_massrecall_retry"), *super().get_urls()]

    def retry_view(self, request: HttpRequest, selection_id: Any) -> HttpResponse:
        """Once more those that failed."""
        actor: Any = request.user
        selection = self.get_object(request, selection_id)
        if selection is None:
            raise Http404
        if not may(request, Message, "recall"):
            raise PermissionDenied
        count = mass_recall.retry(actor=actor, selection=selection)
        mass_recall.work_off(limit=mass_recall.AT_ONCE, seconds=2)
        messages.success(
            request, ngettext("%d message was tried again.", "%d messages were tried again.", count) % count
        )
        return HttpResponseRedirect(reverse("admin:messaging_massrecall_change", args=[selection.pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        selection = context.get("original")
        has_failed = selection and selection.items.filter(outcome=MassRecallItem.Outcome.FAILED).exists()
        may_recall = may(request, Message, "recall")
        response.context_data |= {
            "title": _("Recall"),
            "may_recall": may_recall,
            "may_retry": has_failed and may_recall,
        }
        return response

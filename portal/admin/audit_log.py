"""The audit log: what happened, who did it, newest first; and as a file."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import audit, audit_export, confirmation, moments
from ..console import ReadOnlyAdmin, in_words
from ..models import AuditEvent
from ..scoping import own_organization
from ..templatetags.console import breakable

FORMATS = {
    "csv": (_("CSV, for a spreadsheet"), "text/csv; charset=utf-8", audit_export.as_csv),
    "jsonl": (_("JSON lines, for machines; can be verified"), "application/jsonl", audit_export.as_json_lines),
}


class MomentField(forms.DateTimeField):
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})


class ExportForm(forms.Form):
    start = MomentField(label=_("From"), required=False)
    end = MomentField(label=_("Until"), required=False)
    file_format = forms.ChoiceField(label=_("Format"), choices=[(key, FORMATS[key][0]) for key in FORMATS])
    action = forms.CharField(label=_("Action begins with"), required=False, max_length=60)
    who = forms.CharField(label=_("Who (address begins with)"), required=False, max_length=320)

    def narrowed(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        wanted = self.cleaned_data
        lookups = {
            "at__gte": "start",
            "at__lt": "end",
            "action__startswith": "action",
            "actor_address__startswith": "who",
        }
        return events.filter(**{lookup: wanted[name] for lookup, name in lookups.items() if wanted[name]})


@admin.display(description=_("action"), ordering="action")
def action(event: AuditEvent) -> SafeString:
    return breakable(event.action)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    has_history = False
    when_empty = _("Nothing has happened yet. Each log-in, reading, recall and change by an administrator comes here.")
    list_display = ("at", action, "actor_address", "what")
    list_display_links = ("at",)
    list_filter = ("at",)
    search_fields = ("^action", "^actor_address", "=about")
    search_help_text = _("The beginning of an action or of the address of who did it, or the id of what it is about.")
    ordering = ("-id",)
    list_per_page = 100
    fields = ("at", "action", "actor_address", "what", "more")

    @admin.display(description=_("details"))
    def what(self, event: AuditEvent) -> str:
        return in_words(event) or self.get_empty_value_display()

    @admin.display(description=_("about the same"))
    def more(self, event: AuditEvent) -> SafeString | str:
        """Whatever else happened to the same person, message or setting."""
        if event.about is None:
            return ""
        url = f"{reverse('admin:portal_auditevent_changelist')}?q={event.about}"
        return format_html('<a href="{}">{}</a>', url, gettext("All that the audit log says"))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        response.context_data["title"] = context["original"].action
        return response

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may_export = {"may_export": self.may(request, "export")}
        return super().changelist_view(request, {**may_export, **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="portal_auditevent_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> Any:
        """What to export is asked for; the file is a POST, because exporting is itself an event."""
        if not self.may(request, "export"):
            raise PermissionDenied
        # Asked for again, the form comes back as it was filled in: its fields stand in the address.
        form = ExportForm(request.POST or None, initial=request.GET.dict())
        if asked := confirmation.asked_again(request, _address_of(request)):
            return asked
        if form.is_valid():
            return self._file(request, form)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Export the audit log"),
            "subtitle": None,
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/portal/auditevent/export.html", context)

    def _file(self, request: HttpRequest, form: ExportForm) -> StreamingHttpResponse:
        chosen = form.cleaned_data["file_format"]
        _label, content_type, written = FORMATS[chosen]
        asked = [f"{name} {value}" for name, value in form.cleaned_data.items() if value]
        audit.record(own_organization(request), "audit_log.exported", actor=request.user, asked=asked)
        response = StreamingHttpResponse(written(form.narrowed(self.get_queryset(request))), content_type=content_type)
        name = f"audit-log-{localtime(moments.now()):%Y-%m-%d-%H%M}.{chosen}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def _address_of(request: HttpRequest) -> str:
    filled_in = {name: request.POST.get(name) for name in ExportForm.base_fields}
    query = urlencode({name: text for name, text in filled_in.items() if text})
    return f"{request.path}?{query}" if query else request.get_full_path()

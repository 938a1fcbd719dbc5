"""Import and export of what the console lists: a file is checked first, and taken in when that was confirmed."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from .. import audit, confirmation, imports, moments
from ..console import ReadOnlyAdmin
from ..models import Import, Organization
from ..scoping import is_operator, own_organization
from ..small_files import receives_small_files
from ..table_files import WRITERS, UnreadableFile

MOST_PROBLEMS_SHOWN = 200
FORMATS = [("csv", _("CSV")), ("xlsx", _("XLSX workbook"))]


class WhoseForm(forms.Form):
    """Of which organisation: asked only of the operator."""

    organization = forms.ModelChoiceField(label=_("Organisation"), queryset=Organization.objects.order_by("name"))

    def __init__(self, request: HttpRequest, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, initial={"organization": own_organization(request)})
        if not is_operator(request):
            del self.fields["organization"]

    def organization_for(self, request: HttpRequest) -> Organization:
        return self.cleaned_data.get("organization") or own_organization(request)


class UploadForm(WhoseForm):
    file = forms.FileField(
        label=_("File (CSV in UTF-8, or XLSX)"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > imports.MAX_BYTES:
            text = gettext("The file may have %d MB at most. Please split it.")
            raise ValidationError(text % (imports.MAX_BYTES // (1024 * 1024)))
        return file


class ExportForm(WhoseForm):
    file_format = forms.ChoiceField(label=_("Format"), choices=FORMATS)


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    when_empty = _("No file yet. “Import” stands above the lists of directories, users, definitions and licences.")
    list_display = ("ordered_at", "kind_in_words", "actor", "state")
    list_select_related = ("actor", "organization")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content")

    @admin.display(description=_("of what"), ordering="kind")
    def kind_in_words(self, run: Import) -> str:
        kind = imports.kind_named(run.kind)
        return str(kind.label) if kind else run.kind

    @admin.display(description=_("state"))
    def state(self, run: Import) -> str:
        if run.problem:
            return gettext("not possible")
        if run.cancelled_at:
            return gettext("cancelled")
        if run.finished_at:
            return gettext("finished")
        if run.confirmed_at:
            return gettext("being imported")
        return gettext("waits for confirmation") if run.checked_at else gettext("being checked")

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<slug:kind>/upload/",
                receives_small_files(imports.MAX_BYTES)(wrap(self.upload_view)),
                name="portal_import_upload",
            ),
            path("<slug:kind>/export/", wrap(self.export_view), name="portal_import_export"),
            path("<uuid:run_id>/confirm/", wrap(require_POST(self.confirm_view)), name="portal_import_confirm"),
            path("<uuid:run_id>/cancel/", wrap(require_POST(self.cancel_view)), name="portal_import_cancel"),
            *super().get_urls(),
        ]

    # --- In -----------------------------------------------------------------------------------------------------

    def upload_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        found = self._kind(request, kind, "import")
        form = UploadForm(request, *((request.POST, request.FILES) if request.method == "POST" else ()))
        if form.is_valid():
            try:
                run = imports.order(
                    actor=request.user,
                    organization=form.organization_for(request),
                    kind=found,
                    content=form.cleaned_data["file"].read(),
                )
                return HttpResponseRedirect(reverse("admin:portal_import_change", args=[run.pk]))
            except UnreadableFile as error:
                form.add_error("file", str(error))
        return self._form_page(request, found, form, gettext("Import"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """How far it is, what came of it, and what there is to decide."""
        run = self.get_object(request, object_id)
        if run is None or not self.has_view_permission(request, run):
            raise Http404
        if request.method == "POST":
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Import of %s") % self.kind_in_words(run),
            "subtitle": None,
            "opts": self.opts,
            "original": run,
            "run": run,
            "percent": round(100 * run.position / run.total) if run.total else 0,
            "state": self.state(run),
            "problems": run.problems.order_by("line")[:MOST_PROBLEMS_SHOWN],
            "may_decide": run.actor_id == request.user.pk,
        }
        return TemplateResponse(request, "admin/portal/import/run.html", context)

    def confirm_view(self, request: HttpRequest, run_id: Any) -> HttpResponse:
        run = self._own(request, run_id)
        if not imports.confirm(actor=request.user, run=run):
            messages.error(request, gettext("This import is decided already."))
        return HttpResponseRedirect(reverse("admin:portal_import_change", args=[run.pk]))

    def cancel_view(self, request: HttpRequest, run_id: Any) -> HttpResponse:
        run = self._own(request, run_id)
        if imports.cancel(actor=request.user, run=run):
            messages.success(request, gettext("The import is cancelled and the file forgotten."))
        return HttpResponseRedirect(reverse("admin:portal_import_change", args=[run.pk]))

    def _own(self, request: HttpRequest, run_id: Any) -> Import:
        """Whoever uploaded it decides."""
        run = self.get_object(request, run_id)
        if run is None or run.actor_id != request.user.pk:
            raise Http404
        self._kind(request, run.kind, "import")
        return run

    # --- Out ----------------------------------------------------------------------------------------------------

    def export_view(self, request: HttpRequest, kind: str) -> Any:
        """The file is a POST, because exporting is itself an event."""
        found = self._kind(request, kind, "export")
        if asked := confirmation.asked_again(request, request.path):
            return asked
        form = ExportForm(request, *((request.POST,) if request.method == "POST" else ()))
        if not form.is_valid():
            return self._form_page(request, found, form, gettext("Export"))
        organization = form.organization_for(request)
        chosen = form.cleaned_data["file_format"]
        content_type, written = WRITERS[chosen]
        audit.record(organization, f"{found.name}.exported", actor=request.user, file_format=chosen)
        resource = found.resource(organization, request.user)
        response = StreamingHttpResponse(written(resource.columns(), resource.export_rows()), content_type=content_type)
        name = f"{organization.slug}-{found.name}-{localtime(moments.now()):%Y-%m-%d-%H%M}.{chosen}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    # --- Both ---------------------------------------------------------------------------------------------------

    def _kind(self, request: HttpRequest, name: str, action: str) -> imports.Kind:
        kind = imports.kind_named(name)
        if kind is None:
            raise Http404
        if not request.user.has_perm(kind.permission(action)):
            raise PermissionDenied
        return kind

    def _form_page(self, request: HttpRequest, kind: imports.Kind, form: forms.Form, what: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{what}: {kind.label}",
            "subtitle": None,
            "opts": self.opts,
            "form": form,
            "what": what,
            "is_import": isinstance(form, UploadForm),
            "kind": kind,
            "list": reverse(f"admin:{kind.model.replace('.', '_')}_changelist"),
            "list_name": capfirst(str(kind.label)),
            "columns": kind.resource.explained.items(),
            "key": kind.resource.key,
        }
        return TemplateResponse(request, "admin/portal/import/file.html", context)

"""The administration console's pages: every model in it is registered with an OrganizationScopedAdmin, whose rows are
those of portal/scoping.py. The operator, who sees every organisation's, gets a column and a filter that say whose, and
a choice of organisation when adding.

Administrators need no permission rows: being staff is the permission, less what their role leaves out (Django's
`has_perm` asks the matrix in accounts/roles.py); what nobody may do is said in the class of the model. Each change is
an AuditEvent in the same transaction, with the names of the fields that changed; Django's own LogEntry is not written.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from . import audit, imports
from .models import AuditEvent, Organization
from .scoping import ScopedForm, is_operator, may, organization_of, own_organization, visible

# What a list filter or date filter puts behind its field's name in a query string.
_FILTER_SUFFIXES = ("", "__exact", "__id__exact", "__isnull", "__gte", "__lt")
_EVENTS_PER_PAGE = 50


def in_words(event: AuditEvent) -> str:
    """The event's details as plain text."""
    return " · ".join(f"{name.replace('_', ' ')}: {_value_in_words(value)}" for name, value in event.details.items())


def _value_in_words(value: Any) -> str:
    return (", ".join(map(str, value)) if isinstance(value, list) else str(value)) or "-"


class OrganizationScopedAdmin(admin.ModelAdmin):
    """See above. Subclasses name fields as usual and leave `organization` out of them: it is added here."""

    form: type[forms.ModelForm] = ScopedForm
    # Names of fields that links of ours filter by, beside those in list_filter.
    linked_filters: tuple[str, ...] = ()
    # What of it can be a file (portal/imports.py); empty: nothing.
    file_kind = ""
    # What its list says while nothing is in it: what will be, and how it comes there.
    when_empty: Promise | str = _lazy("Nothing is here yet.")
    # Whether the audit log tells of its rows by themselves; then their pages lead to that.
    has_history = True
    # An organisation has one of these: a page, and no list.
    only_one = False
    # Once added, its own page has what is to be done next: nobody goes on to add another.
    leads_on = False
    actions = None
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    view_on_site = False
    list_per_page = 50

    # --- Who may ------------------------------------------------------------------------------------------

    def may(self, request: HttpRequest, action: str) -> bool:
        """Whether this administrator's role covers the action on this model."""
        return may(request, self.model, action)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "view")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "delete")

    # --- Which rows ---------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return visible(request, super().get_queryset(request))

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """A choice of rows without Django's pop-up windows for adding, changing and deleting them in passing."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["queryset"] = visible(request, db_field.remote_field.model._default_manager.all())
        if db_field.blank:
            kwargs["empty_label"] = _("none")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        kwargs["queryset"] = visible(request, db_field.remote_field.model._default_manager.all())
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what the page itself offers. Any other look-up reads what the page does not show, one character at
        a time: `password__startswith`, `sessions__session_key__startswith`."""
        if isinstance(value, str) and "\x00" in value:  # PostgreSQL refuses it with an error, not with "no rows"
            return False
        filters: Any = self.get_list_filter(request) if request else self.list_filter
        offered = [*self.linked_filters, *(getattr(item, "parameter_name", item) for item in filters)]
        return any(lookup == f"{field}{suffix}" for field in offered for suffix in _FILTER_SUFFIXES)

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return [*shown, "organization"] if self._tells_organizations_apart(request) else shown

    def get_list_filter(self, request: HttpRequest) -> Any:
        # Choices of a filter by relation are not scoped by Django: this one is for the operator alone.
        offered = super().get_list_filter(request)
        return ["organization", *offered] if self._tells_organizations_apart(request) else offered

    def _tells_organizations_apart(self, request: HttpRequest) -> bool:
        return is_operator(request) and self.model is not Organization

    def _get_obj_does_not_exist_redirect(self, *args: Any) -> HttpResponse:
        raise Http404  # Django would send to the index with the id in a message

    # --- The form: its organisation is a fact, not a choice -------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Adding needs the organisation in the form, if only as a fact, or its constraints would not be checked."""
        fieldsets = super().get_fieldsets(request, obj)
        if self.model is Organization or not (obj is None or is_operator(request)):
            return fieldsets
        (name, options), *rest = fieldsets
        return [(name, {**options, "fields": ("organization", *options["fields"])}), *rest]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return ("organization", *fields) if obj is not None and self.model is not Organization else fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        field: Any = form.base_fields.get("organization")
        if field is not None:
            field.widget = forms.Select(choices=field.choices)
            if not is_operator(request):
                # Disabled: whatever is posted, the value is the initial one.
                field.disabled, field.initial, field.widget = True, own_organization(request), forms.HiddenInput()
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial = super().get_changeform_initial_data(request)
        if not is_operator(request):
            initial.pop("organization", None)
        return initial

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.save(force_insert=True)
        elif changed := [field.name for field in self.opts.concrete_fields if field.name in form.changed_data]:
            # Not the columns nobody edited: a log-in of this moment may be counting in them.
            obj.save(update_fields=changed)

    # --- What is written down, and read back ----------------------------------------------------------------

    def construct_change_message(self, request: Any, form: Any, formsets: Any, add: bool = False) -> list[str]:  # type: ignore[override]
        return list(form.changed_data)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        self.record(request, obj, "created")

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        if message:
            self.record(request, obj, "changed", fields=message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        for row in queryset:
            self.record(request, row, "deleted")

    def record(self, request: HttpRequest, row: Any, what: str, **details: Any) -> AuditEvent:
        noun = row._meta.concrete_model._meta.model_name  # of a proxy, the model it stands for
        return audit.record(
            organization_of(row), f"{noun}.{what}", actor=request.user, about=row.pk, name=str(row), **details
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"title": capfirst(str(self.opts.verbose_name_plural)), "files": self._files(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def _files(self, request: HttpRequest) -> list[tuple[str, str]]:
        """(address, name) of the pages that take this in and give it out as a file."""
        kind = imports.kind_named(self.file_kind)
        pages = (
            ("import", "admin:portal_import_upload", _("Import")),
            ("export", "admin:portal_import_export", _("Export")),
        )
        return [
            (reverse(url, args=[kind.name]), name)
            for action, url, name in pages
            if kind is not None and request.user.has_perm(kind.permission(action))
        ]

    def render_change_form(
        self, request: Any, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> Any:
        context["show_save_and_add_another"] = add and not (self.only_one or self.leads_on)
        context["show_save_and_continue"] = not (add and self.leads_on)
        context["has_history"] = self.has_history
        context["is_only_page"] = self.only_one or (self.model is Organization and not is_operator(request))
        if obj is None and self.only_one:
            context["title"] = capfirst(self.opts.verbose_name)
        if obj is not None:
            context |= {"title": str(obj), "subtitle": None}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def called(self, row: Any) -> str:
        """By what name its history goes."""
        return str(row)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> TemplateResponse:
        """What the audit log says about this row, newest first."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            raise Http404
        found = AuditEvent.objects.filter(organization=organization_of(row), about=row.pk).order_by("-id")
        page = Paginator(found, _EVENTS_PER_PAGE).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History"),
            "subtitle": self.called(row),
            "object": row,
            "opts": self.opts,
            "page": page,
            "events": [(event, in_words(event)) for event in page],
        }
        return TemplateResponse(request, "admin/object_history.html", context)


class ReadOnlyAdmin(OrganizationScopedAdmin):
    """Something that is looked up, and never written by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

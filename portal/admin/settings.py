"""The organisation's own settings, and the audit log."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .console import OrganizationScopedAdmin, ReadOnlyAdmin, in_words, is_operator, own_organization
from .models import AuditEvent, Organization


class OrganizationForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=lambda: [(name, name) for name in sorted(zoneinfo.available_timezones())],
        help_text=_("For dates in notifications, and where a month begins and ends."),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("Of notifications, and of pages until a person has chosen."),
    )

    class Meta:
        model = Organization
        fields = ("name", "slug", "retention_days", "reply_to", "idle_minutes", "first_visit_hours")
        # The console shows help as HTML.
        help_texts = {"slug": _("Stands in the address of the log-in page; links already mailed carry it.")}


@admin.register(Organization)
class OrganizationAdmin(OrganizationScopedAdmin):
    """The operator creates organisations; an administrator changes the settings of theirs, and no slug: links
    already mailed carry it. Closing one is not deleting a row, so nobody deletes here."""

    form = OrganizationForm
    list_display = ("name", "slug", "log_in_page")
    search_fields = ("name", "slug")
    ordering = ("name",)
    readonly_fields = ("log_in_page",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "log_in_page")}),
        (_("Messages"), {"fields": ("retention_days", "reply_to")}),
        (
            _("Logging in"),
            {"fields": ("idle_minutes", "first_visit_mode", "first_visit_hours", "support_contact")},
        ),
        (
            _("Passwords"),
            {"fields": ("password_min_length", "password_classes", "password_age_days", "password_history")},
        ),
        (_("Language and time"), {"fields": ("language", "time_zone")}),
    )

    @admin.display(description=_("log-in page"))
    def log_in_page(self, organization: Organization) -> str:
        return f"{settings.BASE_URL}{organization.get_absolute_url()}" if organization.slug else ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and is_operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if is_operator(request) else ("slug", *self.readonly_fields)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if is_operator(request):
            return super().changelist_view(request, extra_context)
        own = reverse("admin:portal_organization_change", args=[own_organization(request).pk])
        return HttpResponseRedirect(own)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "actor_address", "what")
    list_display_links = ("at",)
    list_filter = ("at",)
    search_fields = ("^action", "^actor_address", "=about")
    search_help_text = _("The beginning of an action or of the address of who did it, or the id of what it is about.")
    ordering = ("-id",)
    list_per_page = 100
    fields = ("at", "action", "actor_address", "about", "what")

    @admin.display(description=_("details"))
    def what(self, event: AuditEvent) -> str:
        return in_words(event)

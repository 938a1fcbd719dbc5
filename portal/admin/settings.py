"""The organisation's settings: what each does, and what it changes for messages that are already sent.

A change that destroys something is asked for once more, with what would go. What that is, the rooms above know and
say (`ask_before`): the ground floor knows no message.
"""

import zoneinfo
from collections.abc import Callable, Collection
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..console import OrganizationScopedAdmin
from ..models import Organization
from ..scoping import is_operator, own_organization
from . import closing
from .effects import EFFECTS

# Sentences about what a change of the first organisation into the second destroys; empty: nothing.
Consequences = Callable[[Organization, Organization], list[str]]
_consequences: list[Consequences] = []


def ask_before(consequences: Consequences) -> None:
    _consequences.append(consequences)


# The domains an organisation's mail may come from; the rooms above know its directories.
OwnDomains = Callable[[Organization], Collection[str]]
_own_domains: list[OwnDomains] = []


def own_domains_are(domains: OwnDomains) -> None:
    _own_domains.append(domains)


class OrganizationForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=lambda: [(name, name) for name in sorted(zoneinfo.available_timezones())],
        help_text=gettext_lazy("For dates in notifications, and where a month begins and ends."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy("Of notifications, and of pages until a person has chosen."),
    )

    class Meta:
        model = Organization
        fields = tuple(EFFECTS)
        # The console shows help as HTML.
        help_texts = {"slug": gettext_lazy("Stands in the address of the log-in page; links already mailed carry it.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            said = " ".join(filter(None, (str(field.help_text), bounds_of(name))))
            field.help_text = format_html("{} <span>{}</span>", said, EFFECTS[name])

    def clean(self) -> dict[str, Any]:
        """A limit that another one never lets anybody reach would mislead."""
        cleaned = super().clean() or self.cleaned_data
        for smaller, larger in (("max_attachment_mb", "max_message_mb"), ("max_message_mb", "storage_mb")):
            if cleaned.get(smaller, 0) > cleaned.get(larger, cleaned.get(smaller, 0)):
                other = {"other": self.fields[smaller].label, "mb": cleaned[smaller]}
                self.add_error(larger, _("At least as much as “%(other)s”: %(mb)d.") % other)
        if cleaned.get("reset_mode") == Organization.Reset.BY_TELEPHONE and not cleaned.get("support_contact"):
            self.add_error("support_contact", _("Whoever has forgotten their password is to call: say where."))
        return cleaned

    def clean_mail_from(self) -> str:
        """Nobody else's domain: receivers would refuse such mail, rightly."""
        address: str = self.cleaned_data["mail_from"]
        domains = {name for known in _own_domains for name in known(self.instance)}
        if address and address.rpartition("@")[2].lower() not in domains:
            raise ValidationError(_("Not on a domain of this organisation's internal directories."))
        if not address.isascii():
            raise ValidationError(_("Only letters, digits and signs of ASCII: not every mail server takes others."))
        return address


def bounds_of(name: str) -> str:
    """The least and the most that a number may be, in words; empty for other settings."""
    found: Any = Organization._meta.get_field(name)
    limits = {type(limit): limit.limit_value for limit in found.validators if hasattr(limit, "limit_value")}
    least, most = limits.get(MinValueValidator), limits.get(MaxValueValidator)
    if most is None or most >= 32_767:  # what the column could hold, which nobody decided
        return _("At least %d.") % least if least else ""
    return _("From %(least)d to %(most)d.") % {"least": least or 0, "most": most}


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
        (None, {"fields": ("name", "slug", "log_in_page", "support_contact")}),
        (gettext_lazy("Retention"), {"fields": ("retention_days",)}),
        (
            gettext_lazy("Sending and recall"),
            {
                "fields": (
                    "undo_seconds",
                    "recall_destroys_quotes",
                    "replies_may_change_recipients",
                    "bcc_to_mail_server",
                )
            },
        ),
        (gettext_lazy("Notifications"), {"fields": ("mail_from", "reply_to", "reminder_days", "hourly_notifications")}),
        (
            gettext_lazy("Attachments and storage"),
            {"fields": ("max_attachment_mb", "max_message_mb", "storage_mb", "forbidden_types", "hold_unscanned")},
        ),
        (
            gettext_lazy("Logging in"),
            {"fields": ("idle_minutes", "first_visit_mode", "first_visit_hours", "reset_mode")},
        ),
        (
            gettext_lazy("Passwords"),
            {"fields": ("password_min_length", "password_classes", "password_age_days", "password_history")},
        ),
        (
            gettext_lazy("Second factor"),
            {"fields": ("second_factor_senders", "second_factor_recipients", "second_factor_administrators")},
        ),
        (gettext_lazy("Language and time"), {"fields": ("language", "time_zone")}),
    )

    @admin.display(description=gettext_lazy("log-in page"))
    def log_in_page(self, organization: Organization) -> str:
        if not organization.slug:
            return _("Made of the prefix above.")
        return f"{settings.BASE_URL}{organization.get_absolute_url()}"

    def get_urls(self) -> list[Any]:
        views = {"close": closing.close, "call_off": closing.call_off}
        own = [
            path(
                f"<uuid:organization_id>/{name.replace('_', '-')}/",
                self.admin_site.admin_view(view),
                name=f"portal_organization_{name}",
            )
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

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

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Saved at once, or, where something would be destroyed, after a page that says what."""
        before = self.get_object(request, object_id) if request.method == "POST" else None
        if before is not None and self.has_change_permission(request, before):
            form = self.get_form(request, before, change=True)(
                request.POST, instance=self.get_object(request, object_id)
            )
            # What was confirmed is this very number of days, not whatever the form says by now.
            if form.is_valid() and request.POST.get("confirmed") != str(form.instance.retention_days):
                found = [sentence for consequences in _consequences for sentence in consequences(before, form.instance)]
                if found:
                    return self._confirmation(request, form.instance, found)
        context = {"is_operator": is_operator(request), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def _confirmation(self, request: HttpRequest, wanted: Organization, found: list[str]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Are you sure?"),
            "subtitle": None,
            "opts": self.opts,
            "back": request.path,
            "consequences": found,
            "days": wanted.retention_days,
            "posted": [(name, value) for name in request.POST for value in request.POST.getlist(name)],
        }
        return TemplateResponse(request, "admin/portal/organization/confirm.html", context)

"""Definitions: their order, what a recipient will be told, who is offered each, and a dry run."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Max
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.directories import InvalidAddress, normalize_address
from accounts.models import User
from portal.console import OrganizationScopedAdmin
from portal.scoping import is_operator, own_organization, visible

from .. import rules
from ..definitions import default_for, senders_offered
from ..dry_run import dry_run
from ..models import Definition, Message
from ..models.definition import MessageRules

MAX_SENDERS_NAMED = 20
RULES = [field.name for field in MessageRules._meta.get_fields()]


class PositionForm(forms.ModelForm):
    """One line of the list: its place in the order, as a number that works without dragging."""

    class Meta:
        model = Definition
        fields = ("position",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["position"].widget.attrs |= {
            "aria-label": gettext("Position of %s") % self.instance,
            "data-handle": gettext("Move %s: drag, or press the arrow keys") % self.instance,
        }


class DryRunForm(forms.Form):
    sender = forms.CharField(label=_("Sender"), max_length=320)
    to = forms.CharField(label=_("Recipient"), max_length=320)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.GET or None)
        self.request = request

    def clean_sender(self) -> User:
        address = self._address("sender")
        users = visible(self.request, User.objects.select_related("organization", "domain"))
        user = users.filter(address=address).order_by("organization__name").first()
        if user is None:
            raise ValidationError(gettext("There is no user with this address."))
        return user

    def clean_to(self) -> str:
        return self._address("to")

    def _address(self, name: str) -> str:
        try:
            return normalize_address(self.cleaned_data[name])
        except InvalidAddress as error:
            raise ValidationError(str(error)) from None


@admin.register(Definition)
class DefinitionAdmin(OrganizationScopedAdmin):
    """The default one is fixed but for its place, and one that messages were sent under stays as long as they do."""

    file_kind = "definitions"
    list_display = ("description", "folder", "expires", "recipients_may", "fixed", "position")
    list_editable = ("position",)
    list_select_related = ("folder",)
    list_per_page = 200
    search_fields = ("description",)
    readonly_fields = ("told", "who_is_offered")
    fieldsets = (
        (None, {"fields": ("description", "folder", "expire_after_days", "extensions")}),
        (
            _("What recipients may do"),
            {"fields": ("may_reply", "may_reply_all", "may_forward", "may_print", "may_download")},
        ),
        (_("What the sender is told"), {"fields": ("read_receipt",)}),
    )

    class Media:
        js = (forms.Script("console/order.js", defer=True), forms.Script("console/preview.js", defer=True))

    # --- What the pages say -----------------------------------------------------------------------------------

    @admin.display(description=_("expires"), ordering="expire_after_days")
    def expires(self, definition: Definition) -> str:
        days = definition.expire_after_days
        return gettext("never") if days is None else ngettext("after %d day", "after %d days", days) % days

    @admin.display(description=_("recipients may"))
    def recipients_may(self, definition: Definition) -> str:
        return rules.recipients_may(definition) or gettext("only read")

    @admin.display(description=_("default"), boolean=True)
    def fixed(self, definition: Definition) -> bool:
        return definition.is_default

    @admin.display(description=_("a recipient is told"))
    def told(self, definition: Definition) -> str:
        context = {"sentences": rules.preview(definition), "url": reverse("admin:messaging_definition_preview")}
        return render_to_string("admin/messaging/definition/told.html", context)

    @admin.display(description=_("who is offered it"))
    def who_is_offered(self, definition: Definition) -> str:
        senders = senders_offered(definition)
        named = list(senders[:MAX_SENDERS_NAMED])
        context = {"definition": definition, "senders": named, "more": max(0, senders.count() - len(named))}
        return render_to_string("admin/messaging/definition/who_is_offered.html", context)

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("organization", "position", "id") if is_operator(request) else ("position", "id")

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return PositionForm

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        default_for(own_organization(request))  # made when first needed: here, to be seen
        return super().changelist_view(request, extra_context)

    def get_fieldsets(self, request: HttpRequest, obj: Definition | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return [*fieldsets, (_("As it stands"), {"fields": ("told",)})]
        (name, options), *rest = fieldsets
        if obj.is_default:
            fixed = _("The default definition stays as it is. For other rules, add a definition of your own.")
            options = {**options, "description": fixed}
        return [(name, options), *rest, (_("As it stands"), {"fields": self.readonly_fields})]

    # --- Who may, and what they do ----------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Definition | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_default)

    def has_delete_permission(self, request: HttpRequest, obj: Definition | None = None) -> bool:
        if obj is not None and (obj.is_default or Message.objects.filter(definition=obj).exists()):
            return False
        return super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Definition, form: Any, change: bool) -> None:
        if not change:  # a new one stands last
            found = Definition.objects.filter(organization=obj.organization)
            obj.position = (found.aggregate(last=Max("position"))["last"] or 0) + 1
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[Any]:
        dry_run_view = self.admin_site.admin_view(self.dry_run_view)
        preview_view = self.admin_site.admin_view(require_POST(self.preview_view))
        return [
            path("dry-run/", dry_run_view, name="messaging_definition_dry_run"),
            path("preview/", preview_view, name="messaging_definition_preview"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What a recipient would be told under the rules in the form, as a piece of the page; saves nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = modelform_factory(Definition, fields=[*RULES, "expire_after_days"])(request.POST)
        form.full_clean()
        return HttpResponse(self.told(form.instance))

    def dry_run_view(self, request: HttpRequest) -> HttpResponse:
        """This sender to that address: what they would be offered, what limits them, and why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = DryRunForm(request)
        outcome = dry_run(form.cleaned_data["sender"], form.cleaned_data["to"]) if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Dry run"),
            "subtitle": None,
            "opts": self.opts,
            "form": form,
            "outcome": outcome,
        }
        return TemplateResponse(request, "admin/messaging/definition/dry_run.html", context)

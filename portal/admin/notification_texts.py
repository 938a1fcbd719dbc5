"""Account → Notifications: the mails an organisation may word itself, each with a preview in text and HTML."""

from typing import Any
from uuid import UUID

from csp.constants import NONE, SELF
from csp.decorators import csp
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from .. import letters, mail_linter, wordings
from ..console import OrganizationScopedAdmin
from ..models import NotificationText, Organization
from ..scoping import ScopedForm, is_operator, own_organization, visible
from ..wordings import Wording

# The preview stands in a frame of the page, and in it, in one more, the mail's HTML with the styles mails have.
IN_A_FRAME = {
    "default-src": [NONE],
    "style-src": [SELF, "'unsafe-inline'"],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
}


class NotificationTextForm(ScopedForm):
    kind = forms.ChoiceField(
        label=_("Mail"), choices=lambda: [(each.kind, each.label) for each in wordings.all_wordings()]
    )

    class Meta:
        model = NotificationText
        fields = ("organization", "kind", "subject", "text")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            # For what the page says beside the fields.
            self.instance.kind = self.instance.kind or self.data.get("kind") or self.initial.get("kind", "")
        else:
            self.fields.pop("kind", None)  # of which mail a text is stays

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        organization: Organization | None = self.own_organization()
        wording = wordings.wording_of(cleaned.get("kind") or self.instance.kind)
        if self.errors or organization is None or wording is None:
            return cleaned
        contacts = f"{organization.reply_to} {organization.support_contact}"
        found = list(mail_linter.problems(wording, cleaned["subject"], cleaned["text"], contacts=contacts))
        for field, problem in found:
            self.add_error(field, problem)
        if not found:
            own = NotificationText(subject=cleaned["subject"], text=cleaned["text"])
            for fault in mail_linter.faults(letters.sample(organization, wording, own)):
                self.add_error("text", fault)
        return cleaned


@admin.register(NotificationText)
class NotificationTextAdmin(OrganizationScopedAdmin):
    """A row is an organisation's own text; deleting it brings the portal's back."""

    form = NotificationTextForm
    when_empty = _("No organisation has words of its own yet.")
    list_display = ("mail", "subject")
    readonly_fields = ("placeholders", "preview")
    fieldsets = (
        (None, {"fields": ("kind", "placeholders", "subject", "text")}),
        (_("Preview"), {"fields": ("preview",)}),
    )
    ordering = ("kind",)

    class Media:
        js = (forms.Script("console/frame_preview.js", defer=True),)

    # --- What the pages say -----------------------------------------------------------------------------------

    @admin.display(description=_("mail"), ordering="kind")
    def mail(self, row: NotificationText) -> str:
        wording = wordings.wording_of(row.kind)
        return str(wording.label) if wording else row.kind

    @admin.display(description=_("placeholders"))
    def placeholders(self, row: NotificationText) -> str:
        """Of the row's kind, or of every kind while it is not chosen."""
        wording = wordings.wording_of(row.kind)
        known: dict[str, Any] = {}
        for each in [wording] if wording else wordings.all_wordings():
            known |= each.placeholders
        lines = [
            (f"{{{name}}}", placeholder.meaning, gettext("needed") if wording and name in wording.required else "")
            for name, placeholder in known.items()
        ]
        listed = format_html_join("", "<li><code>{}</code> {} <strong>{}</strong></li>", lines)
        return format_html('<ul class="sentences">{}</ul>', listed)

    @admin.display(description=_("as it would leave"))
    def preview(self, row: NotificationText) -> str:
        url = reverse("admin:portal_notificationtext_preview")
        return format_html(
            '<button class="verb" formaction="{0}" formtarget="preview" formnovalidate>{1}</button>'
            '<iframe class="preview preview--mail" name="preview" src="{0}" title="{2}"></iframe>',
            f"{url}?kind={row.kind}" + ("" if row._state.adding else f"&row={row.pk}"),
            gettext("Show what is typed above"),
            gettext("Preview"),
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Every mail that can be worded, with the organisation's own text where it has one."""
        own = {row.kind: row for row in NotificationText.objects.filter(organization=own_organization(request))}
        kinds = [(each, own.get(each.kind)) for each in wordings.all_wordings()]
        shown = {"kinds": kinds, "may_word": self.has_add_permission(request)}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        if row := context["original"]:
            response.context_data["title"] = self.mail(row)
        return response

    # --- The form ---------------------------------------------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: NotificationText | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else ("mail", *fields)

    def get_fieldsets(self, request: HttpRequest, obj: NotificationText | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        (name, options), *rest = fieldsets
        shown = tuple("mail" if field == "kind" else field for field in options["fields"])
        return [(name, {**options, "fields": shown}), *rest]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The portal's text of the mail asked for, to begin with."""
        initial = super().get_changeform_initial_data(request)
        if wording := wordings.wording_of(initial.get("kind", "")):
            with letters.in_the_language_of(own_organization(request)):
                initial |= {"subject": str(wording.subject), "text": str(wording.text)}
        return initial

    # --- The preview ------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.preview_view)
        return [path("preview/", view, name="portal_notificationtext_preview"), *super().get_urls()]

    @method_decorator(csp(IN_A_FRAME))
    @method_decorator(xframe_options_sameorigin)
    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The mail with what is typed or kept, else with the portal's text, and what the linter says; saves nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        kind = request.POST.get("kind") or request.GET.get("kind", "")
        wording = wordings.wording_of(kind) or wordings.all_wordings()[0]
        organization = _spoken_for(request)
        form = _typed(request, organization, wording) if request.method == "POST" else None
        own = form.instance if form else wordings.own_text(organization, wording)
        mail = letters.sample(organization, wording, own)
        context = {
            "problems": [problem for found in form.errors.values() for problem in found] if form else [],
            "mail": mail,
        }
        return render(request, "admin/portal/notificationtext/preview.html", context)


def _spoken_for(request: HttpRequest) -> Organization:
    """Whose mail is shown: that of the row being edited, or chosen for a new one; for whoever is no operator, always
    their own. Http404 for any other."""
    if row := request.GET.get("row"):
        kept = visible(request, NotificationText.objects.select_related("organization"))
        found: NotificationText = get_object_or_404(kept, pk=_uuid(row))
        return found.organization
    if is_operator(request) and (chosen := request.POST.get("organization")):
        return get_object_or_404(Organization, pk=_uuid(chosen))
    return own_organization(request)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _typed(request: HttpRequest, organization: Organization, wording: Wording) -> NotificationTextForm:
    """What is in the form, put into an unsaved row as far as it is in order, and judged."""
    row = NotificationText(organization=organization, kind=wording.kind)
    form = NotificationTextForm(request.POST, instance=row)
    for name in ("organization", "kind"):
        form.fields.pop(name)
    form.full_clean()
    row.subject, row.text = (request.POST.get(name, "")[:1000] for name in ("subject", "text"))
    return form

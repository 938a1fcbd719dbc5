"""Account → Branding: an organisation's pictures, colours and words, with a sample of what they make."""

import base64
from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from .. import branding, colours
from ..console import OrganizationScopedAdmin
from ..models import Branding
from ..models.organization import DEFAULT_DISCLAIMER
from ..pictures import CONTENT_TYPES, NotAPicture
from ..scoping import ScopedForm, is_operator, own_organization, visible
from ..small_files import receives_small_files

COLOURS = ("accent", "accent_text", "dark_accent", "dark_accent_text")
receives_pictures = receives_small_files(branding.MOST_BYTES)
# The sample stands in a frame of the page, and its logo may not be stored yet.
IN_A_FRAME = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
}


class PictureField(forms.FileField):
    """A file that is checked by its content for what it is used for; cleaned, it is a Picture."""

    def __init__(self, use: str, **kwargs: Any) -> None:
        self.use = branding.USES[use]
        endings = ",".join(CONTENT_TYPES[kind] for kind in self.use.kinds)
        super().__init__(required=False, widget=forms.FileInput(attrs={"accept": endings}), **kwargs)
        self.help_text = format_lazy(
            _("{kinds}, up to {width} × {height} pixels and {kilobytes} KB."),
            kinds=", ".join(kind.upper() for kind in self.use.kinds),
            width=self.use.width,
            height=self.use.height,
            kilobytes=self.use.kilobytes,
        )

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        if not file:
            return None
        try:
            return branding.checked(file.read(), file.size, self.use)
        except NotAPicture as error:
            raise forms.ValidationError(str(error)) from None


class BrandingForm(ScopedForm):
    logo_file = PictureField("logo", label=_("New logo"))
    remove_logo = forms.BooleanField(label=_("Take the logo away"), required=False)
    favicon_file = PictureField("favicon", label=_("New favicon"))
    remove_favicon = forms.BooleanField(label=_("Take the favicon away"), required=False)

    class Meta:
        model = Branding
        fields = ("organization", *COLOURS, "page_title", "disclaimer")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        return cleaned | {name: cleaned.get(name, "").lower() for name in COLOURS}

    def _post_clean(self) -> None:
        """Contrast is judged once the model has seen to it that they are colours."""
        super()._post_clean()  # type: ignore[misc]
        if set(COLOURS) & set(self.errors):
            return
        chosen = {name: self.cleaned_data[name] for name in COLOURS}
        if chosen["accent"]:
            for field, problem in colours.problems(colours.Palette.of(*chosen.values())):
                # What is made from the accent is set right at the accent.
                self.add_error(field if chosen[field] else "accent", problem)
        elif any(chosen.values()):
            self.add_error("accent", _("Choose this one first: the other colours go with it."))


@admin.register(Branding)
class BrandingAdmin(OrganizationScopedAdmin):
    """One for an organisation, made when it is first saved; deleting it brings the portal's own look back."""

    only_one = True
    when_empty = _("No organisation has branding of its own yet.")
    form = BrandingForm
    list_display = ("organization", "page_title", "accent")
    list_display_links = ("organization",)
    readonly_fields = ("logo_now", "favicon_now", "sample")
    fieldsets = (
        (_("Words"), {"fields": ("page_title", "disclaimer")}),
        (_("Colours"), {"fields": COLOURS}),
        (_("Pictures"), {"fields": ("logo_now", "logo_file", "favicon_now", "favicon_file")}),
        (_("Sample"), {"fields": ("sample",)}),
    )

    class Media:
        js = (forms.Script("console/frame_preview.js", defer=True),)

    # --- What the page says -----------------------------------------------------------------------------------

    @admin.display(description=_("logo"))
    def logo_now(self, row: Branding) -> str:
        return _shown(row.logo_url)

    @admin.display(description=_("favicon"))
    def favicon_now(self, row: Branding) -> str:
        return _shown(row.favicon_url)

    @admin.display(description=_("log-in page"))
    def sample(self, row: Branding) -> str:
        url = reverse("admin:portal_branding_preview")
        of_row = f"{url}?organization={row.organization_id}" if row.organization_id else url
        return format_html(
            '<button class="verb" formaction="{}" formtarget="preview" formnovalidate>{}</button>'
            '<iframe class="preview" name="preview" src="{}" title="{}"></iframe>',
            url,
            gettext("Show what is typed above"),
            of_row,
            gettext("Sample"),
        )

    def get_fieldsets(self, request: HttpRequest, obj: Branding | None = None) -> Any:
        """A picture is taken away where there is one; who may not change anything is offered nothing to do so."""
        may_change = self.has_change_permission(request, obj) if obj else True
        words, colours_part, (title, options), sample = super().get_fieldsets(request, obj)
        shown: list[str] = []
        for use in ("logo", "favicon"):
            has_one = obj is not None and getattr(obj, use)
            shown += [f"{use}_now"] if has_one or not may_change else []
            shown += [f"{use}_file"] if may_change else []
            shown += [f"remove_{use}"] if has_one and may_change else []
        return [words, colours_part, (title, {**options, "fields": shown}), sample]

    # --- Who may, and where ----------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        is_there = not is_operator(request) and own_organization(request).brand is not None
        return super().has_add_permission(request) and not is_there

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """An administrator has one: its page."""
        row = own_organization(request).brand
        if is_operator(request) or not (row or self.has_add_permission(request)):
            return super().changelist_view(request, extra_context)
        if row:
            return HttpResponseRedirect(reverse("admin:portal_branding_change", args=[row.pk]))
        return HttpResponseRedirect(reverse("admin:portal_branding_add"))

    # --- What they do -----------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Branding, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for use in ("logo", "favicon"):
            if picture := form.cleaned_data[f"{use}_file"]:
                branding.set_picture(obj, use, picture)
            elif form.cleaned_data.get(f"remove_{use}"):
                branding.set_picture(obj, use, None)

    def delete_model(self, request: HttpRequest, obj: Branding) -> None:
        branding.remove(obj)

    @method_decorator(receives_pictures)
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    @method_decorator(receives_pictures)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return super().change_view(request, object_id, form_url, extra_context)

    def get_urls(self) -> list[Any]:
        view = receives_pictures(self.admin_site.admin_view(self.preview_view))
        return [path("preview/", view, name="portal_branding_preview"), *super().get_urls()]

    @method_decorator(csp(IN_A_FRAME))
    @method_decorator(xframe_options_sameorigin)
    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """The log-in page in small, by day and by night: as it is stored, or as it is typed; saves nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self._row_of(request)
        form = _typed(request, row) if request.method == "POST" else None
        palette = None if form and form.errors else row.palette
        context = {
            "organization": row.organization,
            "schemes": ("day", "night"),
            "problems": [problem for found in form.errors.values() for problem in found] if form else [],
            "palette": palette or colours.Palette.own(),
            "logo": _logo(row, form.cleaned_data if form else {}),
            "page_title": row.page_title or row.organization.name,
            "disclaimer": row.disclaimer or DEFAULT_DISCLAIMER,
        }
        return render(request, "admin/portal/branding/preview.html", context)

    def _row_of(self, request: HttpRequest) -> Branding:
        asked = request.POST.get("organization") or request.GET.get("organization")
        rows = visible(request, Branding.objects.select_related("organization"))
        try:
            found = rows.filter(organization=asked).first() if asked else None
        except forms.ValidationError:  # no id at all
            found = None
        return found or own_organization(request).brand or Branding(organization=own_organization(request))


def _typed(request: HttpRequest, row: Branding) -> BrandingForm:
    """What is in the form, put into the (unsaved) row as far as it is in order."""
    form = BrandingForm(request.POST, request.FILES, instance=row)
    form.fields.pop("organization")
    form.full_clean()
    return form


def _logo(row: Branding, cleaned: dict[str, Any]) -> str:
    """The address of the logo that would stand there: of the file in the form, or of the one that is kept."""
    if picture := cleaned.get("logo_file"):
        return f"data:{CONTENT_TYPES[picture.kind]};base64,{base64.b64encode(picture.content).decode()}"
    return "" if cleaned.get("remove_logo") else row.logo_url


def _shown(url: str) -> str:
    return format_html('<img class="brand-picture" src="{}" alt="">', url) if url else gettext("the portal's own")

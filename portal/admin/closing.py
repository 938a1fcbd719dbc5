"""Closing an organisation, from its page of settings: what it means, in numbers, beforehand; and the way back."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from .. import closing, confirmation
from ..models import Organization
from ..scoping import is_operator, visible


class SlugForm(forms.Form):
    """Typed by hand: no click in passing, and not the organisation in the next tab."""

    slug = forms.CharField(
        label=gettext_lazy("Portal URL prefix of the organisation, to be sure"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, organization: Organization, *args: Any) -> None:
        super().__init__(*args)
        self.organization = organization

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug != self.organization.slug:
            raise ValidationError(_("Type it exactly as it stands above: %s.") % self.organization.slug)
        return slug


@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, organization_id: UUID) -> HttpResponse:
    """Asked for on a GET, with numbers; ordered by the POST."""
    organization = _organization(request, organization_id)
    if asked := confirmation.asked_again(request, request.path):
        return asked
    actor: Any = request.user
    problem = closing.why_not(organization)
    form = SlugForm(organization, request.POST if request.method == "POST" else None)
    if form.is_valid() and not problem:
        closing.order(actor=actor, organization=organization)
        messages.success(request, _("The portal is closed to everybody. Its administrators are told by mail."))
        return HttpResponseRedirect(_page_of(organization))
    context = {
        **admin.site.each_context(request),
        "title": _("Close this organisation?"),
        "subtitle": organization.name,
        "original": organization,
        "back": _page_of(organization),
        "form": form,
        "problem": problem,
        "reach": closing.reach(organization),
        "days": closing.WAITING.days,
    }
    return TemplateResponse(request, "admin/portal/organization/close.html", context)


@require_POST
def call_off(request: HttpRequest, organization_id: UUID) -> HttpResponse:
    organization = _organization(request, organization_id)
    actor: Any = request.user
    try:
        closing.call_off(actor=actor, organization=organization)
    except closing.CannotClose as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("The portal is open again as it was. Its administrators are told by mail."))
    return HttpResponseRedirect(_page_of(organization))


def _organization(request: HttpRequest, organization_id: UUID) -> Organization:
    found: Organization = get_object_or_404(visible(request, Organization.objects.all()), pk=organization_id)
    if not is_operator(request):
        raise PermissionDenied
    return found


def _page_of(organization: Organization) -> str:
    return reverse("admin:portal_organization_change", args=[organization.pk])

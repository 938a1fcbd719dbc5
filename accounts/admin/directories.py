"""Internal and external directories: the domains of an organisation, and the way to each one's users."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import erased
from portal.console import OrganizationScopedAdmin

from ..directories import normalize_domain
from ..models import Domain, ExternalDomain, InternalDomain
from . import domain_page
from .move_domain import move_page


class DomainForm(forms.ModelForm):
    class Meta:
        model = Domain
        fields = ("organization", "name")

    def clean_name(self) -> str:
        return normalize_domain(self.cleaned_data["name"])

    def clean(self) -> None:
        super().clean()
        known = Domain.objects.filter(
            organization=self.cleaned_data.get("organization"), name=self.cleaned_data.get("name")
        ).first()
        if known:
            where = InternalDomain if known.is_internal else ExternalDomain
            self.add_error("name", _("This domain is in %s already.") % where._meta.verbose_name_plural)


class DirectoryAdmin(OrganizationScopedAdmin):
    """Addresses hang on a domain's name, so it is never changed; one with users is not deleted."""

    is_internal: bool
    form = DomainForm
    file_kind = "domains"
    list_display = ("name", "number_of_users")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        # The domain of erased people is no directory of anybody's.
        domains = super().get_queryset(request).filter(is_internal=self.is_internal).exclude(name=erased.DOMAIN)
        return domains.annotate(number_of_users=Count("users"))

    @admin.display(description=gettext_lazy("users"), ordering="number_of_users")
    def number_of_users(self, domain: Any) -> int:
        return domain.number_of_users

    def has_delete_permission(self, request: HttpRequest, obj: Domain | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.users.exists())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A domain's page is the list of its users."""
        domain = self.get_object(request, object_id)
        if domain is None:
            raise Http404
        return HttpResponseRedirect(domain_page.address_of(domain.pk))

    def save_model(self, request: HttpRequest, obj: Domain, form: Any, change: bool) -> None:
        obj.is_internal = self.is_internal
        super().save_model(request, obj, form, change)


@admin.register(InternalDomain)
class InternalDomainAdmin(DirectoryAdmin):
    is_internal = True
    when_empty = gettext_lazy(
        "No domain yet. Add those that are your organisation’s own: whoever has an address there is one of its people."
    )


@admin.register(ExternalDomain)
class ExternalDomainAdmin(DirectoryAdmin):
    is_internal = False
    when_empty = gettext_lazy(
        "Nobody outside has been written to yet. Their domain comes here by itself then; or add it, or import a file."
    )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.move_view)
        return [path("<uuid:domain_id>/move/", view, name="accounts_externaldomain_move"), *super().get_urls()]

    def move_view(self, request: HttpRequest, domain_id: Any) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return move_page(request, domain_id, self.admin_site.each_context(request))

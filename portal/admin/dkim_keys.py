"""DKIM keys: made here, published by whoever keeps the domain's DNS, used once the record is found there."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import dkim_keys
from ..console import OrganizationScopedAdmin
from ..models import DkimKey


@admin.register(DkimKey)
class DkimKeyAdmin(OrganizationScopedAdmin):
    """Nothing of a key is chosen or changed: it is made, published, and one day deleted. Its private half is sealed."""

    leads_on = True
    when_empty = gettext_lazy("No key yet. Make one to sign the mail that comes from a domain of your own.")
    list_display = ("selector", "domain", "created_at", "state")
    ordering = ("-created_at",)
    fields = ("domain", "selector", "created_at", "state", "name", "value")
    readonly_fields = ("domain", "selector", "created_at", "state", "name", "value")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None:
            return super().get_fieldsets(request, obj)
        told = _("The key is made for the domain your mail comes from now. Its page shows the DNS record to publish.")
        return [(None, {"fields": ("organization",), "description": told})]

    @admin.display(description=gettext_lazy("state"))
    def state(self, key: DkimKey) -> str:
        if key.found_at is None:
            return _("not published yet: signs once the mail check finds its record")
        return _("signs")

    @admin.display(description=gettext_lazy("name of the TXT record"))
    def name(self, key: DkimKey) -> SafeString:
        return format_html('<code class="wide">{}</code>', str(key))

    @admin.display(description=gettext_lazy("its value"))
    def value(self, key: DkimKey) -> SafeString:
        return format_html('<code class="wide">{}</code>', dkim_keys.record_of(key))

    def save_model(self, request: HttpRequest, obj: DkimKey, form: Any, change: bool) -> None:
        dkim_keys.make(obj.organization, obj).save(force_insert=True)

    def response_add(self, request: HttpRequest, obj: DkimKey, post_url_continue: Any = None) -> HttpResponse:
        """On to its page, which has the record."""
        self.message_user(request, _("The key is made. Publish the record below, then run the mail check."))
        return HttpResponseRedirect(reverse("admin:portal_dkimkey_change", args=[obj.pk]))

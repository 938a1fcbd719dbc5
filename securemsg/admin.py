"""The administration console: Django's admin under our name, with one way in and its table of contents."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

# Every registered model stands in one section; a test holds this.
CONTENTS = (
    (
        _("Users & Groups"),
        ("accounts.InternalDomain", "accounts.ExternalDomain", "accounts.User", "accounts.Group", "messaging.Erasure"),
    ),
    (
        _("Secure Messaging"),
        (
            "messaging.Message",
            "messaging.MassRecall",
            "messaging.ApprovedReading",
            "messaging.Definition",
            "messaging.DefinitionFolder",
            "messaging.LicensedSender",
        ),
    ),
    (
        _("Account"),
        (
            "portal.Organization",
            "portal.Branding",
            "portal.NotificationText",
            "portal.MailRoute",
            "portal.DkimKey",
            "portal.MailCheck",
        ),
    ),
    (_("Reporting"), ("accounts.LogInAttempt", "portal.OutgoingMail", "portal.Import", "portal.AuditEvent")),
)

# Where a page is more than the list its model's name promises.
NAMES = {"messaging.Message": _("Search and recall")}


class ConsoleSite(AdminSite):
    site_title = site_header = _("securemsg administration")
    index_title = _("Administration")
    # Ours is in base_site.html: it works without script and keeps nothing in the browser's storage.
    enable_nav_sidebar = False

    @method_decorator(never_cache)
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """One way in: no form of our own, whose limits and second factor would be a second set to keep."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        if request.user.is_authenticated:
            raise Http404
        # Here, because models are not ready when this module is read.
        from accounts.http import own_path
        from accounts.middleware import log_in_url

        return HttpResponseRedirect(log_in_url(request, own_path(request.GET.get("next"))))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        """One way out as well: the form is handed on to the portal's, which also clears what the browser kept."""
        return HttpResponseRedirect(reverse("log_out"), preserve_request=True)

    def get_urls(self) -> list[Any]:
        # Passwords are changed in the portal; "view on site" finds any row of any organisation by its id.
        unwanted = {"password_change", "password_change_done", "view_on_site"}
        return [url for url in super().get_urls() if getattr(url, "name", None) not in unwanted]

    def index(self, request: HttpRequest, extra_context: Any = None) -> Any:
        from . import overview  # here, because models are not ready when this module is read

        found = {"attention": overview.attention(request), "charts": overview.charts(request)}
        return super().index(request, {**found, **(extra_context or {})})

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        return HttpResponseRedirect(reverse("admin:index"))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        entries = {
            entry["model"]._meta.label: entry
            for app in super().get_app_list(request, app_label)
            for entry in app["models"]
        }
        for label, name in NAMES.items():
            if label in entries:
                entries[label]["name"] = name
        if not request.user.is_superuser and "portal.Organization" in entries:
            entries["portal.Organization"]["name"] = _("Settings")  # there is one, their own
        sections = [
            {"name": title, "models": [entries[label] for label in labels if label in entries]}
            for title, labels in CONTENTS
        ]
        return [section for section in sections if section["models"]]


class ConsoleConfig(AdminConfig):
    default_site = "securemsg.admin.ConsoleSite"

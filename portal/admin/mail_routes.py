"""Mail routes: by which way an organisation's mail leaves, domain by domain. An administrator's decision; a sender
never sees a choice of TLS."""

import re
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import routes
from ..console import OrganizationScopedAdmin
from ..models import MailRoute
from ..scoping import ScopedForm, is_operator

# What an administrator may have the portal dial; another port is the operator's to choose, for behind it may listen
# something on the portal's own network that is no mail server.
MAIL_PORTS = (25, 465, 587, 2525)
_DOMAIN = re.compile(r"(?=.{3,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


class MailRouteForm(ScopedForm):
    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Kept sealed and never shown again. Empty: the one that is kept stays."),
    )
    any_port = False  # set by the page, for the operator

    class Meta:
        model = MailRoute
        fields = ("organization", "domain", "way", "tls", "host", "port", "tls_from_start", "user_name")
        error_messages: ClassVar = {
            NON_FIELD_ERRORS: {"unique_together": gettext_lazy("There is a route for this domain already.")}
        }

    def clean_domain(self) -> str:
        return _ascii(self.cleaned_data["domain"].strip().lstrip("@"))

    def clean_host(self) -> str:
        host = self.cleaned_data["host"].strip()
        return host if re.fullmatch(r"[0-9.]+|\[?[0-9a-f:]+\]?", host) else _ascii(host)

    def clean_port(self) -> int:
        port: int = self.cleaned_data["port"]
        if port not in MAIL_PORTS and not self.any_port:
            raise ValidationError(
                _("Mail servers listen on one of the ports %(ports)s; only the operator may set another.")
                % {"ports": ", ".join(map(str, MAIL_PORTS))}
            )
        return port

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("way") == MailRoute.Way.RELAY and not cleaned.get("host") and "host" not in self.errors:
            self.add_error("host", _("Name the relay."))
        if cleaned.get("way") == MailRoute.Way.MX:
            cleaned |= {"host": "", "user_name": "", "password": "", "tls_from_start": False}
        opportunistic = cleaned.get("tls") == MailRoute.Tls.OPPORTUNISTIC
        if cleaned.get("user_name") and opportunistic:
            self.add_error("tls", _("A relay that is logged in to needs enforced TLS: the password would be seen."))
        if cleaned.get("tls_from_start") and opportunistic:
            self.add_error("tls", _("TLS from the start is enforced TLS."))
        return cleaned


def _ascii(name: str) -> str:
    """A domain in lower case and IDNA's ASCII form; empty stays empty."""
    try:
        name = name.lower().encode("idna").decode()
    except UnicodeError:
        name = "."
    if name and not _DOMAIN.fullmatch(name):
        raise ValidationError(_("Not a domain: it needs a form such as example.org."))
    return name


@admin.register(MailRoute)
class MailRouteAdmin(OrganizationScopedAdmin):
    form = MailRouteForm
    when_empty = gettext_lazy(
        "No route yet: all mail leaves by the installation’s relay. A route enforces TLS, or takes another way."
    )
    list_display = ("to", "way", "relay", "tls")
    search_fields = ("domain",)
    radio_fields: ClassVar = {"way": admin.VERTICAL, "tls": admin.VERTICAL}
    ordering = ("domain",)
    fieldsets = (
        (None, {"fields": ("domain", "way", "tls")}),
        (
            gettext_lazy("Relay"),
            {
                "fields": ("host", "port", "tls_from_start", "user_name", "password"),
                "description": gettext_lazy("Only for the way by a relay."),
            },
        ),
    )

    @admin.display(description=gettext_lazy("mail to"), ordering="domain")
    def to(self, route: MailRoute) -> str:
        return str(route)

    @admin.display(description=gettext_lazy("relay"))
    def relay(self, route: MailRoute) -> str:
        return f"{route.host}:{route.port}" if route.host else ""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.any_port = is_operator(request)
        return form

    def save_model(self, request: HttpRequest, obj: MailRoute, form: Any, change: bool) -> None:
        typed = form.cleaned_data.get("password")
        if typed:
            routes.seal_password(obj, typed)
        elif not obj.user_name:
            obj.sealed_password = None
        super().save_model(request, obj, form, change)
        if change:
            obj.save(update_fields=["sealed_password", "host", "user_name", "tls_from_start"])

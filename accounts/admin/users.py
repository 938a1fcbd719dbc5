"""A user's page: who it is, and the Permissions section."""

from copy import copy
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from portal import moments
from portal.console import OrganizationScopedAdmin
from portal.dates import in_full
from portal.scoping import is_operator, may, visible

from .. import (
    credentials,
    directories,
    groups,
    passwords,
    reauthentication,
    roles,
    second_factor,
    throttling,
)
from ..models import Domain, ExternalDomain, Group, InternalDomain, User
from .address import address
from .disable import disable_page
from .rename import rename_page
from .state_filter import StateFilter
from .user_buttons import button, offer, with_button
from .user_form import UserForm
from .user_mail import mail_arrives
from .user_verbs import CONFIRMED, VERBS

# Written by verbs of their own, with audit events of their own.
BY_VERB = {"is_licensed", "allow_logon", "role", "new_password", "confirm_password", "member_of"}


@admin.register(User)
class UserAdmin(OrganizationScopedAdmin):
    """An address is not changed here, and nobody is deleted: both are more than a change of a row."""

    form = UserForm
    file_kind = "users"
    list_display = (address, "name", "state", "is_licensed", "administrator", "first_logged_in_at")
    list_filter = (StateFilter, "is_licensed", "is_staff")
    linked_filters = ("domain",)
    list_select_related = ("domain", "organization")
    search_fields = ("address", "name")
    ordering = ("address",)
    readonly_fields = ("password_state", "help_in", "factor", "account", "lock", "open_sessions", "mail_arrives")
    fieldsets = (
        (None, {"fields": ("address", "name", "is_licensed", "is_staff", "role")}),
        (_("Permissions"), {"fields": ("allow_logon", "new_password", "confirm_password")}),
    )

    # --- Who may, and what the form offers -------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever sets the operator's password is the operator: an organisation's administrators may only look. So
        may those with a role at other administrators. Of an erased person nothing is left to change."""
        if obj is not None and obj.is_erased:
            return False
        if obj is not None and obj.is_superuser and not is_operator(request):
            return False
        if obj is not None and obj.is_staff and not self.may(request, "appoint"):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        if obj.is_erased:
            gone = _("Name, address and access are gone for good. What others hold of this person’s messages stays.")
            return [(None, {"description": gone, "fields": ("state",)})]
        first, (name, options) = fieldsets
        if self._shows_groups(request, obj):
            first = (first[0], {**first[1], "fields": (*first[1]["fields"], "member_of")})
        logon, *password = options["fields"]
        state, help_in, *rest = self.readonly_fields
        to_do = [*password, help_in] if self.has_change_permission(request, obj) else []
        return [first, (name, {**options, "fields": (logon, state, *to_do, *rest)})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        if obj is None:
            return fields
        return ("state",) if obj.is_erased else ("address", *fields)

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.is_confirmed = reauthentication.is_recent(request)
        kept = {"is_staff", "role"} if not self.may(request, "appoint") else set()
        if not self.may(request, "license"):
            kept.add("is_licensed")
        if obj is not None and obj.pk == request.user.pk:
            kept |= {"is_staff", "role", "allow_logon"}  # nobody locks themselves out of the console by a slip
        if not self._shows_groups(request, obj):
            form.base_fields.pop("member_of")
        elif not may(request, Group, "change"):
            kept.add("member_of")
        for name in kept & set(form.base_fields):
            # A copy: fields declared in the form's class are shared by everybody's.
            form.base_fields[name] = copy(form.base_fields[name])
            form.base_fields[name].disabled = True
        return form

    def _shows_groups(self, request: HttpRequest, obj: User | None) -> bool:
        """Members are internal users; whoever may only look at the user sees the rest."""
        is_internal = obj is not None and obj.is_internal
        return is_internal and may(request, Group, "view") and self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        is_locked = ExpressionWrapper(StateFilter.states["locked"], BooleanField())
        return super().get_queryset(request).annotate(is_locked=is_locked).prefetch_related("groups")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> User | None:
        user: User | None = super().get_object(request, object_id, from_field)
        if user is not None:
            offer(request, user, may_change=self.has_change_permission(request, user))
        return user

    # --- What the pages say -----------------------------------------------------------------------------------

    @admin.display(description=_("state"))
    def state(self, user: Any) -> str:
        if user.is_erased:
            return gettext("erased")
        if user.disabled_at:
            return gettext("disabled")
        if not user.allow_logon:
            return gettext("logon not allowed")
        if user.is_locked:
            return gettext("locked")
        return gettext("active") if user.password_set_at or user.temporary_until else gettext("no password yet")

    @admin.display(description=_("administrator"), ordering="is_staff")
    def administrator(self, user: User) -> Any:
        if not user.is_staff:
            return ""
        role = roles.role_of(user)
        return roles.Role(role).label if role else gettext("of everything")

    @admin.display(description=_("current password"))
    def password_state(self, user: User) -> str:
        if user.change_ordered_at:
            return gettext("To be changed at the next logon, by an administrator’s order")
        if user.temporary_until:
            return gettext("Temporary, to be changed at the next logon; lasts until %s") % in_full(user.temporary_until)
        if user.password_set_at:
            return gettext("Chosen by the user, %s") % in_full(user.password_set_at)
        return gettext("Never set")

    @admin.display(description=_("help to log in"))
    def help_in(self, user: User) -> SafeString:
        buttons = [
            button(user, "issue-password", gettext("Issue Temporary Password")),
            button(user, "send-reset", gettext("Send Reset")),
        ]
        if user.has_own_password and not user.change_ordered_at:
            buttons.append(button(user, "order-change", gettext("Force Change at Next Logon")))
        return format_html_join(" ", "{}", ((button,) for button in buttons))

    @admin.display(description=_("second factor"))
    def factor(self, user: User) -> SafeString | str:
        if not second_factor.is_enrolled(user):
            return gettext("None, though one is demanded") if user.second_factor_is_demanded else gettext("None")
        if due := second_factor.removal_due_at(user):
            text = gettext("Will be removed %s") % in_full(due)
            return with_button(user, text, "keep-second-factor", _("Keep It"))
        if second_factor.is_locked(user):
            text = gettext("Locked after %d wrong ones; whoever gave them knows the password")
            return with_button(user, text % throttling.MOST_FAILURES, "clear-lock", _("Clear Lock"))
        return with_button(user, gettext("In use"), "remove-second-factor", _("Lost: Remove in 24 Hours"))

    @admin.display(description=_("account"))
    def account(self, user: Any) -> SafeString | str:
        if user.disabled_at:
            return with_button(user, gettext("Disabled since %s") % in_full(user.disabled_at), "enable", _("Enable"))
        if user.offered and "disable" not in user.offered:
            return gettext("Enabled. Another administrator can disable it; nobody disables their own.")
        return with_button(user, gettext("Enabled"), "disable", _("Disable"))

    @admin.display(description=_("failed log-ins"))
    def lock(self, user: User) -> SafeString | str:
        if not user.failures:
            return gettext("None since the last success")
        if user.failures >= throttling.MOST_FAILURES:
            text = gettext("Locked after %d; the password is no longer accepted from browsers not seen before")
            return with_button(user, text % user.failures, "clear-lock", _("Clear Lock"))
        text = ngettext("%d since the last success", "%d since the last success", user.failures) % user.failures
        if not user.may_try_at(moments.now()) and user.next_try_at:
            text = f"{text}; {gettext('locked until %s') % in_full(user.next_try_at)}"
        return with_button(user, text, "clear-lock", _("Clear Lock"))

    mail_arrives = staticmethod(mail_arrives)

    @admin.display(description=_("sessions"))
    def open_sessions(self, user: User) -> SafeString | str:
        number = user.sessions.count()
        if not number:
            return gettext("None")
        return with_button(user, ngettext("%d open", "%d open", number) % number, "end-sessions", _("End Sessions"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """All users, or those of one domain: then it is that directory's page."""
        domain = self._domain_asked_for(request)
        context: dict[str, Any] = {}
        if domain:
            proxy = InternalDomain if domain.is_internal else ExternalDomain
            context = {"title": domain.name, "domain": domain, "directory": proxy._meta}
            context["may_delete_domain"] = not domain.users.exists()
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def _domain_asked_for(self, request: HttpRequest) -> Domain | None:
        try:
            return visible(request, Domain.objects.all()).filter(pk=request.GET["domain__id__exact"]).first()
        except (KeyError, ValidationError):
            return None

    # --- What they do -----------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        actor: Any = request.user
        wanted = form.cleaned_data
        if not change:
            obj.allow_logon, obj.is_licensed = True, False
            directories.create(actor=actor, user=obj)
        elif columns := [name for name in ("name", "is_staff") if name in form.changed_data]:
            obj.save(update_fields=columns)
        directories.license_sender(actor=actor, user=obj, licensed=wanted["is_licensed"])
        directories.allow_logon(actor=actor, user=obj, allowed=wanted["allow_logon"])
        roles.give_role(actor=actor, user=obj, role=wanted["role"] if obj.is_staff else "")
        if "member_of" in form.changed_data:
            groups.put_in(actor=actor, user=obj, groups=wanted["member_of"])
        if wanted["new_password"]:
            passwords.set_temporary_password(actor=actor, user=obj, password=wanted["new_password"])

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        """Written down where the user is made."""

    def construct_change_message(self, request: Any, form: Any, formsets: Any, add: bool = False) -> list[str]:  # type: ignore[override]
        return [name for name in form.changed_data if name not in BY_VERB]

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_POST(self.verb_view))
        return [
            path(f"<uuid:user_id>/{verb}/", view, {"verb": verb}, name=f"accounts_user_{verb.replace('-', '_')}")
            for verb in (*VERBS, "issue-password")
        ] + [
            path("<uuid:user_id>/rename/", self.admin_site.admin_view(self.rename_view), name="accounts_user_rename"),
            *super().get_urls(),
        ]

    def verb_view(self, request: HttpRequest, user_id: Any, verb: str) -> HttpResponse:
        user = self.get_object(request, user_id)
        if user is None or not self.has_change_permission(request, user):
            raise Http404
        page = reverse("admin:accounts_user_change", args=[user.pk])
        if verb in CONFIRMED and (asked := reauthentication.ask_unless_recent(request, page)):
            return asked
        if verb == "issue-password":
            return self._issued(request, user)
        if verb == "disable" and user.pk == request.user.pk:
            messages.error(request, gettext("You cannot disable your own account."))
        elif verb == "disable" and "confirmed" not in request.POST:
            return disable_page(request, user, self.admin_site.each_context(request))
        else:
            act, done = VERBS[verb]
            act(actor=request.user, user=user)
            messages.success(request, done)
        return HttpResponseRedirect(page)

    def rename_view(self, request: HttpRequest, user_id: Any) -> HttpResponse:
        user = self.get_object(request, user_id)
        if user is None or not self.has_change_permission(request, user):
            raise Http404
        return rename_page(request, user, self.admin_site.each_context(request))

    def _issued(self, request: HttpRequest, user: User) -> HttpResponse:
        """The one page that shows it; nothing keeps it."""
        actor: Any = request.user
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Temporary password"),
            "original": user,
            "back": reverse("admin:accounts_user_change", args=[user.pk]),
            "opts": self.opts,
            "password": credentials.issue(actor=actor, user=user),
            "hours": int(credentials.ADMINISTRATOR_LIFETIME.total_seconds() // 3600),
        }
        return TemplateResponse(request, "admin/accounts/user/temporary_password.html", context)

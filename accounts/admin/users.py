"""A user's page: who it is, and the Permissions section; and the list of users."""

from copy import copy
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from portal.console import OrganizationScopedAdmin
from portal.scoping import is_operator, may

from .. import directories, groups, passwords, reauthentication, roles
from ..models import Group, User
from . import domain_page
from .address import address
from .rename import rename_page
from .user_buttons import offer
from .user_facts import FACTS, help_in, password_state
from .user_form import UserForm
from .user_states import StateFilter, state, with_locks
from .user_verbs import ISSUE, VERBS, perform, url_name

# Written by verbs of their own, with audit events of their own.
BY_VERB = {"is_licensed", "allow_logon", "role", "new_password", "confirm_password", "member_of"}


@admin.register(User)
class UserAdmin(OrganizationScopedAdmin):
    """An address is not changed here, and nobody is deleted: both are more than a change of a row."""

    form = UserForm
    file_kind = "users"
    when_empty = _(
        "Nobody is here yet. Whoever is written to comes here by themselves; your own people are added, or imported."
    )
    list_display = (address, "name", state, "is_licensed", "administrator", "first_logged_in_at")
    list_filter = (StateFilter, "is_licensed", "is_staff")
    linked_filters = ("domain",)
    list_select_related = ("domain", "organization")
    search_fields = ("address", "name")
    ordering = ("address",)
    readonly_fields = FACTS
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
            return [(None, {"description": gone, "fields": (state,)})]
        first, (name, options) = fieldsets
        if self._shows_groups(request, obj):
            first = (first[0], {**first[1], "fields": (*first[1]["fields"], "member_of")})
        logon, *password = options["fields"]
        to_do = [*password, help_in] if self.has_change_permission(request, obj) else []
        rest = [fact for fact in FACTS if fact not in (password_state, help_in)]
        return [first, (name, {**options, "fields": (logon, password_state, *to_do, *rest)})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        if obj is None:
            return fields
        return (state,) if obj.is_erased else ("address", *fields)

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
        return with_locks(super().get_queryset(request)).prefetch_related("groups")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> User | None:
        user: User | None = super().get_object(request, object_id, from_field)
        if user is not None:
            offer(request, user, may_change=self.has_change_permission(request, user))
        return user

    # --- What the pages say -----------------------------------------------------------------------------------

    @admin.display(description=_("administrator"), ordering="is_staff")
    def administrator(self, user: User) -> Any:
        if not user.is_staff:
            return ""
        role = roles.role_of(user)
        return roles.Role(role).label if role else gettext("of everything")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {**domain_page.context_for(request), **(extra_context or {})})

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
            path(f"<uuid:user_id>/{verb}/", view, {"verb": verb}, name=url_name(verb)) for verb in (*VERBS, ISSUE)
        ] + [
            path("<uuid:user_id>/rename/", self.admin_site.admin_view(self.rename_view), name="accounts_user_rename"),
            *super().get_urls(),
        ]

    def verb_view(self, request: HttpRequest, user_id: Any, verb: str) -> HttpResponse:
        return perform(request, self._to_change(request, user_id), verb, self.admin_site.each_context(request))

    def rename_view(self, request: HttpRequest, user_id: Any) -> HttpResponse:
        return rename_page(request, self._to_change(request, user_id), self.admin_site.each_context(request))

    def _to_change(self, request: HttpRequest, user_id: Any) -> User:
        user = self.get_object(request, user_id)
        if user is None or not self.has_change_permission(request, user):
            raise Http404
        return user

"""The state a user is in: in a word, and the list of users by it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import SimpleListFilter
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.erased import DOMAIN

from .. import throttling

# As the list is narrowed by them, and as a row says.
WORDS: dict[str, Promise] = {
    "disabled": _("disabled"),
    "not-allowed": _("logon not allowed"),
    "locked": _("locked"),
    "no-password": _("no password yet"),
    "erased": _("erased"),
}


class StateFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"
    states = {
        "disabled": Q(disabled_at__isnull=False),
        "not-allowed": Q(allow_logon=False),
        "locked": Q(next_try_at__gt=Now()) | Q(failures__gte=throttling.MOST_FAILURES),
        "no-password": Q(password_set_at__isnull=True),
    }
    # Rows that are nobody's any more stand for themselves alone.
    erased = Q(domain__name=DOMAIN)

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return list(WORDS.items())

    def queryset(self, request: Any, queryset: QuerySet) -> QuerySet:
        if self.value() == "erased":
            return queryset.filter(self.erased)
        return queryset.exclude(self.erased).filter(self.states.get(self.value() or "", Q()))


def with_locks(users: QuerySet) -> QuerySet:
    """The users with `is_locked`, which `state` reads."""
    return users.annotate(is_locked=ExpressionWrapper(StateFilter.states["locked"], BooleanField()))


@admin.display(description=_("state"))
def state(user: Any) -> str:
    """Of a user `with_locks`."""
    return str(WORDS.get(_state(user), _("active")))


def _state(user: Any) -> str:
    """What keeps them out, the weightiest first."""
    if user.is_erased:
        return "erased"
    if user.disabled_at:
        return "disabled"
    if not user.allow_logon:
        return "not-allowed"
    if user.is_locked:
        return "locked"
    return "" if user.password_set_at or user.temporary_until else "no-password"

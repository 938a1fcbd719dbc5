"""The list of users by what state they are in."""

from typing import Any

from django.contrib.admin.filters import SimpleListFilter
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from portal.erased import DOMAIN

from .. import throttling


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
        return [
            ("disabled", _("disabled")),
            ("not-allowed", _("logon not allowed")),
            ("locked", _("locked")),
            ("no-password", _("no password yet")),
            ("erased", _("erased")),
        ]

    def queryset(self, request: Any, queryset: QuerySet) -> QuerySet:
        if self.value() == "erased":
            return queryset.filter(self.erased)
        return queryset.exclude(self.erased).filter(self.states.get(self.value() or "", Q()))

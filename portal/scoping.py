"""The console's ground rule: an administrator sees and touches one organisation, their own.

Whatever page, list, filter, search, choice, look-up or forged POST it is, rows come from `visible`. Absent and foreign
are the same 404. The operator (superuser) is the one exception: rows of every organisation, of which none ever changes
its own.
"""

from typing import Any

from django import forms
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from .models import Organization


def is_operator(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)


def own_organization(request: HttpRequest) -> Organization:
    user: Any = request.user
    return user.organization


def may(request: HttpRequest, model: type[models.Model], action: str) -> bool:
    """Whether this administrator's role covers the action on the model: view, add, change, delete or one of ours."""
    user: Any = request.user
    return (
        user.is_active and user.is_staff and user.has_perm(f"{model._meta.app_label}.{action}_{model._meta.model_name}")
    )


def visible(request: HttpRequest, queryset: QuerySet) -> QuerySet:
    """Those rows that this administrator may know of. A model without an organisation raises FieldError: closed."""
    if is_operator(request):
        return queryset
    path = "pk" if queryset.model is Organization else "organization"
    return queryset.filter(**{path: own_organization(request).pk})


def organization_of(row: Any) -> Organization:
    return row if isinstance(row, Organization) else row.organization


class ScopedForm(forms.ModelForm):
    """Whatever is chosen in it belongs to the row's own organisation. An administrator is offered nothing else; the
    operator, who sees all, could mix them up."""

    def own_organization(self) -> Any:
        return self.cleaned_data.get("organization") or getattr(self.instance, "organization", None)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, value in list(cleaned.items()):
            rows = value if isinstance(value, QuerySet) else [value]
            if any(self._is_foreign(row) for row in rows):
                self.add_error(name, _("This belongs to another organisation."))
        return cleaned

    def _is_foreign(self, row: Any) -> bool:
        organization_id = getattr(row, "organization_id", None)
        own = self.own_organization()
        return organization_id is not None and own is not None and organization_id != own.pk

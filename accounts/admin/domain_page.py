"""A domain's page: the list of its users, shown as that directory's own."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from portal.scoping import visible

from ..models import Domain, ExternalDomain, InternalDomain

_WHICH = "domain__id__exact"


def address_of(domain_id: UUID) -> str:
    return f"{reverse('admin:accounts_user_changelist')}?{_WHICH}={domain_id}"


def context_for(request: HttpRequest) -> dict[str, Any]:
    """What the list of users says on a domain's page; nothing where all users are listed."""
    domain = _asked_for(request)
    if domain is None:
        return {}
    directory = (InternalDomain if domain.is_internal else ExternalDomain)._meta
    return {
        "title": domain.name,
        "domain": domain,
        "directory": directory,
        "here": reverse(f"admin:accounts_{directory.model_name}_changelist"),
        "may_delete_domain": not domain.users.exists(),
    }


def _asked_for(request: HttpRequest) -> Domain | None:
    try:
        return visible(request, Domain.objects.all()).filter(pk=request.GET[_WHICH]).first()
    except (KeyError, ValidationError):
        return None

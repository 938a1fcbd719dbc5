"""A domain that turns out to be the organisation's own: moved to its internal directory, on a page that says what that
means."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from portal.scoping import visible

from .. import directories, reauthentication
from ..models import Domain


def move_page(request: HttpRequest, domain_id: uuid.UUID, context: dict[str, Any]) -> HttpResponse:
    external = visible(request, Domain.objects.filter(is_internal=False))
    domain = get_object_or_404(external, pk=domain_id)
    # Everybody there may write to anyone inside, and may be given a licence.
    if asked := reauthentication.ask_unless_recent(request, request.path):
        return asked
    if request.method == "POST":
        actor: Any = request.user
        directories.make_internal(actor=actor, domain=domain)
        messages.success(request, gettext("The domain is in the internal directories now."))
        return HttpResponseRedirect(reverse("admin:accounts_internaldomain_changelist"))
    context |= {
        "title": gettext("Move to Internal Directories?"),
        "subtitle": domain.name,
        "original": domain,
        "back": reverse("admin:accounts_externaldomain_change", args=[domain.pk]),
        "users": domain.users.count(),
    }
    return TemplateResponse(request, "admin/accounts/externaldomain/move.html", context)

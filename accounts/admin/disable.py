"""Disabling an account: what it means, said before it is done."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from ..models import User


def disable_page(request: HttpRequest, user: User, context: dict[str, Any]) -> HttpResponse:
    """Its button posts the same once more, confirmed."""
    context |= {
        "title": gettext("Disable this account?"),
        "subtitle": user.address,
        "original": user,
        "back": reverse("admin:accounts_user_change", args=[user.pk]),
    }
    return TemplateResponse(request, "admin/accounts/user/disable.html", context)

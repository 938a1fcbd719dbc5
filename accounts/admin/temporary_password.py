"""A temporary password for a user, on the one page that shows it; nothing keeps it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from .. import credentials
from ..models import User


def issued_page(request: HttpRequest, user: User, context: dict[str, Any]) -> HttpResponse:
    actor: Any = request.user
    context |= {
        "title": gettext("Temporary password"),
        "original": user,
        "back": reverse("admin:accounts_user_change", args=[user.pk]),
        "opts": User._meta,
        "password": credentials.issue(actor=actor, user=user),
        "hours": int(credentials.ADMINISTRATOR_LIFETIME.total_seconds() // 3600),
    }
    return TemplateResponse(request, "admin/accounts/user/temporary_password.html", context)

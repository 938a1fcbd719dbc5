from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from .. import kept_texts, known_browsers, reauthentication, sessions
from ..middleware import ORGANIZATION_COOKIE
from ..models import User

_COOKIE_AGE = 400 * 24 * 3600  # seconds; browsers keep no cookie longer


def arrive(request: HttpRequest, user: User, destination: str, *, factor_shown: bool = False) -> HttpResponse:
    """Log the person in and bring them where they were going; the browser is known from now on."""
    sessions.start(request, user, second_factor=factor_shown)
    reauthentication.confirm(request)
    if kept := kept_texts.bring_back(user):
        messages.info(request, _("You were logged out while writing. What you wrote is kept, and nothing was sent."))
        destination = kept if destination == reverse("inbox") else destination
    response = redirect(destination)
    known_browsers.remember(request, response, user)
    response.set_cookie(
        ORGANIZATION_COOKIE,
        user.organization.slug,
        max_age=_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response

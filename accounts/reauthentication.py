"""Is it still you? Asked before what decides who may come in is changed, and before the audit log leaves the portal,
unless it was answered minutes ago."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.hashers import check_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from portal import confirmation, moments

from . import known_browsers, password_rules, throttling
from .http import AuthenticatedRequest
from .models import User

LASTS = timedelta(minutes=5)
_CONFIRMED = "confirmed_at"
View = Callable[..., HttpResponse]


def confirm(request: HttpRequest) -> None:
    """This session has just shown who it belongs to."""
    request.session[_CONFIRMED] = moments.now().isoformat()


def is_recent(request: HttpRequest) -> bool:
    confirmed = request.session.get(_CONFIRMED)
    return confirmed is not None and moments.now() - datetime.fromisoformat(confirmed) < LASTS


def ask_unless_recent(request: HttpRequest, path: str) -> HttpResponse | None:
    """The way to the page that asks, and then on to this path of the portal; None: it was answered just now. A form
    cannot be posted again afterwards; the page it stands on can be shown."""
    return None if is_recent(request) else redirect(f"{reverse('confirm')}?{urlencode({'next': path})}")


confirmation.register(ask_unless_recent)


def recently_confirmed(page: str) -> Callable[[View], View]:
    """For views that change who may come in: ask first, and lead to the page of that URL name afterwards."""

    def decorate(view: View) -> View:
        @wraps(view)
        def asked(request: AuthenticatedRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return ask_unless_recent(request, reverse(page)) or view(request, *args, **kwargs)

        return asked

    return decorate


def is_own_password(request: AuthenticatedRequest, password: str) -> bool:
    """Whether it is. Guesses count as they do at the log-in page; over the limit none is compared."""
    user = request.user
    browsers = known_browsers.known(user, known_browsers.token_of(request))
    counted = browsers if browsers.exists() else User.objects.filter(pk=user.pk)
    if not throttling.reserve_guess(counted):
        return False
    password = password_rules.normalize(password)
    if len(password) > password_rules.MAX_LENGTH or not check_password(password, user.password):
        return False
    throttling.forgive(counted)
    return True

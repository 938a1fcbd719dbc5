from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse

from . import pending, sessions
from .models import PortalSession

# Which organisation's log-in page this browser used last. No secret, and nothing is granted by it.
ORGANIZATION_COOKIE = "__Host-organization" if settings.SERVED_OVER_TLS else "organization"
CONSOLE_PREFIX = "/admin/"


class SessionLifetimeMiddleware:
    """Records activity, and ends a session that is too old for the administration console when it gets there.

    Inactivity and the absolute lifetime were judged before, when the session was loaded (accounts/sessions.py).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if (row := _loaded_row(request)) and (now := sessions.store_of(request).now):
            if request.path.startswith(CONSOLE_PREFIX) and not row.is_alive_in_console(now):
                request.session.flush()
                request.user = AnonymousUser()
            else:
                sessions.record_activity(row, now)
        return self.get_response(request)


def _loaded_row(request: HttpRequest) -> PortalSession | None:
    if not request.session.session_key:  # no cookie: nothing to load
        return None
    request.session.keys()
    return sessions.store_of(request).row


class LogInRequiredMiddleware(LoginRequiredMiddleware):
    """Every page is behind the log-in unless its view is marked login_not_required.

    There is no log-in page for everybody: the visitor is sent to their organisation's where it is known, and else
    to the home page, which says how to find it.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Callable) -> HttpResponseRedirect:
        if pending.exists(request):
            return redirect("set_password", sessions.store_of(request).organization_slug)
        # A form cannot be posted again after logging in; a page can be shown.
        wanted = request.get_full_path() if request.method == "GET" else None
        return redirect(log_in_url(request, wanted))


def log_in_url(request: HttpRequest, wanted: str | None = None) -> str:
    """The log-in page of the organisation this visitor came from last, or the home page.

    wanted: the path to show after logging in."""
    slug = sessions.store_of(request).organization_slug or request.COOKIES.get(ORGANIZATION_COOKIE, "")
    try:
        url = reverse("log_in", args=[slug])
    except NoReverseMatch:
        return reverse("home")
    return f"{url}?{urlencode({'next': wanted})}" if wanted else url

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware as DjangosAuthenticationMiddleware
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from portal.typed_texts import typed_texts

from . import kept_texts, pending, session_store, sessions
from .models import PortalSession

# Which organisation's log-in page this browser used last. No secret, and nothing is granted by it.
ORGANIZATION_COOKIE = "__Host-organization" if settings.SERVED_OVER_TLS else "organization"
CONSOLE_PREFIX = "/admin/"


class AuthenticationMiddleware(DjangosAuthenticationMiddleware):
    """The request's user, from the row its session is (accounts/session_store.py): one query for both."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: sessions.user_of(request))  # type: ignore[assignment]


class SessionLifetimeMiddleware:
    """Records activity, and ends a session that is too old for the administration console when it gets there.

    Inactivity and the absolute lifetime were judged before, when the session was loaded (accounts/session_store.py).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        row, now = _loaded_row(request), session_store.store_of(request).now
        in_console = request.path.startswith(CONSOLE_PREFIX)
        if in_console and row and now and not row.is_alive_in_console(now):
            request.session.flush()
            request.user = AnonymousUser()
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable, *_arguments: Any) -> None:
        """What a script asks by itself is no activity: such views are marked `asked_by_script`, and a page that is
        asked for again by its own script comes with a header that says so."""
        if getattr(view, "is_asked_by_script", False) or "X-Asked-By-Script" in request.headers:
            return
        if (row := _loaded_row(request)) and (now := session_store.store_of(request).now):
            sessions.record_activity(row, now)


def asked_by_script(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view whose being asked says nothing about anybody being there."""
    view.is_asked_by_script = True  # type: ignore[attr-defined]
    return view


def _loaded_row(request: HttpRequest) -> PortalSession | None:
    if not request.session.session_key:  # no cookie: nothing to load
        return None
    request.session.keys()
    return session_store.store_of(request).row


def open_without_second_factor(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that is needed to add a second factor where one is demanded."""
    view.is_open_without_second_factor = True  # type: ignore[attr-defined]
    return view


class LogInRequiredMiddleware(LoginRequiredMiddleware):
    """Every page is behind the log-in unless its view is marked login_not_required.

    There is no log-in page for everybody: the visitor is sent to their organisation's where it is known, and else
    to the home page, which says how to find it.
    """

    def process_view(self, request: HttpRequest, view_func: Callable, view_args: Any, view_kwargs: Any) -> Any:
        """Who has to show a second factor, and has not, gets no further than the pages where one is added."""
        if refused := super().process_view(request, view_func, view_args, view_kwargs):
            return refused
        user: Any = request.user
        is_open = getattr(view_func, "is_open_without_second_factor", False)
        if is_open or not getattr(view_func, "login_required", True) or not user.is_authenticated:
            return None
        if user.second_factor_is_demanded and not sessions.has_second_factor(request):
            return redirect("second_factors")
        return None

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable
    ) -> HttpResponse:
        if pending.exists(request):
            # Which leads on to the second factor if that is what is missing.
            return redirect("set_password", session_store.store_of(request).organization_slug)
        # A form cannot be posted again after logging in; a page can be shown.
        wanted = request.get_full_path() if request.method == "GET" else None
        if request.method == "POST" and (texts := typed_texts(request)):
            return _give_back(request, texts)
        return redirect(log_in_url(request, wanted))


def _give_back(request: HttpRequest, texts: list[tuple[str, str]]) -> HttpResponse:
    """Nothing that was typed is lost because a session ended in the meantime."""
    is_kept = kept_texts.keep(request) is not None
    context = {"texts": texts, "is_kept": is_kept, "log_in_url": log_in_url(request)}
    return render(request, "accounts/session_ended.html", context, status=403)


def log_in_url(request: HttpRequest, wanted: str | None = None) -> str:
    """The log-in page of the organisation this visitor came from last, or the home page.

    wanted: the path to show after logging in."""
    slug = session_store.store_of(request).organization_slug or request.COOKIES.get(ORGANIZATION_COOKIE, "")
    try:
        url = reverse("log_in", args=[slug])
    except NoReverseMatch:
        return reverse("home")
    return f"{url}?{urlencode({'next': wanted})}" if wanted else url

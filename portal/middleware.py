"""Headers that every page of the portal carries, and the time zone its dates are told in."""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

from . import audit, dates
from .closing import PortalClosed
from .keyring import SealBroken
from .views import closed_portal, server_error

logger = logging.getLogger(__name__)


class ResponseHeadersMiddleware:
    """Nothing a person sees here may stay in a cache, be embedded elsewhere or be indexed.

    Static files are answered before this runs and may be cached; so may what a view says is public.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not getattr(response, "is_public", False):
            response.headers["Cache-Control"] = "no-store"
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        return response


class PolicyMiddleware(CSPMiddleware):
    """django-csp's, which puts the policy together anew for each response; the usual one is the same in all of them."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if any(hasattr(response, name) for name in _POLICIES_OF_ITS_OWN) or hasattr(request, "_csp_nonce"):
            return super().process_response(request, response)
        response.headers.setdefault(HEADER, _usual_policy())
        return response


# What django-csp's decorators leave on a response.
_POLICIES_OF_ITS_OWN = ("_csp_config", "_csp_update", "_csp_replace", "_csp_exempt")


@cache
def _usual_policy() -> str:
    return build_policy()


class LocalTimeMiddleware:
    """Dates are shown in the zone that the person chose, else in the organisation's, and written as the person chose;
    words in the language that the person chose, else in the one the browser asks for, else in the organisation's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        user: Any = request.user
        language = user.language or _asked_for(request) or user.organization.language
        zone = ZoneInfo(user.time_zone or user.organization.time_zone)
        written = dates.override(user.date_format, user.time_format)
        with timezone.override(zone), translation.override(language), written:
            request.LANGUAGE_CODE = translation.get_language()
            return self.get_response(request)


def _asked_for(request: HttpRequest) -> str | None:
    """The first language the browser asks for that the portal speaks. Django's own answer does not say whether it is
    one, or only the usual."""
    for code, _priority in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        with suppress(LookupError):
            return get_supported_language_variant(code)
    return None


class ClosedPortalMiddleware:
    """Whatever page of a closed portal was asked for: a plain one that says so."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return closed_portal(request) if isinstance(exception, PortalClosed) else None


class SealBrokenMiddleware:
    """What does not open stays closed: the event is audited, and the page says only that something is wrong here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, SealBroken):
            return None
        logger.error("A seal is broken at %s: %s", request.path, exception)
        if request.user.is_authenticated:
            user = request.user
            audit.record(user.organization, "seal.broken", actor=user, path=request.path, why=str(exception))
        return server_error(request)

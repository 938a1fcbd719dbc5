"""Browsers in which a person has logged in before: a cookie with a random token, and a row with its hash."""

import hashlib
import secrets
import uuid

from django.conf import settings
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from portal import keyring

from .models import KnownBrowser, User
from .throttling import MOST_FAILURES

COOKIE = "__Host-browser" if settings.SERVED_OVER_TLS else "browser"
_COOKIE_AGE = 400 * 24 * 3600  # seconds; browsers keep no cookie longer
_NOBODY = uuid.UUID(int=0)


def token_of(request: HttpRequest) -> str:
    """The token of this browser's cookie; empty if it has none that the portal gave out."""
    try:
        return _signer().unsign(request.COOKIES.get(COOKIE, ""))
    except signing.BadSignature:
        return ""


def known(user: User | None, token: str) -> QuerySet[KnownBrowser]:
    """The row of this person's browser, if it is one and has not failed too often itself. Nobody's: none."""
    user_id = user.pk if user else _NOBODY
    return KnownBrowser.objects.filter(user_id=user_id, digest=_digest(token), failures__lt=MOST_FAILURES)


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """After a log-in: this browser is the person's. It keeps its token when several people share it."""
    token = token_of(request) or secrets.token_urlsafe(32)
    KnownBrowser.objects.bulk_create([KnownBrowser(user=user, digest=_digest(token))], ignore_conflicts=True)
    response.set_cookie(
        COOKIE,
        _signer().sign(token),
        max_age=_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _signer() -> signing.Signer:
    return signing.Signer(key=keyring.leaf_key("device_cookies").hex(), salt="accounts.known_browsers")

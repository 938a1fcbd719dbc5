"""Between a mailed link and the page it leads to: the credential's id in a signed cookie, for that organisation's
log-in pages alone and for half an hour, so that no address bar, history or referrer keeps the secret."""

import uuid

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from portal import keyring
from portal.models import Organization

from .models import Credential

# Not __Host-, whose path is always the whole site.
COOKIE = "__Secure-credential" if settings.SERVED_OVER_TLS else "credential"
LIFETIME = 30 * 60  # seconds


def put(response: HttpResponse, organization: Organization, credential: Credential) -> None:
    response.set_cookie(
        COOKIE,
        _signer(organization).sign(str(credential.pk)),
        max_age=LIFETIME,
        path=organization.get_absolute_url(),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def credential_id(request: HttpRequest, organization: Organization) -> uuid.UUID | None:
    """Whose link this browser has followed, if it did within the last half hour."""
    if COOKIE not in request.COOKIES:
        return None
    try:
        return uuid.UUID(_signer(organization).unsign(request.COOKIES[COOKIE], max_age=LIFETIME))
    except signing.BadSignature:
        return None


def clear(response: HttpResponse, organization: Organization) -> None:
    response.delete_cookie(COOKIE, path=organization.get_absolute_url(), samesite="Lax")


def _signer(organization: Organization) -> signing.TimestampSigner:
    key = keyring.leaf_key("credentials").hex()
    return signing.TimestampSigner(key=key, salt=f"accounts.link_cookie.{organization.pk}")

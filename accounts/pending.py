"""Between a temporary password and a new one, and between a password and the second factor: the session knows who it
is about, and nobody is logged in."""

import uuid
from dataclasses import dataclass

from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse

from portal import moments
from portal.models import Organization

from . import link_cookie, session_store, sessions
from .models import Credential, User

# What for: to set a new password, or to come in once the second factor has been shown.
PASSWORD, INSIDE = "password", "inside"
_CREDENTIAL = "pending_credential"
_PURPOSE = "pending_purpose"
_FACTOR_SHOWN = "pending_factor_shown"
_DESTINATION = "pending_destination"


@dataclass(frozen=True)
class Pending:
    """Who may set a new password, by which credential (None: a password an administrator set), and where the person
    was going: a path of this portal."""

    user: User
    credential_id: uuid.UUID | None
    destination: str
    purpose: str = PASSWORD
    factor_shown: bool = False


def begin(request: HttpRequest, pending: Pending) -> None:
    """Remember in a new session of this browser; what it held before is over."""
    credential = str(pending.credential_id) if pending.credential_id else None
    marker = {
        _CREDENTIAL: credential,
        _DESTINATION: pending.destination,
        _PURPOSE: pending.purpose,
        _FACTOR_SHOWN: pending.factor_shown,
    }
    sessions.start_pending(request, pending.user, marker)


def exists(request: HttpRequest) -> bool:
    return session_store.PENDING_USER in request.session


def current(request: HttpRequest, organization: Organization) -> Pending | None:
    """Who it is about, if that person may still log on; a right taken away meanwhile counts at once."""
    found = _by_link(request, organization) or _by_session(request)
    if found is None or found.user.organization_id != organization.pk or not found.user.may_log_on:
        return None
    return found


def _by_link(request: HttpRequest, organization: Organization) -> Pending | None:
    credential_id = link_cookie.credential_id(request, organization)
    if credential_id is None:
        return None
    credential = (
        Credential.objects.select_related("user__organization", "user__domain").filter(pk=credential_id).first()
    )
    return Pending(credential.user, credential.pk, reverse("inbox")) if credential else None


def _by_session(request: HttpRequest) -> Pending | None:
    if not exists(request):
        return None
    user_id = uuid.UUID(request.session[session_store.PENDING_USER])
    user = User.objects.select_related("organization", "domain").filter(pk=user_id).first()
    if user is None:
        return None
    held = request.session
    return Pending(
        user,
        uuid.UUID(held[_CREDENTIAL]) if held[_CREDENTIAL] else None,
        held[_DESTINATION],
        purpose=held[_PURPOSE],
        factor_shown=held[_FACTOR_SHOWN],
    )


def is_open(pending: Pending) -> bool:
    """Whether what was given still works; setting the password asks once more, with the lock."""
    if pending.purpose == INSIDE:
        return True
    if pending.credential_id is None:
        temporary_until = pending.user.temporary_until
        return temporary_until is not None and moments.now() < temporary_until
    credential = Credential.objects.annotate(now=Now()).filter(pk=pending.credential_id).first()
    return credential is not None and credential.is_open(credential.now)

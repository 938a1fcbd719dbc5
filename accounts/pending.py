"""Between a temporary password and a new one: the session knows who it is about, and nobody is logged in."""

import uuid
from dataclasses import dataclass

from django.http import HttpRequest

from . import sessions
from .models import User

_CREDENTIAL = "pending_credential"
_DESTINATION = "pending_destination"


@dataclass(frozen=True)
class Pending:
    """Who may set a new password, by which credential (None: a password an administrator set), and where the person
    was going: a path of this portal."""

    user: User
    credential_id: uuid.UUID | None
    destination: str


def begin(request: HttpRequest, pending: Pending) -> None:
    """Remember in a new session of this browser; what it held before is over."""
    credential = str(pending.credential_id) if pending.credential_id else None
    sessions.start_pending(request, pending.user, {_CREDENTIAL: credential, _DESTINATION: pending.destination})


def exists(request: HttpRequest) -> bool:
    return sessions.PENDING_USER in request.session


def current(request: HttpRequest) -> Pending | None:
    """Who it is about, if that person may still log on; a right taken away meanwhile counts at once."""
    if not exists(request):
        return None
    user_id = uuid.UUID(request.session[sessions.PENDING_USER])
    user = User.objects.select_related("organization", "domain").filter(pk=user_id).first()
    if user is None or not user.may_log_on:
        return None
    credential = request.session[_CREDENTIAL]
    return Pending(user, uuid.UUID(credential) if credential else None, request.session[_DESTINATION])

"""The table of sessions, as Django's session engine: kept on the server, found by a hash of the cookie's key.

Three limits, all judged by the database's clock: inactivity (60 minutes, an organisation may shorten it), an absolute
lifetime of 12 hours, and the administration console's 15 minutes and 8 hours (accounts/middleware.py asks for those).
The cookie is gone when the browser closes.
"""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import auth
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest

from portal import moments
from portal.prepared import Prepared

from .models import PortalSession
from .models.session import ABSOLUTE_LIFETIME

LONGEST_IDLE = timedelta(minutes=60)
# Whose temporary password was right, in a session in which nobody is logged in (accounts/pending.py).
PENDING_USER = "pending_user"
# How long after its end a session's row still says whose it was.
REMEMBERED = timedelta(hours=24)


# With the person and all that a page needs to know of them: every request asks this, and nothing else first.
_rows = Prepared(
    lambda key: (
        PortalSession.objects.select_related("user__organization__branding", "user__domain")
        .filter(pk=key)
        .annotate(now=Now())
    )
)


class SessionStore(SessionBase):
    """Django's session interface on PortalSession. Loading is one query, which tells the limits and the person along
    with the data."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.row: PortalSession | None = None
        self.now: datetime | None = None
        self.organization_slug = ""
        self.browser = ""
        # Who was logged in, if this is the cookie of a session whose time has run out.
        self.ended_user_id: uuid.UUID | None = None

    def load(self) -> dict[str, Any]:
        found = next(iter(_rows(key=row_key(self.session_key))), None)
        # Known even when the session is over, so that its owner is sent to their own log-in page.
        organization = found.user.organization if found and found.user else None
        self.organization_slug = organization.slug if organization else ""
        if found is None or not found.is_alive(found.now, idle_limit(organization and organization.idle_minutes)):
            self._session_key = None
            if found and auth.SESSION_KEY in self.decode(found.session_data):
                self.ended_user_id = found.user_id
            return {}
        self.row, self.now = found, found.now
        return self.decode(found.session_data)

    def is_empty(self) -> bool:
        """Django takes an empty session's cookie away. One whose time has run out keeps it: a form that comes late is
        still known to be its owner's."""
        return super().is_empty() and self.ended_user_id is None

    def exists(self, session_key: str) -> bool:
        return PortalSession.objects.filter(pk=row_key(session_key)).exists()

    def create(self) -> None:
        self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """CreateError if the key is taken; UpdateError if the session was ended in the meantime."""
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        values = {"session_data": self.encode(data), "user_id": _user_in(data)}
        if self.browser:
            values["browser"] = self.browser
        if must_create:
            self._insert(values)
        elif not PortalSession.objects.filter(pk=row_key(self.session_key)).update(**values):
            raise UpdateError

    def _insert(self, values: dict[str, Any]) -> None:
        now = moments.now()
        row = PortalSession(
            pk=row_key(self.session_key),
            created_at=now,
            last_seen_at=now,
            expire_date=now + ABSOLUTE_LIFETIME,
            **values,
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            raise CreateError from error

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            PortalSession.objects.filter(pk=row_key(key)).delete()
        if key == self.session_key:
            self.row = None

    def get_expire_at_browser_close(self) -> bool:
        return True

    @classmethod
    def clear_expired(cls) -> None:
        clear_ended()


def store_of(request: HttpRequest) -> SessionStore:
    """The request's session, with what this store knows beyond Django's interface."""
    return cast(SessionStore, request.session)


def clear_ended() -> int:
    """Delete the rows of sessions that have been over for a day; returns how many. Until then a form that comes too
    late is still known to be its owner's (accounts/kept_texts.py)."""
    over = Q(expire_date__lte=Now() - REMEMBERED) | Q(last_seen_at__lte=Now() - LONGEST_IDLE - REMEMBERED)
    return PortalSession.objects.filter(over).delete()[0]


def row_key(session_key: str | None) -> str:
    # 160 bits of a hash of some 165 random ones: as good as the key for finding it, useless for becoming it.
    return hashlib.sha256((session_key or "").encode()).hexdigest()[:40]


def _user_in(data: dict[str, Any]) -> str | None:
    return data.get(auth.SESSION_KEY) or data.get(PENDING_USER)


def idle_limit(organization_minutes: int | None) -> timedelta:
    # None: a session without a user, which Django's messages may make.
    return min(LONGEST_IDLE, timedelta(minutes=organization_minutes)) if organization_minutes else LONGEST_IDLE

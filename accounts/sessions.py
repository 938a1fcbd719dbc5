"""Sessions live on the server, in the table their owner can list and end.

Three limits, all judged by the database's clock: inactivity (60 minutes, an organisation may shorten it), an absolute
lifetime of 12 hours, and the administration console's 15 minutes and 8 hours (accounts/middleware.py asks for those).
The cookie is gone when the browser closes.
"""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from portal import audit, moments
from portal.prepared import Prepared

from .http import browser_name
from .models import PortalSession, User
from .models.session import ABSOLUTE_LIFETIME, CONSOLE_IDLE
from .telling import tell_of_administrator

LONGEST_IDLE = timedelta(minutes=60)
# Whose temporary password was right, in a session in which nobody is logged in (accounts/pending.py).
PENDING_USER = "pending_user"
_SECOND_FACTOR = "second_factor"
# How long after its end a session's row still says whose it was.
REMEMBERED = timedelta(hours=24)
RECORD_EVERY = timedelta(seconds=10)
# Of one person at once; one more ends the one used longest ago. Enough for every device and browser somebody has.
MOST_AT_ONCE = 10


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
        found = next(iter(_rows(key=_row_key(self.session_key))), None)
        # Known even when the session is over, so that its owner is sent to their own log-in page.
        organization = found.user.organization if found and found.user else None
        self.organization_slug = organization.slug if organization else ""
        if found is None or not found.is_alive(found.now, _idle_limit(organization and organization.idle_minutes)):
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
        return PortalSession.objects.filter(pk=_row_key(session_key)).exists()

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
        elif not PortalSession.objects.filter(pk=_row_key(self.session_key)).update(**values):
            raise UpdateError

    def _insert(self, values: dict[str, Any]) -> None:
        now = moments.now()
        row = PortalSession(
            pk=_row_key(self.session_key),
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
            PortalSession.objects.filter(pk=_row_key(key)).delete()
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


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Who is logged in, with organisation and domain: what Django's `get_user` answers, from the row that the session
    itself was. Fetched anew on every request, so whoever is switched off is out on the next one."""
    row = store_of(request).row if request.session.session_key and auth.SESSION_KEY in request.session else None
    user = row.user if row else None
    if user is None or request.session[auth.SESSION_KEY] != str(user.pk) or not user.may_log_on:
        return AnonymousUser()
    # A password that was changed meanwhile ends the session, whatever else failed to.
    kept = request.session.get(auth.HASH_SESSION_KEY, "")
    if constant_time_compare(kept, user.get_session_auth_hash()):
        return user
    if any(constant_time_compare(kept, earlier) for earlier in user.get_session_auth_fallback_hash()):
        request.session.cycle_key()  # the installation's secret key was replaced
        request.session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
        return user
    request.session.flush()
    return AnonymousUser()


def _row_key(session_key: str | None) -> str:
    # 160 bits of a hash of some 165 random ones: as good as the key for finding it, useless for becoming it.
    return hashlib.sha256((session_key or "").encode()).hexdigest()[:40]


def _user_in(data: dict[str, Any]) -> str | None:
    return data.get(auth.SESSION_KEY) or data.get(PENDING_USER)


def _idle_limit(organization_minutes: int | None) -> timedelta:
    # None: a session without a user, which Django's messages may make.
    return min(LONGEST_IDLE, timedelta(minutes=organization_minutes)) if organization_minutes else LONGEST_IDLE


# --- Beginning and ending ------------------------------------------------------------------------------------


def start(request: HttpRequest, user: User, *, second_factor: bool = False) -> None:
    """Log the person in: a session of their own under a new key; what this browser held before is over."""
    _start_afresh(request)
    auth.login(request, user)
    if second_factor:
        note_second_factor(request)
    _end_those_too_many(user, keep=request.session.session_key)


def _end_those_too_many(user: User, *, keep: str | None) -> None:
    others = PortalSession.objects.filter(user=user).exclude(pk=_row_key(keep)).order_by("-last_seen_at")
    too_many = list(others.values_list("pk", flat=True)[MOST_AT_ONCE - 1 :])
    if not too_many:
        return
    with transaction.atomic():
        ended = PortalSession.objects.filter(pk__in=too_many).delete()[0]
        audit.record(user.organization, "sessions.ended_as_too_many", actor=user, about=user.pk, number=ended)


def renew_key(request: HttpRequest) -> None:
    """The same session under a new key, now that it may do more."""
    store_of(request).browser = browser_name(request)
    request.session.cycle_key()


def note_second_factor(request: HttpRequest) -> None:
    """Whoever has this session has shown their second factor."""
    request.session[_SECOND_FACTOR] = True


def has_second_factor(request: HttpRequest) -> bool:
    return request.session.get(_SECOND_FACTOR, False)


def start_pending(request: HttpRequest, user: User, marker: dict[str, Any]) -> None:
    """Remember under a new key who has given the first of what it takes. Nobody is logged in by it."""
    _start_afresh(request)
    request.session[PENDING_USER] = str(user.pk)
    request.session.update(marker)


def _start_afresh(request: HttpRequest) -> None:
    request.session.flush()
    store_of(request).browser = browser_name(request)


def end(request: HttpRequest) -> None:
    """Log this browser out."""
    user = request.user
    with transaction.atomic():
        if user.is_authenticated:
            audit.record(user.organization, "session.ended", actor=user, about=user.pk)
        auth.logout(request)


def end_sessions(user: User, *, keep: str | None = None) -> int:
    """End the person's sessions, pending ones included, save the one of this session key; returns how many."""
    sessions = PortalSession.objects.filter(user=user)
    if keep:
        sessions = sessions.exclude(pk=_row_key(keep))
    return sessions.delete()[0]


def end_all(*, actor: User, user: User) -> int:
    """An administrator throws a person out everywhere; returns how many sessions there were."""
    with transaction.atomic():
        ended = end_sessions(user)
        event = audit.record(user.organization, "sessions.ended", actor=actor, about=user.pk, number=ended)
        tell_of_administrator(user, event)
    return ended


def record_activity(row: PortalSession, now: datetime) -> None:
    """Note that its owner is here, at most every ten seconds; a pause too long for the console is noted with it."""
    if now - row.last_seen_at < RECORD_EVERY:
        return
    values: dict[str, Any] = {"last_seen_at": now}
    if row.paused_at is None and now - row.last_seen_at >= CONSOLE_IDLE:
        values["paused_at"] = now
    # A slower request that read the row earlier must not turn the clock back.
    PortalSession.objects.filter(pk=row.pk, last_seen_at__lt=now).update(**values)
    row.last_seen_at = now


def clear_ended() -> int:
    """Delete the rows of sessions that have been over for a day; returns how many. Until then a form that comes too
    late is still known to be its owner's (accounts/kept_texts.py)."""
    over = Q(expire_date__lte=Now() - REMEMBERED) | Q(last_seen_at__lte=Now() - LONGEST_IDLE - REMEMBERED)
    return PortalSession.objects.filter(over).delete()[0]


# --- What their owner sees ------------------------------------------------------------------------------------


def open_sessions(user: User) -> list[PortalSession]:
    """The person's sessions that are alive, the one used last first."""
    idle = _idle_limit(user.organization.idle_minutes)
    alive = PortalSession.objects.filter(user=user, expire_date__gt=Now(), last_seen_at__gt=Now() - idle)
    return list(alive.order_by("-last_seen_at"))


def is_current(request: HttpRequest, row: PortalSession) -> bool:
    return row.pk == _row_key(request.session.session_key)


def end_one(*, user: User, key: str) -> bool:
    """The person ends one of their own sessions, by the key of its row; False: there is none."""
    with transaction.atomic():
        ended = PortalSession.objects.filter(user=user, pk=key).delete()[0]
        if ended:
            audit.record(user.organization, "session.ended", actor=user, about=user.pk)
    return bool(ended)


def end_others(request: HttpRequest, user: User) -> int:
    """The person ends all of their own sessions but this one; returns how many."""
    with transaction.atomic():
        ended = end_sessions(user, keep=request.session.session_key)
        audit.record(user.organization, "sessions.ended", actor=user, about=user.pk, number=ended)
    return ended


def seconds_left(request: HttpRequest) -> int | None:
    """How long this session lasts if nothing more happens; None if nobody is logged in."""
    store = store_of(request)
    if store.row is None or store.now is None or not request.user.is_authenticated:
        return None
    idle = _idle_limit(request.user.organization.idle_minutes)
    return max(0, int((min(store.row.last_seen_at + idle, store.row.expire_date) - store.now).total_seconds()))

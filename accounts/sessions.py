"""What is done to sessions: begun and ended, by their owners and by administrators, and listed. The table they lie in,
and their limits, are session_store.py's.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from portal import audit

from .http import browser_name
from .models import PortalSession, User
from .models.session import CONSOLE_IDLE
from .session_store import PENDING_USER, idle_limit, row_key, store_of
from .telling import tell_of_administrator

_SECOND_FACTOR = "second_factor"
RECORD_EVERY = timedelta(seconds=10)
# Of one person at once; one more ends the one used longest ago. Enough for every device and browser somebody has.
MOST_AT_ONCE = 10


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


# --- Beginning and ending ------------------------------------------------------------------------------------


def start(request: HttpRequest, user: User, *, second_factor: bool = False) -> None:
    """Log the person in: a session of their own under a new key; what this browser held before is over."""
    _start_afresh(request)
    auth.login(request, user)
    if second_factor:
        note_second_factor(request)
    _end_those_too_many(user, keep=request.session.session_key)


def _end_those_too_many(user: User, *, keep: str | None) -> None:
    others = PortalSession.objects.filter(user=user).exclude(pk=row_key(keep)).order_by("-last_seen_at")
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
        sessions = sessions.exclude(pk=row_key(keep))
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


# --- What their owner sees ------------------------------------------------------------------------------------


def open_sessions(user: User) -> list[PortalSession]:
    """The person's sessions that are alive, the one used last first."""
    idle = idle_limit(user.organization.idle_minutes)
    alive = PortalSession.objects.filter(user=user, expire_date__gt=Now(), last_seen_at__gt=Now() - idle)
    return list(alive.order_by("-last_seen_at"))


def is_current(request: HttpRequest, row: PortalSession) -> bool:
    return row.pk == row_key(request.session.session_key)


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
    idle = idle_limit(request.user.organization.idle_minutes)
    return max(0, int((min(store.row.last_seen_at + idle, store.row.expire_date) - store.now).total_seconds()))

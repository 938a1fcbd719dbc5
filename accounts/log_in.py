"""Logging in, apart from HTTP: one try of an address and a password at one organisation.

Whoever is refused must not learn why, not even from the clock. So every try takes the same road: written down,
reserved against the limits, one password hash, one comparison with a temporary password, one transaction that says
what came of it. Where there is nothing to compare with, a dummy stands in.
"""

import logging
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from portal import audit, moments
from portal.models import Organization

from . import credentials, expired_passwords, known_browsers, password_rules, second_factor, throttling
from .models import Credential, KnownBrowser, LogInAttempt, User
from .telling import tell
from .visit import Visit

logger = logging.getLogger(__name__)

Cause = LogInAttempt.Cause
# Read aloud over the telephone: no vowels, so no words; no letter that is easily taken for another or for a digit.
_REFERENCE_LETTERS = "BCDFGHJKMNPQRSTVWXZ"
_REFERENCE_LENGTH = 8
_NOBODY = uuid.UUID(int=0)
_NO_PASSWORD = "!"  # noqa: S105  what Django hashes a dummy for


@dataclass(frozen=True)
class Outcome:
    """What came of a try. user: only when the password was right and the person may come in. credential_id: the
    temporary password that was given; None with cause TEMPORARY means one that an administrator set. expired: why a
    right password lets nobody in any more."""

    cause: str
    reference: str
    user: User | None = None
    credential_id: uuid.UUID | None = None
    expired: expired_passwords.Reason | None = None


@dataclass
class _Account:
    """What is known about the address, if anything."""

    user: User | None
    credential: Credential | None
    # What guesses count against: the browser in use if its owner has logged in with it before, else the user.
    counted: QuerySet[User] | QuerySet[KnownBrowser]


def log_in(organization: Organization, address: str, password: str, *, visit: Visit) -> Outcome:
    """Try this (normalised) address and password. throttling.TooManyFromNetwork before anything is compared."""
    attempt = _write_down(organization, address, visit)
    if throttling.network_is_over_its_limit(attempt):
        attempt.delete()  # only those let through fill the minute
        logger.warning("log-in refused: network %s is over its limit", attempt.limited_as)
        raise throttling.TooManyFromNetwork
    account = _look_up(attempt, visit)
    reserved = _reserve(attempt, account)
    right_password = _compare(account.user, password) if reserved else _compare(None, password)
    right_credential = credentials.matches(account.credential, password)
    return _conclude(attempt, account, password, reserved, right_password, right_credential)


def _write_down(organization: Organization, address: str, visit: Visit) -> LogInAttempt:
    attempt = LogInAttempt(
        organization=organization,
        address=address,
        at=moments.now(),
        cause=Cause.STARTED,
        url=visit.url[:300],
        browser=visit.browser,
        network=visit.network,
        limited_as=throttling.limited_as(visit.network),
    )
    while True:
        attempt.reference = "".join(secrets.choice(_REFERENCE_LETTERS) for _ in range(_REFERENCE_LENGTH))
        try:
            with transaction.atomic():
                attempt.save(force_insert=True)
        except IntegrityError:
            if not LogInAttempt.objects.filter(reference=attempt.reference).exists():
                raise
        else:
            return attempt


def _look_up(attempt: LogInAttempt, visit: Visit) -> _Account:
    user = (
        User.objects.select_related("organization", "domain")
        .filter(organization=attempt.organization, address=attempt.address)
        .first()
    )
    credential = credentials.current(user.pk if user else _NOBODY)
    browsers = known_browsers.known(user, visit.browser_token)
    if browsers.exists():
        return _Account(user, credential, browsers)
    return _Account(user, credential, User.objects.filter(pk=user.pk if user else _NOBODY))


def _reserve(attempt: LogInAttempt, account: _Account) -> bool:
    """Whether the password may be compared. Where nobody could log in, nothing is counted."""
    user = account.user
    may_compare = user is not None and user.may_log_on and user.has_usable_password()
    with transaction.atomic():
        # The second write makes a commit that counts and one that does not cost the same.
        reserved = throttling.reserve_guess(account.counted if may_compare else User.objects.filter(pk=_NOBODY))
        LogInAttempt.objects.filter(pk=attempt.pk).update(user=user)
    return reserved


def _compare(user: User | None, password: str) -> bool:
    """One password hash, whoever it is and however long the text."""
    password = password_rules.normalize(password)
    if user is None or len(password) > password_rules.MAX_LENGTH:
        return check_password("", _NO_PASSWORD)
    return check_password(password, user.password, lambda raw: _rehash(user, raw))


def _rehash(user: User, password: str) -> None:
    """Bring the hash up to parameters that have risen since, unless the password has just been changed."""
    hashed = make_password(password)
    if User.objects.filter(pk=user.pk, password=user.password).update(password=hashed):
        user.password = hashed


# --- What came of it ------------------------------------------------------------------------------------------


def _conclude(
    attempt: LogInAttempt,
    account: _Account,
    password: str,
    reserved: bool,
    right_password: bool,
    right_credential: bool,
) -> Outcome:
    user, credential = account.user, account.credential
    with transaction.atomic():
        now = moments.now()
        cause = _cause(account, reserved, right_password, right_credential, now)
        expired = None
        if user and cause == Cause.SUCCESS:
            expired = expired_passwords.reason(user, password_rules.normalize(password), now)
            cause = Cause.EXPIRED if expired else _cause_inside(user)
        LogInAttempt.objects.filter(pk=attempt.pk).update(cause=cause)
        if expired:
            throttling.forgive(account.counted)
        if user is None or cause not in (Cause.SUCCESS, Cause.SECOND_FACTOR, Cause.TEMPORARY):
            about = user.pk if user else None
            audit.record(attempt.organization, "log_in.failed", about=about, cause=cause, reference=attempt.reference)
            return Outcome(cause, attempt.reference, expired=expired)
        if reserved:
            throttling.forgive(account.counted)
        if cause == Cause.SUCCESS:
            # Known browsers have a count of their own.
            unknown = attempt.browser if account.counted.model is User else ""
            let_in(user, browser=unknown, reference=attempt.reference)
            return Outcome(cause, attempt.reference, user)
        accepted = "log_in.temporary_accepted" if cause == Cause.TEMPORARY else "log_in.password_accepted"
        audit.record(attempt.organization, accepted, actor=user, about=user.pk, reference=attempt.reference)
    return Outcome(cause, attempt.reference, user, credential.pk if credential and right_credential else None)


def _cause_inside(user: User) -> LogInAttempt.Cause:
    return Cause.SECOND_FACTOR if second_factor.is_enrolled(user) else Cause.SUCCESS


def let_in(user: User, *, browser: str = "", **details: str) -> None:
    """Note, in the caller's transaction, that the person is inside from now on.

    browser: what it calls itself, if the person has never logged in with it before; they are told by mail."""
    if browser and user.first_logged_in_at:
        event = audit.record(user.organization, "log_in.from_new_browser", actor=user, about=user.pk, browser=browser)
        tell("new_browser", user, event, about=event.pk)
    now = moments.now()
    User.objects.filter(pk=user.pk).update(first_logged_in_at=Coalesce("first_logged_in_at", now), last_login=now)
    audit.record(user.organization, "log_in.succeeded", actor=user, about=user.pk, **details)


def _cause(
    account: _Account, reserved: bool, right_password: bool, right_credential: bool, now: datetime
) -> LogInAttempt.Cause:
    user, credential = account.user, account.credential
    if user is None:
        return Cause.UNKNOWN
    if not user.may_log_on:
        return Cause.NOT_ALLOWED if user.is_active else Cause.DISABLED
    if credential and right_credential:
        return Cause.TEMPORARY if credential.is_open(now) else Cause.CREDENTIAL_EXPIRED
    if not user.has_usable_password():
        return Cause.NO_PASSWORD
    if not reserved:
        return Cause.LOCKED if user.failures >= throttling.MOST_FAILURES else Cause.DELAYED
    if not right_password:
        return Cause.WRONG
    if user.temporary_until is None:
        return Cause.SUCCESS
    return Cause.TEMPORARY if now < user.temporary_until else Cause.CREDENTIAL_EXPIRED

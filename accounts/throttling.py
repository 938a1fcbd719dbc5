"""Limits on guessing, kept in the database: they hold under parallel tries, and no flushed cache forgets them.

A guess is reserved before it is hashed, by one conditional UPDATE, so of many in one moment only as many are compared
as the limit leaves. Strangers to an account share its count; a browser in which its owner has logged in before has a
count of its own, so that a stranger cannot lock the owner out. A temporary password is not held back: its 80 bits
are out of any guesser's reach, and so there is always a way back in.
"""

import ipaddress
from datetime import timedelta

from django.db import transaction
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value, When
from django.db.models.functions import Now

from portal import audit, moments

from .models import KnownBrowser, LogInAttempt, MailRequest, SecondFactor, User
from .telling import tell, tell_of_administrator

Counted = QuerySet[User] | QuerySet[KnownBrowser] | QuerySet[SecondFactor]

# From this failure on, each is followed by a delay: 30 seconds, doubling to an hour.
FIRST_DELAYED_FAILURE = 5
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
# After so many in a row, the password is not compared any more: not from strangers until it is set anew, and a known
# browser becomes a stranger.
MOST_FAILURES = 100
NETWORK_ATTEMPTS = 30
NETWORK_PERIOD = timedelta(minutes=1)


class TooManyFromNetwork(Exception):
    """The visitor's network has used up its attempts for this minute."""


def delay_after(failure: int) -> timedelta:
    """How long the next guess has to wait after the n-th failure in a row."""
    if failure < FIRST_DELAYED_FAILURE:
        return timedelta(0)
    return min(FIRST_DELAY * 2 ** min(failure - FIRST_DELAYED_FAILURE, 32), LONGEST_DELAY)


def reserve_guess(counted: Counted) -> bool:
    """Count a guess against this row as a failure, before it is compared; False: it may not be compared.

    A right guess takes it back with `forgive`."""
    allowed = Q(next_try_at__isnull=True) | Q(next_try_at__lte=Now())
    return bool(
        counted.filter(allowed, failures__lt=MOST_FAILURES).update(
            failures=F("failures") + 1, next_try_at=_next_try_at()
        )
    )


def _next_try_at() -> Case:
    steps, failure = [], FIRST_DELAYED_FAILURE
    while delay_after(failure) < LONGEST_DELAY:
        # The column still holds the number before this guess.
        steps.append(When(failures=failure - 1, then=_in(delay_after(failure))))
        failure += 1
    steps.append(When(failures__gte=failure - 1, then=_in(LONGEST_DELAY)))
    return Case(*steps, default=Value(None), output_field=DateTimeField())


def _in(delay: timedelta) -> ExpressionWrapper:
    return ExpressionWrapper(Now() + delay, output_field=DateTimeField())


def forgive(counted: Counted) -> None:
    """Start counting anew."""
    counted.update(failures=0, next_try_at=None)


def tell_the_locked() -> int:
    """Mail everybody whose password is not accepted from strangers any more, once per lock; returns how many. The clock
    does it: the guess that locks an account must cost what any other does."""
    told = 0
    locked = User.objects.filter(failures__gte=MOST_FAILURES, lock_told_at__isnull=True, disabled_at__isnull=True)
    for user in locked.select_related("organization")[:100]:
        with transaction.atomic():
            if not User.objects.filter(pk=user.pk, lock_told_at__isnull=True).update(lock_told_at=moments.now()):
                continue
            event = audit.record(user.organization, "user.locked", about=user.pk)
            tell("account_locked", user, event)
            told += 1
    return told


def clear_lock(*, actor: User, user: User) -> None:
    """An administrator lets the person try again at once."""
    with transaction.atomic():
        forgive(User.objects.filter(pk=user.pk))
        User.objects.filter(pk=user.pk).update(lock_told_at=None)
        forgive(KnownBrowser.objects.filter(user=user))
        forgive(SecondFactor.objects.filter(user=user))
        event = audit.record(user.organization, "user.lock_cleared", actor=actor, about=user.pk)
        tell_of_administrator(user, event)
    user.failures, user.next_try_at = 0, None


def limited_as(network: str | None) -> str:
    """IPv6 networks are handed out by the /64: whoever has one address there has them all."""
    if network is None:
        return "unknown"
    address = ipaddress.ip_address(network)
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def network_is_over_its_limit(attempt: LogInAttempt | MailRequest) -> bool:
    """Whether this attempt is one too many for its network. It is written and committed before it is counted, so
    that of any number in one moment only as many pass as the limit allows. What was written while the database's clock
    was ahead shuts nobody out until that moment comes."""
    about_now = {"at__gt": Now() - NETWORK_PERIOD, "at__lt": Now() + NETWORK_PERIOD}
    recent = type(attempt)._default_manager.filter(limited_as=attempt.limited_as, **about_now)
    return recent.count() > NETWORK_ATTEMPTS

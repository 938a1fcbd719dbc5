"""The second factor: an authenticator app or a passkey, and recovery codes for the day both are gone.

A code is judged under the lock of the person's SecondFactor row, so the same one given twice in one moment is accepted
once. Guesses are counted before they are compared, as passwords are. What an app shows is in authenticator_apps.py,
what a browser answers in passkeys.py.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from portal import audit, moments

from . import authenticator_apps, credentials, sessions, throttling
from .models import Passkey, RecoveryCode, SecondFactor, TotpDevice, User
from .telling import tell, tell_of_administrator

RECOVERY_CODES = 10
REMOVAL_DELAY = timedelta(hours=24)
_CODE_BYTES = 10


def is_enrolled(user: User) -> bool:
    """Whether one is asked for when the person logs in. A removal whose time has come has happened."""
    remove_if_due(user)
    return TotpDevice.objects.filter(user=user, confirmed=True).exists() or Passkey.objects.filter(user=user).exists()


# --- Judging ----------------------------------------------------------------------------------------------------


def verify_code(user: User, typed: str) -> bool:
    """A code of the app, or a recovery code, which is used up by it."""
    letters = "".join(typed.split()).replace("-", "")
    judge = _is_right_totp if letters.isascii() and letters.isdigit() and len(letters) == 6 else _use_recovery_code
    return _judged(user, lambda now: judge(user, letters, now))


def _judged(user: User, judge: Callable[[datetime], bool]) -> bool:
    SecondFactor.objects.get_or_create(user=user)
    # Counted in a transaction of its own: what is refused afterwards must not take the count back.
    with transaction.atomic():
        reserved = throttling.reserve_guess(SecondFactor.objects.filter(user=user))
    if not reserved:
        return False
    with transaction.atomic():
        counted = SecondFactor.objects.select_for_update().get(user=user)
        right = judge(moments.now())
        if right:
            # Whoever still has the factor needs no removal of it.
            SecondFactor.objects.filter(user=user).update(failures=0, next_try_at=None, removal_due_at=None)
        audit.record(
            user.organization, f"second_factor.{'accepted' if right else 'refused'}", actor=user, about=user.pk
        )
        if not right and counted.failures >= throttling.MOST_FAILURES:
            # Whoever guesses here has the password.
            tell("second_factor_locked", user, audit.record(user.organization, "second_factor.locked", about=user.pk))
    return right


def is_locked(user: User) -> bool:
    """After too many wrong ones in a row none is accepted, until an administrator clears it."""
    return SecondFactor.objects.filter(user=user, failures__gte=throttling.MOST_FAILURES).exists()


def _is_right_totp(user: User, code: str, now: datetime) -> bool:
    device = TotpDevice.objects.filter(user=user, confirmed=True).first()
    if device is None:
        return False
    step = authenticator_apps.matching_step(authenticator_apps.seed_of(device), code, now)
    # One conditional UPDATE beside the lock: SQLite knows no row locks.
    return step is not None and bool(TotpDevice.objects.filter(pk=device.pk, last_step__lt=step).update(last_step=step))


def _use_recovery_code(user: User, code: str, now: datetime) -> bool:
    unused = RecoveryCode.objects.filter(user=user, digest=credentials.digest(code), used_at__isnull=True)
    return bool(unused.update(used_at=now))


def verified_by_passkey(user: User, passkey: Passkey, sign_count: int) -> bool:
    """A passkey has answered the challenge; a counter that went back may mean a copied key, and is refused."""

    def judge(now: datetime) -> bool:
        if sign_count and sign_count <= passkey.sign_count:
            audit.record(user.organization, "second_factor.counter_went_back", actor=user, about=user.pk)
            return False
        Passkey.objects.filter(pk=passkey.pk).update(sign_count=sign_count, last_used_at=now)
        return True

    return _judged(user, judge)


# --- Enrolling --------------------------------------------------------------------------------------------------


def add_app(user: User, seed: bytes, typed: str, *, keep: str | None) -> list[str] | None:
    """The app has shown its first code: it is the person's from now on, in place of an older one. Recovery codes to be
    shown once ([] if the person has unused ones), or None: not the code. Other sessions end."""
    step = authenticator_apps.matching_step(seed, "".join(typed.split()), moments.now())
    if step is None:
        return None
    SecondFactor.objects.get_or_create(user=user)
    with transaction.atomic():
        SecondFactor.objects.select_for_update().get(user=user)
        TotpDevice.objects.filter(user=user).delete()
        sealed = authenticator_apps.sealed_seed(user, seed)
        TotpDevice.objects.create(user=user, name="app", sealed_seed=sealed, last_step=step)
        return _changed(user, "app_added", keep=keep)


def add_passkey(user: User, *, name: str, keep: str | None, **values: Any) -> list[str]:
    """As `add_app`, for a passkey whose answer has been verified."""
    with transaction.atomic():
        Passkey.objects.create(user=user, name=name[:64], confirmed=True, **values)
        return _changed(user, "passkey_added", keep=keep)


def new_recovery_codes(user: User) -> list[str]:
    """Ten fresh ones, to be shown once; the older ones end."""
    with transaction.atomic():
        codes = _make_recovery_codes(user)
        _tell(user, "codes_made")
    return codes


def remove(user: User, *, passkey: int | None = None, keep: str | None) -> None:
    """Take away a passkey, or the app. Other sessions end."""
    with transaction.atomic():
        if passkey is None:
            TotpDevice.objects.filter(user=user).delete()
        else:
            Passkey.objects.filter(user=user, pk=passkey).delete()
        if not is_enrolled(user):
            RecoveryCode.objects.filter(user=user).delete()
        sessions.end_sessions(user, keep=keep)
        _tell(user, "removed")


def is_last(user: User, *, passkey: int | None) -> bool:
    """Whether nothing is left once that passkey (None: the app) is gone."""
    others = Passkey.objects.filter(user=user).exclude(pk=passkey)
    return not (others.exists() or (passkey and TotpDevice.objects.filter(user=user, confirmed=True).exists()))


def _changed(user: User, what: str, *, keep: str | None) -> list[str]:
    SecondFactor.objects.get_or_create(user=user)
    unused = RecoveryCode.objects.filter(user=user, used_at__isnull=True).exists()
    codes = [] if unused else _make_recovery_codes(user)
    sessions.end_sessions(user, keep=keep)
    _tell(user, what)
    return codes


def _make_recovery_codes(user: User) -> list[str]:
    codes = [credentials.spelled(secrets.token_bytes(_CODE_BYTES)) for _number in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=credentials.digest(code)) for code in codes)
    return codes


def _tell(user: User, what: str) -> None:
    """The audit log, and the person by mail: it may not have been them."""
    event = audit.record(user.organization, f"second_factor.{what}", actor=user, about=user.pk)
    tell("second_factor_changed", user, event)


# --- Lost -------------------------------------------------------------------------------------------------------


def order_removal(*, actor: User, user: User) -> None:
    """An administrator, who has made sure who is asking, has everything taken away in 24 hours. The person is told at
    once; a code given meanwhile calls it off."""
    with transaction.atomic():
        SecondFactor.objects.get_or_create(user=user)
        due = moments.now() + REMOVAL_DELAY
        SecondFactor.objects.filter(user=user).update(removal_due_at=due)
        event = audit.record(user.organization, "second_factor.removal_ordered", actor=actor, about=user.pk)
        tell("second_factor_removal", user, event)


def removal_due_at(user: User) -> datetime | None:
    return SecondFactor.objects.filter(user=user).values_list("removal_due_at", flat=True).first()


def cancel_removal(*, actor: User, user: User) -> None:
    with transaction.atomic():
        if SecondFactor.objects.filter(user=user, removal_due_at__isnull=False).update(removal_due_at=None):
            event = audit.record(user.organization, "second_factor.removal_cancelled", actor=actor, about=user.pk)
            tell_of_administrator(user, event)


def remove_if_due(user: User) -> bool:
    """Judged when it is asked for: no worker has to have run."""
    if not SecondFactor.objects.filter(user=user, removal_due_at__lte=Now()).exists():
        return False
    with transaction.atomic():
        if not SecondFactor.objects.filter(user=user, removal_due_at__lte=Now()).update(removal_due_at=None):
            return False
        for model in (TotpDevice, Passkey, RecoveryCode):
            model._default_manager.filter(user=user).delete()
        sessions.end_sessions(user)
        _tell(user, "removed_after_loss")
    return True

"""The verbs that set a password. What one must be is in password_rules.py."""

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest

from portal import audit, moments

from . import credentials, log_in, password_rules, sessions
from .models import Credential, OldPassword, User
from .telling import tell

# How long a password set by an administrator lasts.
TEMPORARY_LIFETIME = timedelta(hours=24)


def set_own_password(user: User, password: str) -> None:
    """Give the person a password of their own; whatever was temporary ends. ValidationError if it breaks a rule.

    In the caller's transaction; sessions and audit are the caller's matter."""
    password_rules.validate(password, user)
    _store(user, _hashed(password), password_set_at=moments.now(), temporary_until=None)


def set_temporary_password(*, actor: User, user: User, password: str) -> None:
    """An administrator sets a password, to be told by other means: it opens only the page where a new one is set,
    for 24 hours. Sessions end, the person is told by mail. ValidationError if it breaks a rule."""
    password_rules.validate(password, user)
    hashed = _hashed(password)
    with transaction.atomic():
        _store(user, hashed, temporary_until=moments.now() + TEMPORARY_LIFETIME)
        sessions.end_sessions(user)
        event = audit.record(user.organization, "password.set_by_administrator", actor=actor, about=user.pk)
        tell("password_set_by_administrator", user, event)


def replace_temporary(*, user: User, credential_id: uuid.UUID | None, password: str) -> None:
    """The person sets a password of their own by the temporary one they gave, which is used up by it.

    credential_id: None for a password that an administrator set. Of any number who try at once, one succeeds; the
    others get credentials.CredentialGone. Every session of the person ends; the caller starts one."""
    password_rules.validate(password, user)
    hashed = _hashed(password)
    with transaction.atomic():
        _use_up_temporary(user, credential_id)
        _store(user, hashed, password_set_at=moments.now(), temporary_until=None)
        sessions.end_sessions(user)
        event = audit.record(user.organization, "password.set", actor=user, about=user.pk)
        log_in.let_in(user)
        tell("password_changed", user, event)


def change(*, request: HttpRequest, user: User, password: str) -> None:
    """The person, who has just given the current password, sets another. Their other sessions end, and this one goes
    on under a new key. ValidationError if it breaks a rule."""
    password_rules.validate(password, user)
    hashed = _hashed(password)
    shown = sessions.has_second_factor(request)
    with transaction.atomic():
        _store(user, hashed, password_set_at=moments.now(), temporary_until=None)
        sessions.end_sessions(user)
        event = audit.record(user.organization, "password.set", actor=user, about=user.pk)
        tell("password_changed", user, event)
        sessions.start(request, user, second_factor=shown)


def is_the_temporary_one(user: User, credential_id: uuid.UUID | None, password: str) -> bool:
    """Whether the new password is the temporary one over again."""
    if credential_id is None:
        return check_password(password_rules.normalize(password), user.password)
    return credentials.matches(Credential.objects.filter(pk=credential_id).first(), password)


def _use_up_temporary(user: User, credential_id: uuid.UUID | None) -> None:
    if credential_id is not None:
        credentials.consume(credential_id, user)
        return
    # The hash as well: it may have been set anew since this person gave it.
    still_good = User.objects.filter(pk=user.pk, password=user.password, temporary_until__gt=Now())
    if not still_good.update(temporary_until=None):
        raise credentials.CredentialGone


def _hashed(password: str) -> str:
    # Before the transaction begins: hashing takes a tenth of a second, in which nobody should wait for a lock.
    return make_password(password_rules.normalize(password))


def _store(user: User, hashed: str, **values: Any) -> None:
    """Write the hash; failures that were counted against the old password and open credentials end with it."""
    _keep_old_hash(user)
    values |= {"password": hashed, "failures": 0, "next_try_at": None, "lock_told_at": None, "change_ordered_at": None}
    User.objects.filter(pk=user.pk).update(**values)
    credentials.withdraw(user)
    for name, value in values.items():
        setattr(user, name, value)


def _keep_old_hash(user: User) -> None:
    """Where the organisation forbids to use old passwords again: as many as it forbids, and no more."""
    number = user.organization.password_history
    if not (number and user.has_own_password):
        return
    OldPassword.objects.create(user=user, password=user.password)
    kept = OldPassword.objects.filter(user=user).order_by("-id").values_list("pk", flat=True)[:number]
    OldPassword.objects.filter(user=user).exclude(pk__in=list(kept)).delete()

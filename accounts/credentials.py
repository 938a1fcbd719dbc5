"""Temporary passwords: secrets that open the page where a new password is set, once, and nothing else.

One is 80 bits, derived from its row's id under a leaf key: the worker that renders the mail derives the same one at
every try, and neither a row nor a queue nor a log ever holds it. The row keeps a hash to compare with.
"""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now

from portal import audit, keyring, moments, outbox
from portal.models import Organization, OutgoingMail

from .correspondents import Correspondent
from .models import Credential, User
from .telling import tell

ADMINISTRATOR_LIFETIME = timedelta(hours=24)
RESET_LIFETIME = timedelta(minutes=60)
# A credential that lasts at least so long is mailed once more instead of a new one: whoever asks twice may use either
# mail, and a stranger who asks for a reset takes nothing away.
_STILL_WORTH_MAILING = timedelta(minutes=30)
_BYTES = 10
_LINK_BYTES = 16
_LETTERS = 16
_GROUP = 4
# Crockford's base 32: no I, L, O or U; what is easily taken for another character is read as that one.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011")


class CredentialGone(Exception):
    """The credential has been used, withdrawn or has run out."""


# --- The secret -----------------------------------------------------------------------------------------------


def temporary_password(credential_id: uuid.UUID, key: bytes | None = None) -> str:
    """The secret as it is shown: four groups of four, as in 7K3M-Q9TX-2BWF-HJ4N.

    key: the leaf key, where many are derived at once."""
    key = key or keyring.leaf_key("credentials")
    return spelled(hmac.digest(key, credential_id.bytes, "sha256")[:_BYTES])


def spelled(secret: bytes) -> str:
    """80 bits as people type them."""
    number = int.from_bytes(secret, "big")
    letters = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LETTERS)))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LETTERS, _GROUP))


def link_token(credential_id: uuid.UUID, key: bytes | None = None) -> str:
    """The same credential as it stands in a mailed link: 128 bits of its own beside the id, nothing to type."""
    key = key or keyring.leaf_key("credentials")
    return base64.urlsafe_b64encode(credential_id.bytes + _link_secret(credential_id, key)).decode().rstrip("=")


def _link_secret(credential_id: uuid.UUID, key: bytes) -> bytes:
    return hmac.digest(key, b"link" + credential_id.bytes, "sha256")[:_LINK_BYTES]


def by_link(token: str) -> Credential | None:
    """The credential whose link this is, whether it still works or not."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        credential_id = uuid.UUID(bytes=raw[:16])
    except ValueError:
        return None
    if not hmac.compare_digest(raw[16:], _link_secret(credential_id, keyring.leaf_key("credentials"))):
        return None
    return Credential.objects.select_related("user__organization").filter(pk=credential_id).first()


def digest(typed: str) -> bytes:
    """The hash of a temporary password as somebody typed it: case, dashes and spaces do not count."""
    letters = "".join(typed.split()).replace("-", "").upper().translate(_READ_AS)
    return hashlib.sha256(letters.encode()).digest()


def matches(credential: Credential | None, typed: str) -> bool:
    """Whether this is the credential's secret. Exactly one comparison, with or without a credential."""
    expected = bytes(credential.digest) if credential else bytes(32)
    return hmac.compare_digest(expected, digest(typed))


# --- Issuing --------------------------------------------------------------------------------------------------


def first_visit_mails(users: Iterable[User | Correspondent], *, due_at: datetime) -> list[OutgoingMail]:
    """A new temporary password, and the unsaved mail that brings it, for each of these users who needs one: may log
    on, never set a password, and holds no temporary one that still lasts. Where the organisation tells first passwords
    by telephone, nobody. In the caller's transaction, six queries."""
    never_set = [user.id for user in users if user.password_set_at is None]
    if not never_set:
        return []
    now = moments.now()
    # Locked, so that two messages sent to a newcomer in one moment bring one temporary password, not two.
    newcomers = (
        User.objects.select_for_update(of=("self",))
        .select_related("organization")
        .filter(pk__in=never_set, password_set_at__isnull=True)
        .exclude(organization__first_visit_mode=Organization.FirstVisit.BY_TELEPHONE)
        .order_by("pk")
    )
    wanting = [user for user in newcomers if user.may_log_on and not _has_temporary_password(user, now)]
    supplied = set(_open(wanting).filter(expires_at__gt=now).values_list("user_id", flat=True))
    wanting = [user for user in wanting if user.pk not in supplied]
    if not wanting:
        return []
    _open(wanting).update(withdrawn_at=now)
    key = keyring.leaf_key("credentials")
    credentials = Credential.objects.bulk_create(
        _new(user, Credential.Purpose.FIRST_VISIT, now, timedelta(hours=user.organization.first_visit_hours), key)
        for user in wanting
    )
    return [_first_visit_mail(credential, due_at) for credential in credentials]


def _has_temporary_password(user: User, now: datetime) -> bool:
    """One that an administrator set and told by other means."""
    return user.temporary_until is not None and user.temporary_until > now


def _first_visit_mail(credential: Credential, due_at: datetime) -> OutgoingMail:
    return outbox.new_mail(
        organization=credential.user.organization,
        kind="password_notification",
        about=credential.pk,
        to_address=credential.user.address,
        dedupe_key=f"password_notification:{credential.pk}",
        due_at=due_at,
        not_after=credential.expires_at,
    )


def for_reset(user: User) -> Credential:
    """What a reset's mail brings. In the caller's transaction, which holds the person's row. The password they have
    goes on working until a new one is set."""
    now = moments.now()
    credential = current(user.pk)
    if credential and credential.expires_at >= now + _STILL_WORTH_MAILING:
        return credential
    withdraw(user)
    credential = _new(user, Credential.Purpose.RESET, now, RESET_LIFETIME, keyring.leaf_key("credentials"))
    credential.save(force_insert=True)
    return credential


def issue(*, actor: User, user: User) -> str:
    """A temporary password for an administrator to pass on: returned once, to be shown once. The older one ends; the
    person is told that there is one."""
    with transaction.atomic():
        now = moments.now()
        User.objects.select_for_update().get(pk=user.pk)
        withdraw(user)
        key = keyring.leaf_key("credentials")
        credential = _new(user, Credential.Purpose.ADMINISTRATOR, now, ADMINISTRATOR_LIFETIME, key)
        credential.save(force_insert=True)
        event = audit.record(user.organization, "credential.issued", actor=actor, about=user.pk)
        if actor != user:
            tell("password_issued", user, event)
    return temporary_password(credential.pk, key)


def _new(user: User, purpose: str, now: datetime, lifetime: timedelta, key: bytes) -> Credential:
    credential = Credential(user=user, purpose=purpose, expires_at=now + lifetime)
    credential.digest = digest(temporary_password(credential.pk, key))
    return credential


# --- Ending ---------------------------------------------------------------------------------------------------


def current(user_id: uuid.UUID) -> Credential | None:
    """The person's one credential that is neither used nor withdrawn; it may have run out."""
    return Credential.objects.filter(user_id=user_id, used_at__isnull=True, withdrawn_at__isnull=True).first()


def consume(credential_id: uuid.UUID, user: User) -> None:
    """Use it up. Of any number who try at once, one succeeds; the others get CredentialGone."""
    still_good = Credential.objects.filter(
        pk=credential_id, user=user, used_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=Now()
    )
    if not still_good.update(used_at=moments.now()):
        raise CredentialGone


def take_back(users: Collection[User]) -> None:
    """End first-visit credentials whose mail has not left: what would have announced them was taken back. In the
    caller's transaction, which holds the users' rows."""
    if not users:
        return
    mails = OutgoingMail.objects.filter(kind="password_notification", about__in=_open(users).values("pk"))
    # Held, so that none begins to leave between the look and the deed.
    waiting = mails.filter(state__in=[outbox.State.DUE, outbox.State.LEASED, outbox.State.AMBIGUOUS])
    found = dict(waiting.select_for_update().order_by("pk").values_list("pk", "about"))
    outbox.cancel(OutgoingMail.objects.filter(pk__in=list(found)))
    Credential.objects.filter(pk__in=list(found.values())).update(withdrawn_at=moments.now())


def withdraw(user: User) -> None:
    """End whatever credential the person has, in the caller's transaction."""
    _open([user]).update(withdrawn_at=moments.now())


def _open(users: Iterable[User]):
    return Credential.objects.filter(
        user_id__in=[user.pk for user in users], used_at__isnull=True, withdrawn_at__isnull=True
    )

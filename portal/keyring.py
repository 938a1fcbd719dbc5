"""The key ring: which key opens what, and the only place that seals and opens.

    master key(s)        from the environment or a file, never in the database
     ├ retention key     one per organisation and month of sending
     │  └ message key    random, one per message, wrapped once per mailbox copy
     │     ├ subject, body, quotes, attachment names
     │     └ attachment key
     └ leaf keys         one per purpose: credentials, device cookies …

AES-256-GCM throughout (NIST SP 800-38D), nonces random, 96 bit. A sealed value is

    1 byte version · 12 bytes nonce · ciphertext · 16 bytes tag

and is bound, as associated data, to its place: organisation, table, row, field. A value that is moved to
another row does not open. Whatever does not open raises SealBroken; there is no fall-back to plaintext.
"""

import base64
import functools
import logging
import os
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from .models import LeafKey, Organization, RetentionKey

logger = logging.getLogger(__name__)

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12
# Of all stored keys, how many are tried: enough, for a single one that was altered says nothing of the ring.
_TRIED = 3


class SealBroken(Exception):
    """A sealed value that cannot be opened: changed, moved, truncated, or its key is gone."""


class KeyDestroyed(SealBroken):
    """The retention key has been destroyed: the content is meant to be unreadable."""


class MasterKeysMissing(Exception):
    """The master keys cannot be read, or one that is needed is not among them. Nothing is lost by it: what hangs on
    them opens again once the file is back."""


Wrapped = TypeVar("Wrapped", RetentionKey, LeafKey)
Place = tuple[str | uuid.UUID, ...]  # where a sealed value stands: table, row, field


def new_key() -> bytes:
    """A fresh random key, 256 bit."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, plaintext: bytes, place: Place) -> bytes:
    """Encrypt and authenticate, bound to the place."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plaintext, _associated_data(place))


def unseal(key: bytes, sealed: bytes | memoryview, place: Place) -> bytes:
    """What was sealed in this place; SealBroken for anything else."""
    sealed = bytes(sealed)
    if sealed[:1] != _VERSION:
        raise SealBroken("unknown version of a sealed value")
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, _associated_data(place))
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a sealed value does not open in this place") from error


def seal_text(key: bytes, text: str, place: Place) -> bytes:
    return seal(key, text.encode(), place)


def unseal_text(key: bytes, sealed: bytes | memoryview, place: Place) -> str:
    return unseal(key, sealed, place).decode()


def _associated_data(place: Place) -> bytes:
    # Length-prefixed, so that no two places share one encoding.
    encoded = [_VERSION]
    for part in place:  # a loop, for it runs thousands of times in a search
        text = str(part).encode()
        encoded += (len(text).to_bytes(2, "big"), text)
    return b"".join(encoded)


# --- Master keys ------------------------------------------------------------------------------------------


def _parse_master_keys(text: str) -> Mapping[str, bytes]:
    keys: dict[str, bytes] = {}
    for item in text.replace("\n", ",").split(","):
        if not (item := item.strip()):
            continue
        key_id, _, encoded = item.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:  # not base64, or not even ASCII
            key = b""
        if not key_id or len(key) != KEY_BYTES:
            raise ImproperlyConfigured(
                "MASTER_KEYS: each key is id:base64 of 32 bytes. Make one with `python -m portal.new_master_key`."
            )
        keys[key_id] = key
    if not keys:
        raise ImproperlyConfigured("MASTER_KEYS is empty. Make a key with `python -m portal.new_master_key`.")
    return keys


_parsed_text = functools.lru_cache(maxsize=1)(_parse_master_keys)


@functools.lru_cache(maxsize=1)
def _parsed_file(path: str, modified_ns: int) -> Mapping[str, bytes]:
    return _parse_master_keys(Path(path).read_text())


def master_keys() -> Mapping[str, bytes]:
    """Every master key by id; the first one writes. A changed MASTER_KEYS_FILE is read again at once."""
    try:
        if settings.MASTER_KEYS_FILE:
            return _parsed_file(settings.MASTER_KEYS_FILE, os.stat(settings.MASTER_KEYS_FILE).st_mtime_ns)
        return _parsed_text(settings.MASTER_KEYS)
    except (OSError, UnicodeDecodeError, ImproperlyConfigured) as error:
        logger.critical("The master keys cannot be read, nothing can be opened or sealed: %s", error)
        raise MasterKeysMissing(f"The master keys cannot be read: {error}") from error


def _wrap_under_master(key: bytes, place: Place) -> tuple[str, bytes]:
    key_id, master = next(iter(master_keys().items()))
    return key_id, seal(master, key, place)


def _unwrap_under_master(key_id: str, wrapped: bytes | memoryview, place: Place) -> bytes:
    master = master_keys().get(key_id)
    if master is None:
        logger.critical("Master key %r is needed and is not in the key ring", key_id)
        raise MasterKeysMissing(f"master key {key_id!r} is not in the key ring")
    try:
        return unseal(master, wrapped, place)
    except SealBroken as broken:
        raise SealBroken(f"master key {key_id!r} does not open {' '.join(map(str, place))}") from broken


def check_ring() -> None:
    """Open a stored key under each master key that something is wrapped under; of a new installation there is none.

    MasterKeysMissing when one is not there, SealBroken when it is another than it was. Two queries of each table, and
    one more for each further master key that is in use, as in a rotation.
    """
    master_keys()
    months = RetentionKey.objects.filter(destroyed_at__isnull=True)
    for month in _one_under_each_master(months):
        open_retention_key(month)
    for leaf in _one_under_each_master(LeafKey.objects.all()):
        _open_leaf_key(leaf)


def _one_under_each_master(rows: QuerySet[Wrapped]) -> Iterator[Wrapped]:
    for key_id in rows.values_list("master_key_id", flat=True).distinct():
        # None: wrapped anew in this very moment.
        if row := rows.filter(master_key_id=key_id).first():
            yield row


def _refuse_foreign_ring() -> None:
    """MasterKeysMissing when no stored key opens: what is sealed under a key file that was swapped for another, whole
    as that may be, would be lost once the right one is back. Two queries, for each key that is made.
    """
    months = RetentionKey.objects.filter(destroyed_at__isnull=True).order_by("-month")[:_TRIED]
    leaves = LeafKey.objects.order_by("purpose")[:_TRIED]
    openings = [partial(open_retention_key, row) for row in months] + [partial(_open_leaf_key, row) for row in leaves]
    if openings and not any(map(_succeeds, openings)):
        logger.critical("No stored key opens with the key ring: nothing new is sealed with it")
        raise MasterKeysMissing("the master keys are not those that what is stored was sealed with")


def _succeeds(opening: Callable[[], bytes]) -> bool:
    try:
        opening()
    except (MasterKeysMissing, SealBroken):
        return False
    return True


# --- Retention keys ---------------------------------------------------------------------------------------


def retention_key_for(organization: Organization, moment: datetime) -> RetentionKey:
    """The key row for content sent in the moment's month (UTC); made when first needed."""
    month = date(moment.year, moment.month, 1)
    found = RetentionKey.objects.filter(organization=organization, month=month).first()
    return found or _make_retention_key(organization, month)


def _make_retention_key(organization: Organization, month: date) -> RetentionKey:
    _refuse_foreign_ring()
    row = RetentionKey(organization=organization, month=month)
    row.master_key_id, row.wrapped_key = _wrap_under_master(new_key(), _retention_place(row))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # another process made it in the same moment; theirs stands
        return RetentionKey.objects.get(organization=organization, month=month)
    return row


def open_retention_key(row: RetentionKey) -> bytes:
    """The key itself, 32 bytes. KeyDestroyed once it has been destroyed."""
    if row.wrapped_key is None:
        raise KeyDestroyed("the retention key of this month has been destroyed")
    return _unwrap_under_master(row.master_key_id, row.wrapped_key, _retention_place(row))


def rewrap_retention_key(row: RetentionKey) -> None:
    """Put the row's key under the first master key; for the caller, who holds the row, to save."""
    row.master_key_id, row.wrapped_key = _wrap_under_master(open_retention_key(row), _retention_place(row))


def _retention_place(row: RetentionKey) -> Place:
    return ("retention_key", row.organization_id, row.id, f"{row.month:%Y-%m}")


# --- Leaf keys --------------------------------------------------------------------------------------------


def leaf_key(purpose: str) -> bytes:
    """The installation's key of one purpose ("credentials", "device_cookies" …), 32 bytes; made when first needed."""
    return _open_leaf_key(LeafKey.objects.filter(purpose=purpose).first() or _make_leaf_key(purpose))


def rewrap_leaf_key(row: LeafKey) -> None:
    """Put the row's key under the first master key; for the caller, who holds the row, to save."""
    row.master_key_id, row.wrapped_key = _wrap_under_master(_open_leaf_key(row), ("leaf_key", row.purpose))


def _open_leaf_key(row: LeafKey) -> bytes:
    return _unwrap_under_master(row.master_key_id, row.wrapped_key, ("leaf_key", row.purpose))


def _make_leaf_key(purpose: str) -> LeafKey:
    _refuse_foreign_ring()
    key_id, wrapped = _wrap_under_master(new_key(), ("leaf_key", purpose))
    LeafKey.objects.bulk_create(
        [LeafKey(purpose=purpose, master_key_id=key_id, wrapped_key=wrapped)], ignore_conflicts=True
    )
    return LeafKey.objects.get(purpose=purpose)

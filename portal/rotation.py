"""Rotation of master keys: what another one wraps is wrapped under the first, and no body, name or file is touched.

New keys are wrapped under the first master key from the moment it stands in the file; this brings the others after
it, one row and one transaction at a time. Killed anywhere, it is simply run again; people and workers notice nothing,
because all of the file's keys open.
"""

from django.db import transaction

from . import audit, keyring
from .models import LeafKey, RetentionKey


def rewrap_all() -> int:
    """Returns how many keys were wrapped anew. SealBroken when one cannot be opened: what stands before it is done."""
    first = next(iter(keyring.master_keys()))
    months = RetentionKey.objects.filter(destroyed_at__isnull=True).exclude(master_key_id=first)
    leaves = LeafKey.objects.exclude(master_key_id=first)
    rows: list[RetentionKey | LeafKey] = [*months.order_by("id"), *leaves.order_by("purpose")]
    return sum(_rewrap(row, first) for row in rows)


def still_needed() -> set[str]:
    """Ids of the master keys that something is wrapped under."""
    months = RetentionKey.objects.filter(destroyed_at__isnull=True).values_list("master_key_id", flat=True)
    return {*months.distinct(), *LeafKey.objects.values_list("master_key_id", flat=True).distinct()}


def _rewrap(row: RetentionKey | LeafKey, first: str) -> bool:
    with transaction.atomic():
        # Looked up again: it may have been destroyed, or wrapped anew by another run.
        stored = type(row)._default_manager.select_for_update().exclude(master_key_id=first).filter(pk=row.pk).first()
        if stored is None or stored.wrapped_key is None:
            return False
        _store(stored)
    return True


def _store(row: RetentionKey | LeafKey) -> None:
    if isinstance(row, RetentionKey):
        keyring.rewrap_retention_key(row)
        audit.record(row.organization, "retention_key.rewrapped", about=row.id, under=row.master_key_id)
    else:
        keyring.rewrap_leaf_key(row)
    row.save(update_fields=["master_key_id", "wrapped_key"])

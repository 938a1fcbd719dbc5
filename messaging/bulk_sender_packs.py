"""Bulk Sender packs as an administrator keeps them; what they add up to is counted in licences.py."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from portal import audit

from .models import BulkSenderPack


def record(*, actor: Any, pack: BulkSenderPack, what: str) -> None:
    """One event: the pack was added, changed or removed. In the caller's transaction."""
    audit.record(
        pack.sender.organization,
        f"bulk_sender_pack.{what}",
        actor=actor,
        about=pack.sender_id,
        recipients=pack.recipients,
        first_month=f"{pack.first_month:%Y-%m}",
        last_month=f"{pack.last_month:%Y-%m}" if pack.last_month else "",
    )


def replace(*, actor: User, sender: User, wanted: Iterable[BulkSenderPack]) -> None:
    """Let the sender have these (unsaved) packs and no others; those that are the same stay. ValidationError, and
    nothing changed, for a pack that cannot be."""
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=sender.pk)
        left = list(BulkSenderPack.objects.filter(sender=sender).select_related("sender__organization"))
        for pack in wanted:
            same = next((one for one in left if _terms(one) == _terms(pack)), None)
            if same is not None:
                left.remove(same)
                continue
            _add(actor, pack)
        for pack in left:
            record(actor=actor, pack=pack, what="removed")
            pack.delete()


def _add(actor: User, pack: BulkSenderPack) -> None:
    try:
        pack.full_clean()
    except ValidationError as error:
        raise ValidationError(error.messages) from None
    pack.save(force_insert=True)
    record(actor=actor, pack=pack, what="added")


def _terms(pack: BulkSenderPack) -> tuple[Any, ...]:
    return pack.recipients, pack.first_month, pack.last_month

"""Whoever owns an account is told by mail what happened to it: it may not have been them, nor been meant for them."""

from typing import Any

from portal import outbox
from portal.models import AuditEvent

from .models import User


def tell(kind: str, user: User, event: AuditEvent, **values: Any) -> None:
    """Enqueue the mail of this kind about the event, once, in the caller's transaction. What it says is in mails.py;
    values: other than usual of the mail's row."""
    usual = {
        "to_address": user.address,
        "about": user.pk,
        "dedupe_key": f"{kind}:{event.pk}",
        "due_at": event.at,
    }
    mail = outbox.new_mail(organization=user.organization, kind=kind, **{**usual, **values})
    outbox.enqueue([mail])


def tell_of_administrator(user: User, event: AuditEvent) -> None:
    """What an administrator did, in a sentence that goes by the event's action. Whoever has never had a password has
    never been here, and would not know what it is about."""
    if event.actor_id != user.pk and (user.password_set_at or user.temporary_until):
        tell("done_by_administrator", user, event, about=event.pk)

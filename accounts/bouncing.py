"""Addresses that mail came back from: flagged, said to whoever writes to them, until an administrator clears it."""

from django.db import transaction

from portal import audit, bounces
from portal.models import OutgoingMail

from .models import User


def flag(mail: OutgoingMail) -> None:
    """In the transaction that writes the bounce down."""
    people = User.objects.filter(organization=mail.organization_id, address=mail.to_address)
    people.update(bounced_at=mail.bounced_at, bounce_words=mail.bounce_words)


@transaction.atomic
def clear(*, actor: User, user: User) -> None:
    """The address is right after all, or was mended."""
    if User.objects.filter(pk=user.pk, bounced_at__isnull=False).update(bounced_at=None, bounce_words=""):
        audit.record(user.organization, "user.bounce_cleared", actor=actor, about=user.pk)


bounces.on_hard_bounce(flag)

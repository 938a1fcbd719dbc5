"""Definitions: the named sets of rules a message is sent under."""

from datetime import datetime, timedelta

from django.utils.translation import gettext

from portal.models import Organization

from .models import Definition, Message
from .models.definition import MessageRules

# The fixed default: printing and answering allowed, readable for 30 days.
DEFAULT_EXPIRE_AFTER_DAYS = 30


def default_for(organization: Organization) -> Definition:
    """The organisation's default definition, which cannot be changed; made when first needed."""
    found = Definition.objects.filter(organization=organization, is_default=True).first()
    return found or _make_default(organization)


def _make_default(organization: Organization) -> Definition:
    definition = Definition(
        organization=organization,
        description=gettext("Standard"),
        expire_after_days=DEFAULT_EXPIRE_AFTER_DAYS,
        is_default=True,
    )
    # Two first messages in one moment: one row wins, both use it.
    Definition.objects.bulk_create([definition], ignore_conflicts=True)
    return Definition.objects.get(organization=organization, is_default=True)


def is_usual_expiry(message: Message) -> bool:
    """Whether a sent message expires when its definition says, and not at a time its author chose."""
    days = message.definition.expire_after_days if message.definition else None
    if days is None or message.sent_at is None or message.expires_at is None:
        return message.expires_at is None
    return message.expires_at == message.sent_at + timedelta(days=days)


def apply(definition: Definition, message: Message, sent_at: datetime) -> None:
    """Copy the definition's rules into the message as they stand now; later changes do not reach it."""
    message.definition = definition
    for field in MessageRules._meta.get_fields():
        setattr(message, field.name, getattr(definition, field.name))
    if definition.expire_after_days is not None:
        latest = sent_at + timedelta(days=definition.expire_after_days)
        message.expires_at = min(message.expires_at, latest) if message.expires_at else latest

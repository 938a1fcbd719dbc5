"""Completion of addresses: the organisation's directory and its groups for its own people, and for everybody those
they have exchanged messages with themselves. Never what somebody else has typed or received."""

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext

from accounts.models import Group, User
from portal import bulk, erased

from .models import MailboxEntry, Message, Recipient

MOST = 8
_ERASED = f"@{erased.DOMAIN}"
# As many of the messages that somebody has received are asked for their senders.
LATEST = 1_000


def complete(user: User, typed: str) -> list[dict[str, str]]:
    """Up to eight people as {"address", "name"} whose address or name begins with, or has in it, what was typed."""
    typed = typed.strip()
    if len(typed) < 2:
        return []
    found: dict[str, str] = {}
    for address, name in (*_written_to(user, typed), *_heard_from(user, typed), *_directory(user, typed)):
        found.setdefault(address, name)
    nearest = sorted(found.items(), key=lambda person: (not _begins(person, typed), person))
    return [{"address": address, "name": name} for address, name in nearest[:MOST]]


def _begins(person: tuple[str, str], typed: str) -> bool:
    return any(text.lower().startswith(typed.lower()) for text in person)


def _written_to(user: User, typed: str):
    past = Recipient.objects.filter(message__sender=user).exclude(address__endswith=_ERASED)
    past = past.filter(Q(address__icontains=typed) | Q(name__icontains=typed))
    return past.order_by("address").values_list("address", "name").distinct()[: MOST * 4]


def _heard_from(user: User, typed: str):
    # One step after the other: in one, PostgreSQL looks through all messages, or all people, that there are.
    received = Recipient.objects.filter(user=user).order_by("-id").values_list("id", flat=True)[:LATEST]
    # Not while their sending can be undone.
    copies = MailboxEntry.objects.filter(recipient__in=bulk.among(list(received)), visible_at__lte=Now())
    seen = list(copies.values_list("message", flat=True))
    wrote = Message.objects.filter(id__in=bulk.among(seen)).order_by().values_list("sender", flat=True)
    senders = User.objects.filter(id__in=bulk.among(list(wrote.distinct()))).exclude(address__endswith=_ERASED)
    senders = senders.filter(Q(address__icontains=typed) | Q(name__icontains=typed))
    return senders.order_by("address").values_list("address", "name").distinct()[: MOST * 4]


def _directory(user: User, typed: str):
    if not user.is_internal:
        return []
    # What separates addresses or makes one is not read as part of a group's name: addressing.read_addresses.
    groups = Group.objects.filter(organization=user.organization, name__icontains=typed).exclude(name__regex="[,;@\n]")
    named = [(group.name, gettext("Group")) for group in groups[:MOST]]
    colleagues = User.objects.filter(
        organization=user.organization, domain__is_internal=True, disabled_at__isnull=True
    ).filter(Q(address__icontains=typed) | Q(name__icontains=typed))
    return [*named, *colleagues.order_by("address").values_list("address", "name")[: MOST * 4]]

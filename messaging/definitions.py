"""Definitions: the named sets of rules a message is sent under, and which of them a sender is offered: the default
always, those without a folder to every licensed sender, those in a folder to the members of its groups."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from portal.models import Organization

from .models import Definition, DefinitionFolder, Message
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
        description=_("Standard"),
        expire_after_days=DEFAULT_EXPIRE_AFTER_DAYS,
        is_default=True,
    )
    # Two first messages in one moment: one row wins, both use it.
    Definition.objects.bulk_create([definition], ignore_conflicts=True)
    return Definition.objects.get(organization=organization, is_default=True)


@dataclass(frozen=True)
class Judged:
    """One definition, whether it is offered to a person, and why, in a sentence."""

    definition: Definition
    offered: bool
    why: str


def offered_to(user: User) -> list[Definition]:
    """What this sender chooses from, in the administrator's order; at most three queries."""
    return [judged.definition for judged in judged_for(user) if judged.offered]


def judged_for(user: User) -> list[Judged]:
    """Every definition of the person's organisation, in the administrator's order."""
    default_for(user.organization)
    found = Definition.objects.filter(organization=user.organization).select_related("folder")
    is_sender = user.is_internal and user.is_licensed
    own = folders_of(user) if is_sender else {}
    return [_judged(definition, is_sender, own) for definition in found]


def folders_of(user: User) -> dict[uuid.UUID, str]:
    """The folders whose groups this person is in, each with the name of one such group."""
    folders = DefinitionFolder.objects.filter(organization=user.organization, groups__members=user)
    return dict(folders.order_by().values_list("id", "groups__name"))


def _judged(definition: Definition, is_sender: bool, own_folders: dict[uuid.UUID, str]) -> Judged:
    if definition.is_default:
        return Judged(definition, True, _("The default is offered to everybody."))
    if not is_sender:
        return Judged(definition, False, _("Only licensed senders are offered more than the default."))
    if definition.folder is None:
        return Judged(definition, True, _("It is in no folder: every licensed sender is offered it."))
    place = {"folder": definition.folder.name, "group": own_folders.get(definition.folder.id)}
    if place["group"] is None:
        return Judged(definition, False, _("The sender is in no group of the folder “%(folder)s”.") % place)
    return Judged(definition, True, _("The sender is in “%(group)s”, a group of the folder “%(folder)s”.") % place)


def senders_offered(definition: Definition) -> QuerySet[User]:
    """The licensed senders who are offered it."""
    senders = User.objects.filter(
        organization=definition.organization, domain__is_internal=True, is_licensed=True, disabled_at__isnull=True
    )
    if definition.folder_id is not None and not definition.is_default:
        members = User.member_of.through.objects.filter(group__definition_folders=definition.folder_id)
        senders = senders.filter(id__in=members.values("user"))
    return senders.order_by("address")


def chosen(message: Message) -> Definition | None:
    """The definition to send under: replies always the default, other messages what their author chose. None when
    that is not offered to the author (any more)."""
    default = default_for(message.organization)
    if message.in_reply_to_id is not None or message.definition_id in (None, default.id):
        return default
    return next((one for one in offered_to(message.sender) if one.id == message.definition_id), None)


def exists(organization: Organization, definition_id: uuid.UUID) -> bool:
    return Definition.objects.filter(organization=organization, id=definition_id).exists()


def is_usual_expiry(message: Message) -> bool:
    """Whether a sent message expires when its definition says, or as early as its organisation has it, and not at a
    time its author chose."""
    days = message.definition.expire_after_days if message.definition else None
    if days is None or message.sent_at is None or message.expires_at is None:
        return message.expires_at is None
    return message.expires_at == message.sent_at + timedelta(days=min(days, message.organization.retention_days))


def asks_for_receipts(message: Message) -> bool:
    """Whether a sent message's definition does, whatever its author wished."""
    return message.definition is not None and message.definition.read_receipt


def apply(definition: Definition, message: Message, sent_at: datetime) -> None:
    """Copy the definition's rules into the message as they stand now; later changes do not reach it."""
    requested = message.read_receipt
    message.definition = definition
    for field in MessageRules._meta.get_fields():
        setattr(message, field.name, getattr(definition, field.name))
    message.read_receipt = message.read_receipt or requested
    if definition.expire_after_days is not None:
        latest = sent_at + timedelta(days=definition.expire_after_days)
        message.expires_at = min(message.expires_at, latest) if message.expires_at else latest

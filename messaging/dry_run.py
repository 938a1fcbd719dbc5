"""A dry run for administrators: if this sender wrote to that address now, what would they be offered, what limits
them, and why. Asks the same rules that sending asks, and changes nothing."""

from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from portal import moments
from portal.models import Organization

from . import cautions, definitions, licences, rules, sending
from .addressing import Addressed
from .definitions import Judged
from .models import Recipient, RecipientUse


@dataclass
class DryRun:
    """What stands against it, the definitions with what their readers would be told, the limits and what the sender
    would be asked; all in sentences."""

    refusals: list[str]
    offered: list[tuple[Judged, list[str]]] = field(default_factory=list)
    withheld: list[Judged] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def dry_run(sender: User, address: str) -> DryRun:
    """The address is normalised (directories.normalize_address). A constant number of queries."""
    recipient = _recipient(sender.organization, address)
    judged = definitions.judged_for(sender)
    return DryRun(
        refusals=_refusals(sender, address, recipient),
        offered=[(one, rules.preview(one.definition)) for one in judged if one.offered],
        withheld=[one for one in judged if not one.offered],
        limits=[*_licence(sender, address, recipient), *_settings(sender.organization)],
        asked=cautions.cautions(sender.organization, [Addressed(address, "", Recipient.Role.TO)]),
    )


def _recipient(organization: Organization, address: str) -> User | None:
    return User.objects.select_related("domain").filter(organization=organization, address=address).first()


def _refusals(sender: User, address: str, recipient: User | None) -> list[str]:
    found = []
    if not sender.may_log_on:
        found.append(_("The sender cannot log in: the account is disabled or logon is not allowed."))
    if not sending.may_write_new_messages(sender):
        found.append(_("The sender has no licence: they can answer messages, but not write new ones."))
    elif not sending.may_write_to_anyone(sender) and not (recipient and recipient.is_internal):
        found.append(_("The sender is external and can write only to the organisation's own people."))
    if recipient is not None and not recipient.may_log_on:
        found.append(
            _("%(address)s would get the message, but cannot log in: the account is disabled or logon is not allowed.")
            % {"address": address}
        )
    return found


def _licence(sender: User, address: str, recipient: User | None) -> list[str]:
    if not sending.may_write_to_anyone(sender):
        return [_("No licence counts: what external people write and what is answered is not counted.")]
    if recipient is not None and recipient.is_internal:
        return [_("%(address)s is internal: such recipients are not counted for the licence.") % {"address": address}]
    month = licences.month_of(sender, moments.now())
    usage = licences.usage(sender, month)
    numbers = {"used": usage.used, "limit": usage.limit, "address": address}
    used = _("%(used)d of %(limit)d external recipients of this month are used.") % numbers
    if RecipientUse.objects.filter(sender=sender, month=month, address=address).exists():
        return [used, _("%(address)s was written to this month and counts no more.") % numbers]
    if not usage.left:
        return [used, _("%(address)s would be one over: nothing would be sent.") % numbers]
    return [used, _("%(address)s would be one more.") % numbers]


def _settings(organization: Organization) -> list[str]:
    days, seconds = organization.retention_days, organization.undo_seconds
    return [
        ngettext(
            "Whatever the definition says, the message is destroyed %d day after sending (retention).",
            "Whatever the definition says, the message is destroyed %d days after sending (retention).",
            days,
        )
        % days,
        ngettext("Sending can be undone for %d second.", "Sending can be undone for %d seconds.", seconds) % seconds
        if seconds
        else _("Sending cannot be undone."),
        _("Attachments: at most %(file)d MB each, %(message)d MB a message.")
        % {"file": organization.max_attachment_mb, "message": organization.max_message_mb},
        _("Types not allowed: %s.") % organization.forbidden_types
        if organization.forbidden_types
        else _("Attachments of every type are allowed."),
    ]

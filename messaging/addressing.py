"""Who a message goes to: what stands in To, Cc and Bcc, read and checked."""

import re
import uuid
from collections import defaultdict
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts import directories
from accounts.models import Group, User
from portal import erased

from .drafts import DraftText
from .models import Recipient

MAX_RECIPIENTS = 500
_SEPARATORS = re.compile(r"([,;\n])")


@dataclass(frozen=True)
class Addressed:
    """One recipient to be, in the first of To, Cc and Bcc that names the address."""

    address: str
    name: str
    role: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def read_addresses(text: DraftText, author: User) -> tuple[list[Addressed], list[str]]:
    """Everybody the draft names, each once, and a sentence for each thing to mend. The organisation's own people may
    name a group of its directory, too."""
    people: dict[str, Addressed] = {}
    problems: list[str] = []
    groups = _groups_named(",".join((text.to, text.cc, text.bcc)), author)
    for role, typed in ((Recipient.Role.TO, text.to), (Recipient.Role.CC, text.cc), (Recipient.Role.BCC, text.bcc)):
        try:
            for parsed in directories.parse_addresses(_with_groups_opened(typed, groups)):
                if erased.is_erased(parsed.address):
                    problems.append(_("%(field)s: this person's data has been erased.") % {"field": role.label})
                people.setdefault(parsed.address, Addressed(parsed.address, parsed.name, role))
        except directories.InvalidAddresses as error:
            problems += [_("%(field)s: %(why)s") % {"field": role.label, "why": why} for _text, why in error.problems]
    if not problems and not people:
        problems.append(_("Add at least one recipient in To, Cc or Bcc."))
    if len(people) > MAX_RECIPIENTS:
        problems.append(
            _("A message goes to at most %(limit)d recipients at once; this one has %(count)d.")
            % {"limit": MAX_RECIPIENTS, "count": len(people)}
        )
    return list(people.values()), problems


def _groups_named(typed: str, author: User) -> dict[str, str]:
    """Each group named there, in lower case, with its members' addresses; no query where nothing but addresses stands.
    A directory may have many groups of thousands: none is loaded for a slip of the pen."""
    names = {_folded(part) for part in _SEPARATORS.split(typed)[::2] if "@" not in part} - {""}
    if not names or not author.is_internal:
        return {}
    groups = Group.objects.filter(organization=author.organization).values_list("id", "name")
    named = {_folded(name): group for group, name in groups if _folded(name) in names}
    members = _active_members(list(named.values()))
    return {name: ", ".join(members[group]) for name, group in named.items()}


def _active_members(groups: list[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Their addresses; no query for no group."""
    members = User.member_of.through.objects.filter(group__in=groups, user__disabled_at__isnull=True)
    addresses = defaultdict(list)
    for group, address in members.order_by("user__address").values_list("group", "user__address"):
        addresses[group].append(address)
    return addresses


def _with_groups_opened(typed: str, groups: dict[str, str]) -> str:
    """The text with each group's name replaced by its members."""
    return "".join(groups.get(_folded(part), part) for part in _SEPARATORS.split(typed))


def _folded(name: str) -> str:
    return name.strip().casefold()

"""Who a message goes to: what stands in To, Cc and Bcc, read and checked."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts import directories
from accounts.models import Group, User

from .drafts import DraftText
from .models import Recipient

MAX_RECIPIENTS = 500


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
    for role, typed in ((Recipient.Role.TO, text.to), (Recipient.Role.CC, text.cc), (Recipient.Role.BCC, text.bcc)):
        try:
            for parsed in directories.parse_addresses(_with_groups_opened(typed, author)):
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


def _with_groups_opened(typed: str, author: User) -> str:
    """The text with each group's name replaced by its members; no query where nothing but addresses stands."""
    parts = re.split(r"([,;\n])", typed)
    names = [part.strip() for part in parts[::2] if part.strip() and "@" not in part]
    if not names or not author.is_internal:
        return typed
    groups = Group.objects.filter(organization=author.organization).prefetch_related("members")
    members = {
        group.name.casefold(): ", ".join(member.address for member in group.members.all() if member.is_active)
        for group in groups
    }
    return "".join(members.get(part.strip().casefold(), part) for part in parts)

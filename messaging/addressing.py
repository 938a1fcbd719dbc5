"""Who a message goes to: what stands in To, Cc and Bcc, read and checked."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts import directories

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


def read_addresses(text: DraftText) -> tuple[list[Addressed], list[str]]:
    """Everybody the draft names, each once, and a sentence for each thing to mend."""
    people: dict[str, Addressed] = {}
    problems: list[str] = []
    for role, typed in ((Recipient.Role.TO, text.to), (Recipient.Role.CC, text.cc), (Recipient.Role.BCC, text.bcc)):
        try:
            for parsed in directories.parse_addresses(typed):
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

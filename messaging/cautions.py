"""What is said before sending, once: a domain nobody here has ever written to, one that looks like a known one,
many recipients who would all see each other."""

from collections.abc import Iterable

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.models import Domain, User
from portal import dates
from portal.models import Organization

from .addressing import Addressed
from .models import Recipient

MANY_RECIPIENTS = 20
# What is taken for another letter at a glance.
_LOOKS_LIKE = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"))


def cautions(organization: Organization, people: Iterable[Addressed]) -> list[str]:
    """A sentence for each thing worth a second look; two queries."""
    people = list(people)
    known = set(Domain.objects.filter(organization=organization).values_list("name", flat=True))
    found = []
    for domain in dict.fromkeys(person.domain for person in people if person.domain not in known):
        twin = next((name for name in sorted(known) if looks_like(domain, name)), None)
        if twin:
            found.append(
                _("%(domain)s looks like %(twin)s, which you know, but is another domain. Is the address right?")
                % {"domain": domain, "twin": twin}
            )
        else:
            found.append(
                _("Nobody at %(organization)s has written to %(domain)s before. Is the address right?")
                % {
                    "organization": organization.name,
                    "domain": domain,
                }
            )
    found += _bounced(organization, people)
    visible = sum(person.role != Recipient.Role.BCC for person in people)
    if visible > MANY_RECIPIENTS:
        found.append(
            _("This message goes to %(count)d recipients who will all see each other's addresses. Bcc hides them.")
            % {"count": visible}
        )
    return found


def _bounced(organization: Organization, people: list[Addressed]) -> list[str]:
    addresses = [person.address for person in people]
    flagged = User.objects.filter(organization=organization, address__in=addresses, bounced_at__isnull=False)
    return [
        _("A mail to %(address)s came back on %(day)s%(why)s Is the address right?")
        % {
            "address": user.address,
            "day": dates.day(localtime(user.bounced_at)),
            "why": f": “{user.bounce_words}”." if user.bounce_words else ".",
        }
        for user in flagged.only("address", "bounced_at", "bounce_words").order_by("address")
    ]


def looks_like(domain: str, known: str) -> bool:
    """Whether one could be taken for the other: same skeleton, another ending, or one slip of the keyboard apart."""
    if domain == known:
        return False
    if _skeleton(domain) == _skeleton(known):
        return True
    name, known_name = domain.rpartition(".")[0], known.rpartition(".")[0]
    if name == known_name:
        return True
    return min(len(name), len(known_name)) >= 5 and _one_slip_apart(domain, known)


def _skeleton(domain: str) -> str:
    for looks, letter in _LOOKS_LIKE:
        domain = domain.replace(looks, letter)
    return domain.replace("-", "")


def _one_slip_apart(one: str, other: str) -> bool:
    """One character more, less or different, or two neighbours swapped."""
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[start:], other[start:]
    return (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])
    )

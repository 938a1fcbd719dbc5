"""What is said before sending, once: a domain nobody here has ever written to, one that looks like a known one,
many recipients who would all see each other."""

from collections.abc import Iterable

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts import directories
from accounts.models import Domain, User
from portal import dates
from portal.models import Organization

from .addressing import Addressed
from .look_alikes import KnownDomains
from .models import Recipient

MANY_RECIPIENTS = 20


def cautions(organization: Organization, people: Iterable[Addressed]) -> list[str]:
    """A sentence for each thing worth a second look; two queries."""
    people = list(people)
    known = set(Domain.objects.filter(organization=organization).values_list("name", flat=True))
    found = []
    unknown = dict.fromkeys(person.domain for person in people if person.domain not in known)
    look_alikes = KnownDomains(known if unknown else ())
    for domain in unknown:
        twin = look_alikes.twin_of(domain)
        if twin:
            sentence = _("%(domain)s looks like %(twin)s, which you know, but is another domain. Is the address right?")
        else:
            sentence = _("Nobody at %(organization)s has written to %(domain)s before. Is the address right?")
        names = {"domain": _in_both_forms(domain), "twin": twin and _in_both_forms(twin)}
        found.append(sentence % {"organization": organization.name, **names})
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


def _in_both_forms(domain: str) -> str:
    """As somebody typed it, and as it goes over the network, which tells one international domain from another."""
    written = directories.as_written(domain)
    return domain if written == domain else f"{written} ({domain})"

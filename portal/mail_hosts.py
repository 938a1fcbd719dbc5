"""Which servers take a domain's mail, as the DNS says: MX in order of preference (RFC 5321, section 5), or the domain
itself where it has none; a null MX (RFC 7505) takes no mail at all."""

import random
from functools import cache
from typing import Any

import dns.exception
import dns.resolver
from django.conf import settings
from django.utils.translation import gettext as _

# All the waiting for the DNS that one question may cost.
DNS_SECONDS = 5
MOST_HOSTS = 5


class NoMailHere(Exception):
    """The domain takes no mail, and never will: no such domain, a null MX, no address."""


class DnsSilent(Exception):
    """The DNS gave no answer just now."""


def mail_hosts(domain: str) -> list[str]:
    """Names of the servers, best first. NoMailHere or DnsSilent, with words."""
    answers = records(domain, "MX")
    if answers is None:
        raise NoMailHere(_("There is no domain %(domain)s.") % {"domain": domain})
    found = [(row.preference, random.random(), row.exchange.to_text(omit_final_dot=True)) for row in answers]  # noqa: S311  the order among equals
    hosts = [name for _preference, _chance, name in sorted(found)]
    if hosts == ["."] or hosts == ["@"] or hosts == [""]:
        raise NoMailHere(_("%(domain)s takes no mail: its null MX says so.") % {"domain": domain})
    return hosts[:MOST_HOSTS] or [domain]


def addresses(host: str) -> list[str]:
    """The host's addresses, IPv4 first; none is an empty list. DnsSilent, with words."""
    found = [row.address for kind in ("A", "AAAA") for row in records(host, kind) or ()]
    return found[:MOST_HOSTS]


def texts(name: str) -> list[str]:
    """The TXT records of a name, each as one text."""
    return [b"".join(row.strings).decode(errors="replace") for row in records(name, "TXT") or ()]


def names_of(address: str) -> list[str]:
    """What the reverse DNS calls an address."""
    reverse = dns.reversename.from_address(address).to_text()
    return [row.target.to_text(omit_final_dot=True) for row in records(reverse, "PTR") or ()]


def records(name: str, kind: str) -> list[Any] | None:
    """The records of that kind; None: the name does not exist. DnsSilent when nobody answers in time."""
    try:
        answer = _resolver(tuple(settings.DNS_SERVERS)).resolve(name, kind, raise_on_no_answer=False, search=False)
    except dns.resolver.NXDOMAIN:
        return None
    except (dns.exception.DNSException, UnicodeError, OSError) as error:
        raise DnsSilent(_("The DNS does not answer for %(name)s: %(why)s") % {"name": name, "why": error}) from error
    return list(answer.rrset or ())


@cache
def _resolver(servers: tuple[str, ...]) -> dns.resolver.Resolver:
    """The system's resolver, or the servers named in the settings as address:port. It keeps answers for their time."""
    resolver = dns.resolver.Resolver(configure=not servers)
    if servers:
        split = [server.rpartition(":") for server in servers]
        resolver.nameservers = [dns.nameserver.Do53Nameserver(host.strip("[]"), int(port)) for host, _, port in split]
    resolver.lifetime, resolver.timeout = DNS_SECONDS, DNS_SECONDS / 2
    resolver.cache = dns.resolver.LRUCache(10_000)
    return resolver

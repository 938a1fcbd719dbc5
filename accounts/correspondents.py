"""Correspondents: whoever is written to, found in the directories or put there."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from portal import bulk
from portal.models import Organization

from .directories import CONTROLS, MAX_NAME, domain_of
from .models import Domain, User


class Correspondent(NamedTuple):
    """What is asked of a user who is written to; 500 at once, of whom whole users would take four times as long."""

    id: UUID
    address: str
    name: str
    is_internal: bool
    password_set_at: datetime | None
    notify: str
    time_zone: str  # the organisation's, where they chose none


def find_or_create(organization: Organization, people: Mapping[str, str]) -> dict[str, Correspondent]:
    """The people of these addresses (normalised, each with a name for a newcomer), made where unknown.

    In the caller's transaction, six queries at most. A domain nobody knows becomes an external one; a new address
    on an internal domain is an internal user without a licence.
    """
    found = _known(organization, people)
    missing = sorted(set(people) - set(found))  # in one order everywhere, so that parallel senders do not deadlock
    if missing:
        domains = _find_or_create_domains(organization, {domain_of(address) for address in missing})
        User.objects.bulk_create(
            [_new_user(organization, domains[domain_of(address)], address, people[address]) for address in missing],
            ignore_conflicts=True,
        )
        found |= _known(organization, missing)
    return found


def _known(organization: Organization, addresses: Iterable[str]) -> dict[str, Correspondent]:
    users = User.objects.filter(organization=organization, address__in=bulk.among_texts(list(addresses))).values_list(
        "id", "address", "name", "domain__is_internal", "password_set_at", "notify", "time_zone"
    )
    return {
        address: Correspondent(user, address, name, internal, password_set_at, notify, zone or organization.time_zone)
        for user, address, name, internal, password_set_at, notify, zone in users
    }


def _find_or_create_domains(organization: Organization, names: set[str]) -> dict[str, Domain]:
    known = Domain.objects.filter(organization=organization, name__in=names)
    domains = {domain.name: domain for domain in known}
    if missing := sorted(names - set(domains)):
        Domain.objects.bulk_create(
            [Domain(organization=organization, name=name) for name in missing], ignore_conflicts=True
        )
        domains |= {domain.name: domain for domain in known.all()}
    return domains


def _new_user(organization: Organization, domain: Domain, address: str, name: str) -> User:
    user = User(organization=organization, domain=domain, address=address, name=CONTROLS.sub(" ", name)[:MAX_NAME])
    user.set_unusable_password()
    return user

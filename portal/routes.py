"""Routes: by which way a mail leaves. An organisation's own for the domain, else its route for all other domains, else
the installation's relay (settings.EMAIL_*).

A destination is what is reached, or not, as a whole: a relay, or the mail servers of one domain.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from . import keyring
from .models import MailRoute, Organization, OutgoingMail


class Encryption(Enum):
    NEVER = auto()  # the installation's own relay on loopback
    IF_OFFERED = auto()
    VERIFIED = auto()  # the certificate proves the server's name, or nothing is sent


@dataclass(frozen=True)
class Destination:
    key: str
    name: str  # for people: the domain, or the relay's name
    encryption: Encryption
    domain: str
    relay: str = ""  # empty: the domain's own mail servers
    port: int = 0
    tls_from_start: bool = False
    user_name: str = ""
    organization_id: UUID | None = None
    route: MailRoute | None = None
    # Mail that takes this way: what a hold puts off.
    taken_by: Q = field(default_factory=Q, compare=False)

    def password(self) -> str:
        if self.route is None:
            return str(settings.EMAIL_HOST_PASSWORD)
        return open_password(self.route)

    def waiting(self) -> QuerySet[OutgoingMail]:
        return OutgoingMail.objects.filter(self.taken_by, state=OutgoingMail.State.DUE)


class Routes:
    """The routes as they stand at the beginning of a worker's turn; one query."""

    def __init__(self) -> None:
        rows = MailRoute.objects.all() if settings.MAIL_ROUTES else MailRoute.objects.none()
        self._rows = {(row.organization_id, row.domain): row for row in rows}
        self._found: dict[tuple[UUID, str], Destination] = {}

    def of(self, mail: OutgoingMail) -> Destination:
        domain = mail.to_address.rpartition("@")[2]
        key = (mail.organization_id, domain)
        if key not in self._found:
            self._found[key] = self._destination(*key)
        return self._found[key]

    def _destination(self, organization_id: UUID, domain: str) -> Destination:
        row = self._rows.get((organization_id, domain)) or self._rows.get((organization_id, ""))
        if row is None:
            return self._installation(domain)
        encryption = Encryption.VERIFIED if row.tls == MailRoute.Tls.ENFORCED else Encryption.IF_OFFERED
        if row.way == MailRoute.Way.MX:
            return Destination(
                key=f"mx:{row.pk}:{domain}",
                name=domain,
                encryption=encryption,
                domain=domain,
                organization_id=organization_id,
                route=row,
                taken_by=Q(organization=organization_id, to_address__endswith=f"@{domain}"),
            )
        return Destination(
            key=f"relay:{row.pk}:{row.host}:{row.port}",
            name=row.host,
            encryption=encryption,
            domain=domain,
            relay=row.host,
            port=row.port,
            tls_from_start=row.tls_from_start,
            user_name=row.user_name,
            organization_id=organization_id,
            route=row,
            taken_by=self._by(row),
        )

    def _by(self, row: MailRoute) -> Q:
        mine = Q(organization=row.organization_id)
        return mine & Q(to_address__endswith=f"@{row.domain}") if row.domain else mine & ~self._with_own_route(row)

    def _with_own_route(self, default: MailRoute) -> Q:
        return _any(
            Q(to_address__endswith=f"@{domain}")
            for owner, domain in self._rows
            if owner == default.organization_id and domain
        )

    def _installation(self, domain: str) -> Destination:
        verified = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL
        elsewhere = _any(
            Q(organization=owner, to_address__endswith=f"@{domain}") if domain else Q(organization=owner)
            for owner, domain in self._rows
        )
        return Destination(
            key=f"relay:{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
            name=settings.EMAIL_HOST,
            encryption=Encryption.VERIFIED if verified else Encryption.NEVER,
            domain=domain,
            relay=settings.EMAIL_HOST,
            port=settings.EMAIL_PORT or 0,
            tls_from_start=bool(settings.EMAIL_USE_SSL),
            user_name=settings.EMAIL_HOST_USER or "",
            taken_by=~elsewhere,
        )


def _any(conditions: Iterable[Q]) -> Q:
    found = Q(pk__in=[])
    for condition in conditions:
        found |= condition
    return found


# --- A relay's password ---------------------------------------------------------------------------------------


def seal_password(route: MailRoute, password: str) -> None:
    """On the (unsaved) row; it is never shown again."""
    route.sealed_password = keyring.seal_text(keyring.leaf_key("mail_routes"), password, _place(route))


def open_password(route: MailRoute) -> str:
    if not route.sealed_password:
        return ""
    return keyring.unseal_text(keyring.leaf_key("mail_routes"), route.sealed_password, _place(route))


def _place(route: MailRoute) -> keyring.Place:
    organization: UUID | Organization = route.organization_id
    return ("mail_route", str(organization), route.pk, "password")

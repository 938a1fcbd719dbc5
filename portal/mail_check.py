"""The self-check: what receivers find in the DNS about the mail an organisation sends, and what should be there.

Looked up by a worker, never in a request. A finding is kept without words; the console has them
(portal/admin/mail_check.py): check, verdict, what was found, and the record to publish.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.core.mail.utils import DNS_NAME
from django.db import transaction

from . import dkim_keys, envelope, mail_hosts, moments, outbox
from .models import DkimKey, MailCheck, MailRoute, Organization


@dataclass(frozen=True)
class Finding:
    check: str  # from, mx, spf, dkim, dmarc, reverse
    verdict: str  # what the console has words for
    found: list[str] = field(default_factory=list)
    name: str = ""  # where in the DNS
    publish: str = ""  # what should stand there


def request(row: MailCheck) -> None:
    """Have it done by a worker, within seconds."""
    row.requested_at = moments.now()
    row.save()
    transaction.on_commit(lambda: outbox.wake_up("portal.tasks.check_mail"))


def check_requested() -> None:
    """Do what was requested, one organisation after the other."""
    for row in MailCheck.objects.filter(requested_at__isnull=False).select_related("organization")[:20]:
        requested_at = row.requested_at
        row.findings = [asdict(finding) for finding in findings(row.organization)]
        # One that was requested meanwhile is done again.
        done = MailCheck.objects.filter(pk=row.pk, requested_at=requested_at)
        done.update(findings=row.findings, checked_at=moments.now(), requested_at=None)


def findings(organization: Organization) -> list[Finding]:
    """Every check, in the order in which a receiver would ask."""
    domain = envelope.domain_of(organization)
    asked: tuple[tuple[str, Any], ...] = (
        ("mx", lambda: _mx(domain)),
        ("spf", lambda: _spf(envelope.return_domain(organization))),
        ("dkim", lambda: _dkim(organization, domain)),
        ("dmarc", lambda: _dmarc(domain)),
        ("reverse", lambda: _reverse(organization)),
    )
    found = [Finding("from", "is", [envelope.from_header(organization)])]
    for check, ask in asked:
        try:
            found.append(ask())
        except mail_hosts.DnsSilent as error:
            found.append(Finding(check, "silent", [str(error)]))
    return found


def _mx(domain: str) -> Finding:
    rows = mail_hosts.records(domain, "MX") or []
    hosts = [f"{row.preference} {row.exchange.to_text(omit_final_dot=True)}" for row in rows]
    return Finding("mx", "good" if hosts else "missing", hosts, domain, "" if hosts else "10 mail.example.")


def _spf(domain: str) -> Finding:
    found = [text for text in mail_hosts.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    wanted = f"v=spf1 a:{DNS_NAME.get_fqdn()} -all"
    if len(found) != 1:
        return Finding("spf", "several" if found else "missing", found, domain, wanted)
    ends = found[0].lower().split()[-1]
    if ends in ("+all", "all", "?all"):
        return Finding("spf", "weak", found, domain, wanted)
    return Finding("spf", "good", found, domain)


def _dkim(organization: Organization, domain: str) -> Finding:
    key = DkimKey.objects.filter(organization=organization, domain=domain).order_by("-created_at").first()
    if key is None:
        return Finding("dkim", "no_key")
    texts = mail_hosts.texts(str(key))
    if dkim_keys.is_published(key, texts):
        DkimKey.objects.filter(pk=key.pk, found_at__isnull=True).update(found_at=moments.now())
        return Finding("dkim", "good", texts, str(key))
    return Finding("dkim", "other" if texts else "missing", texts, str(key), dkim_keys.record_of(key))


def _dmarc(domain: str) -> Finding:
    """RFC 7489, 6.6.3: of the domain, or else of those above it, down to two labels."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        name = "_dmarc." + ".".join(labels[start:])
        found = [text for text in mail_hosts.texts(name) if text.lower().startswith("v=dmarc1")]
        if found:
            weak = "p=none" in "".join(found[0].lower().split())
            wanted = _dmarc_record(domain) if weak else ""
            return Finding("dmarc", "weak" if weak else "good", found, name, wanted)
    return Finding("dmarc", "missing", [], f"_dmarc.{domain}", _dmarc_record(domain))


def _dmarc_record(domain: str) -> str:
    return f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}"


def _reverse(organization: Organization) -> Finding:
    """Of the machine that speaks to other people's mail servers; a relay does that itself."""
    straight = MailRoute.objects.filter(organization=organization, way=MailRoute.Way.MX).exists()
    if not (straight and settings.MAIL_ROUTES):
        return Finding("reverse", "relay")
    own = DNS_NAME.get_fqdn()
    addresses = mail_hosts.addresses(own)
    if not addresses:
        return Finding("reverse", "no_address", [], own)
    named = {address: mail_hosts.names_of(address) for address in addresses}
    found = [f"{address}: {', '.join(names) or '-'}" for address, names in named.items()]
    matching = all(own in names for names in named.values())
    return Finding("reverse", "good" if matching else "other", found, own, "" if matching else own)

"""Signatures, aligned addresses, and the self-check of what receivers find in the DNS."""

import dkim
import pytest
from django.core.mail.utils import DNS_NAME

from portal import delivery, dkim_keys, mail_check, mail_hosts, outbox
from portal.models import DkimKey, MailCheck, MailRoute
from tests import dns_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def names(settings):
    with dns_server.running() as server:
        settings.DNS_SERVERS = [server.address]
        yield server


@pytest.fixture
def key(organization):
    key = dkim_keys.make(organization, DkimKey(organization=organization))
    key.save()
    return key


def publish(names, key) -> None:
    record = dkim_keys.record_of(key)
    # A TXT record is made of pieces of 255 characters at most.
    names.zone[str(key), "TXT"] = [" ".join(f'"{record[n : n + 250]}"' for n in range(0, len(record), 250))]
    mail_hosts._resolver.cache_clear()


def verifies(raw: bytes, names) -> bool:
    def txt(name: bytes, timeout: int = 5) -> bytes:
        return mail_hosts.texts(name.decode().rstrip("."))[0].encode()

    return dkim.verify(raw, dnsfunc=txt)


def signed_mail(enqueue, server) -> bytes:
    enqueue()
    assert delivery.deliver_due() == 1
    return server.mails[-1].raw


# --- DKIM -------------------------------------------------------------------------------------------------------


def test_mail_is_signed_once_the_record_is_found(enqueue, server, organization, key, names):
    assert b"DKIM-Signature" not in signed_mail(enqueue, server)
    publish(names, key)
    mail_check.findings(organization)
    raw = signed_mail(enqueue, server)
    assert raw.startswith(b"DKIM-Signature: ")
    assert b"d=portal.example;" in raw.replace(b"\r\n ", b" ")
    assert verifies(raw, names)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"ein.example", b"aus.example"),
        (b"\r\nSubject:", b"\r\nSubject: another\r\nSubject:"),
        (b"\r\nFrom:", b"\r\nFrom: evil@outside.example\r\nFrom:"),
        (b"first@outside.example", b"second@outside.example"),
    ],
)
def test_what_was_changed_on_the_way_does_not_verify(enqueue, server, organization, key, names, before, after):
    from email.message import EmailMessage

    def render(mail) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = "Signed"
        message.set_content("A word about ein.example")
        return message

    outbox.register("probe", render)
    publish(names, key)
    mail_check.findings(organization)
    raw = signed_mail(enqueue, server)
    assert verifies(raw, names)
    changed = raw.replace(before, after, 1)
    assert changed != raw
    assert not verifies(changed, names)


def test_each_organisation_signs_with_its_own_key(enqueue, server, organization, other_organization, key, names):
    publish(names, key)
    mail_check.findings(organization)
    mail = enqueue()
    type(mail).objects.filter(pk=mail.pk).update(organization=other_organization)
    delivery.deliver_due()
    assert b"DKIM-Signature" not in server.mails[0].raw


def test_the_newest_published_key_signs(enqueue, server, organization, key, names):
    publish(names, key)
    mail_check.findings(organization)
    newer = dkim_keys.make(organization, DkimKey(organization=organization))
    newer.save()
    assert f"s={key.selector};".encode() in signed_mail(enqueue, server).replace(b"\r\n ", b" ")
    publish(names, newer)
    mail_check.findings(organization)
    assert f"s={newer.selector};".encode() in signed_mail(enqueue, server).replace(b"\r\n ", b" ")


def test_the_private_key_is_sealed_in_its_place(key):
    assert b"PRIVATE" not in bytes(key.sealed_private_key)
    other = DkimKey(organization=key.organization, sealed_private_key=key.sealed_private_key)
    with pytest.raises(dkim_keys.keyring.SealBroken):
        dkim_keys.keyring.unseal(dkim_keys.keyring.leaf_key("dkim"), other.sealed_private_key, dkim_keys._place(other))


# --- From -------------------------------------------------------------------------------------------------------


def test_an_organisations_own_address_stands_everywhere(enqueue, server, organization):
    organization.mail_from = "secure@north.example"
    organization.name = "Nördliche\r\nKlinik"
    organization.save()
    mail = enqueue()
    senders = []
    server.script["MAIL"] = lambda argument: senders.append(argument)
    delivery.deliver_due()
    message = server.mails[0].message
    assert message["From"].addresses[0].addr_spec == "secure@north.example"
    assert message["From"].addresses[0].display_name == "Nördliche Klinik"
    assert mail.message_id.endswith("@north.example>")
    assert "secure@north.example" in senders[0]


# --- The self-check -----------------------------------------------------------------------------------------------


def verdicts(organization) -> dict[str, str]:
    mail_hosts._resolver.cache_clear()
    return {finding.check: finding.verdict for finding in mail_check.findings(organization)}


def test_nothing_published(organization, names):
    assert verdicts(organization) == {
        "from": "is",
        "mx": "missing",
        "spf": "missing",
        "dkim": "no_key",
        "dmarc": "missing",
        "reverse": "relay",
    }


def test_everything_published(organization, key, names):
    own = DNS_NAME.get_fqdn()
    MailRoute.objects.create(organization=organization)
    publish(names, key)
    names.zone |= {
        ("portal.example", "MX"): ["10 mail.portal.example."],
        ("portal.example", "TXT"): ['"v=spf1 a:mail.portal.example -all"', '"something else"'],
        ("_dmarc.portal.example", "TXT"): ['"v=DMARC1; p=reject"'],
        (own, "A"): ["192.0.2.7"],
        ("7.2.0.192.in-addr.arpa", "PTR"): [f"{own}."],
    }
    found = verdicts(organization)
    assert found.pop("from") == "is"
    assert found == dict.fromkeys(("mx", "spf", "dkim", "dmarc", "reverse"), "good")


@pytest.mark.parametrize(
    ("records", "check", "verdict"),
    [
        ({("portal.example", "TXT"): ['"v=spf1 +all"']}, "spf", "weak"),
        ({("portal.example", "TXT"): ['"v=spf1 -all"', '"v=spf1 mx -all"']}, "spf", "several"),
        ({("portal.example", "TXT"): dns_server.SILENCE}, "spf", "silent"),
        ({("_dmarc.portal.example", "TXT"): ['"v=DMARC1; p=none"']}, "dmarc", "weak"),
    ],
)
def test_what_is_not_as_it_should_be(organization, names, records, check, verdict, monkeypatch):
    monkeypatch.setattr(mail_hosts, "DNS_SECONDS", 0.3)
    names.zone |= records
    assert verdicts(organization)[check] == verdict


def test_dmarc_is_found_above_the_domain(organization, names):
    organization.mail_from = "secure@mail.north.example"
    names.zone["_dmarc.north.example", "TXT"] = ['"v=DMARC1; p=quarantine"']
    assert verdicts(organization)["dmarc"] == "good"


def test_another_record_under_the_keys_name(organization, key, names):
    names.zone[str(key), "TXT"] = ['"v=DKIM1; p=AAAA"']
    assert verdicts(organization)["dkim"] == "other"


def test_a_reverse_name_that_leads_elsewhere(organization, names):
    MailRoute.objects.create(organization=organization)
    names.zone[DNS_NAME.get_fqdn(), "A"] = ["192.0.2.7"]
    names.zone["7.2.0.192.in-addr.arpa", "PTR"] = ["elsewhere.example."]
    assert verdicts(organization)["reverse"] == "other"


def test_only_what_was_requested_is_checked(organization, other_organization, names):
    row = MailCheck.objects.create(organization=organization)
    MailCheck.objects.create(organization=other_organization)
    mail_check.check_requested()
    assert not names.asked
    mail_check.request(row)
    mail_check.check_requested()
    row.refresh_from_db()
    assert row.requested_at is None
    assert row.checked_at is not None
    assert {finding["check"] for finding in row.findings} >= {"spf", "dkim"}
    assert MailCheck.objects.get(organization=other_organization).findings == []

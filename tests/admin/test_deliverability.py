"""Console, Account: DKIM keys, the mail check, and the organisation's own From."""

import pytest

from portal import mail_check
from portal.admin.mail_check import TITLES, VERDICTS, WORDS
from portal.models import AuditEvent, DkimKey, MailCheck, Organization
from tests import dns_server

from .conftest import page
from .test_organizations import FIELDS


@pytest.fixture
def names(settings):
    with dns_server.running() as server:
        settings.DNS_SERVERS = [server.address]
        yield server


def test_making_a_key_shows_the_record_to_publish(north):
    DkimKey.objects.all().delete()
    response = north.client.post(page(DkimKey, "add"), {}, follow=True)
    key = DkimKey.objects.get()
    shown = response.content.decode()
    assert f"{key.selector}._domainkey.portal.example" in shown
    assert f"v=DKIM1; k=rsa; p={key.public_key}" in shown
    assert "PRIVATE" not in shown
    assert [event.action for event in AuditEvent.objects.filter(about=key.pk)] == ["dkimkey.created"]


def test_a_key_is_made_by_one_button_that_leads_to_its_record(north):
    html = north.client.get(page(DkimKey, "add")).content.decode()
    assert 'name="_save"' in html
    assert 'name="_addanother"' not in html
    assert 'name="_continue"' not in html
    response = north.client.post(page(DkimKey, "add"), {"_save": "Save"})
    assert response.url == page(DkimKey, "change", DkimKey.objects.latest("created_at").pk)


def test_a_key_is_not_changed_only_deleted(north):
    assert north.client.post(page(DkimKey, "change", north.key.pk), {"selector": "x"}).status_code == 403
    assert north.client.post(page(DkimKey, "delete", north.key.pk), {"post": "yes"}).status_code == 302
    assert not DkimKey.objects.filter(pk=north.key.pk).exists()


def test_the_check_is_made_by_a_worker_and_shown_in_words(north, names):
    url = page(MailCheck, "change", north.check.pk)
    assert north.client.get(page(MailCheck, "changelist")).url == url
    assert "Not checked yet" in north.client.get(url).content.decode()
    asked = north.client.post(url, follow=True).content.decode()
    assert asked.count("The check is being made.") == 1
    assert 'data-finished="no"' in asked  # followed by a script, else by a link
    assert "Look again" in asked
    assert not names.asked
    mail_check.check_requested()
    shown = north.client.get(url).content.decode()
    assert "Who may send (SPF): to do" in shown
    assert "v=spf1" in shown
    assert "_dmarc.portal.example" in shown


def test_every_verdict_has_words(north):
    """As far as the source names them."""
    import re
    from pathlib import Path

    source = Path(mail_check.__file__).read_text()
    named = set(re.findall(r'Finding\("(\w+)", "(\w+)"', source))
    named |= {
        (check, verdict)
        for check, either in re.findall(r'Finding\("(\w+)", ("\w+" if .*? else "\w+")', source)
        for verdict in re.findall(r'"(\w+)"', either)
    }
    assert len(named) >= 15
    assert named == set(WORDS)
    assert {check for check, _verdict in named} == set(TITLES)
    assert "good" in VERDICTS


@pytest.mark.parametrize(
    ("address", "taken"),
    [("secure@north.example", True), ("secure@partner.north.example", False), ("boss@bank.example", False)],
)
def test_from_is_on_a_domain_of_the_organisations_own(north, address, taken):
    response = north.client.post(page(Organization, "change", north.organization.pk), FIELDS | {"mail_from": address})
    assert (response.status_code == 302) is taken
    north.organization.refresh_from_db()
    assert north.organization.mail_from == (address if taken else "")

"""Every kind of mail, as it goes over the wire: what a careful postmaster would look at. A kind that is missing from
the table fails the suite."""

import re
from datetime import timedelta
from email.parser import BytesParser
from email.policy import default as email_policy

import pytest
from django.utils import timezone

from accounts import credentials, mails, throttling
from accounts.models import SecondFactor, User
from messaging import approved_reading, drafts, sending
from messaging.models import ApprovedReading, Erasure, MailboxEntry, Recipient
from portal import audit, envelope, moments, outbox
from portal.ids import uuid7
from portal.models import Organization, OutgoingMail

pytestmark = pytest.mark.django_db

OWN = "http://127.0.0.1:8000/"
# The one mail that carries what a person wrote, to the organisation's own mail server.
WRITTEN_BY_A_PERSON = "mail_server_copy"


@pytest.fixture
def about(sender, recipient, make_user, organization):
    """about[kind]: the id of what such a mail is about, with everything in place for it to be wanted."""
    Organization.objects.update(
        bcc_to_mail_server=True, password_age_days=30, mail_from="secure@north.example", name="Nördliche Klinik"
    )
    organization.refresh_from_db()
    sender.organization = recipient.organization = organization
    newcomer = make_user(organization, "newcomer@outside.example", password=None)
    subject = User.objects.get(pk=recipient.pk)
    subject.change_ordered_at = timezone.now()
    subject.failures = throttling.MOST_FAILURES
    subject.password_set_at = timezone.now() - timedelta(days=29)
    subject.save()
    SecondFactor.objects.create(user=subject, removal_due_at=timezone.now() + timedelta(days=1))
    text = drafts.DraftText(to=recipient.address, subject="Ergebnisse", body="<p>Alles gut</p>")
    entry = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry
    sent = sending.send_draft(actor=sender, entry=entry)
    row = Recipient.objects.get(message=sent.message)
    Recipient.objects.update(read_at=None)
    copies = {entry.kind: entry.id for entry in MailboxEntry.objects.filter(message=sent.message)}
    (first_visit,) = credentials.first_visit_mails([newcomer], due_at=moments.now())
    event = audit.record(
        organization, "log_in.from_new_browser", actor=subject, about=subject.pk, browser="Mozilla/5.0 Firefox/140.0"
    )
    of_the_person = dict.fromkeys(
        (
            "portal_link",
            "password_set_by_administrator",
            "password_issued",
            "password_change_ordered",
            "password_expiring",
            "account_locked",
            "second_factor_changed",
            "second_factor_locked",
            "second_factor_removal",
            "password_changed",
        ),
        subject.pk,
    )
    return of_the_person | {
        "password_notification": first_visit.about,
        "password_reset": credentials.for_reset(subject).pk,
        "new_browser": event.pk,
        "address_changed": audit.record(
            organization, "user.renamed", about=subject.pk, before="old@outside.example", after=subject.address
        ).pk,
        "done_by_administrator": audit.record(organization, sorted(mails._DONE)[0], actor=sender, about=subject.pk).pk,
        "notification": copies["received"],
        "infected_file": audit.record(
            organization, "attachment.scanned", about=sent.message_id, scan="infected", virus="Eicar-Signature"
        ).pk,
        "erased": Erasure.objects.create(
            organization=organization, user=newcomer, actor=sender, address=newcomer.address, ordered_at=moments.now()
        ).pk,
        "reminder": copies["received"],
        "notification_failed": row.pk,
        "read_receipt": row.pk,
        "approved_reading": _approved_reading(sent.message, sender, subject).pk,
        "digest": row,
        "portal_closing": organization.pk,
        "portal_closing_called_off": organization.pk,
        WRITTEN_BY_A_PERSON: copies["own_copy"],
    }


def _approved_reading(message, asked_by, decided_by) -> ApprovedReading:
    asked = approved_reading.ask(actor=asked_by, message=message, reason="Ein Verdacht")
    approved_reading.decide(actor=decided_by, asked=asked, approved=True)
    return asked


KINDS = (
    "account_locked address_changed approved_reading digest done_by_administrator erased infected_file "
    "mail_server_copy new_browser notification notification_failed portal_closing portal_closing_called_off "
    "password_change_ordered password_changed password_expiring password_issued password_notification password_reset "
    "password_set_by_administrator portal_link read_receipt reminder second_factor_changed second_factor_locked "
    "second_factor_removal"
).split()


def written(kind: str, about: dict, organization: Organization) -> tuple[bytes, OutgoingMail]:
    row = about[kind]
    mail = outbox.new_mail(
        organization=organization,
        kind=kind,
        about=row.user_id if kind == "digest" else row,
        to_address="first@outside.example",
        dedupe_key=kind,
        due_at=moments.now(),
    )
    mail.save()
    if kind == "portal_closing":
        organization.closing_at = moments.now()
    if kind == "digest":
        Recipient.objects.filter(pk=row.pk).update(notification=mail)
    if kind == "read_receipt":
        Recipient.objects.filter(pk=row).update(read_at=timezone.now())
    message = outbox.kinds[kind].render(mail)
    assert message is not None, "not wanted, though it should be"
    return envelope.dressed(message, mail), mail


def test_the_table_has_every_kind(about):
    ours = {kind for kind, how in outbox.kinds.items() if how.prepare([]).__module__.split(".")[0] != "tests"}
    assert ours == set(KINDS) == set(about)


def test_each_kind_has_words_of_its_own():
    """What the console's list of outgoing mail calls them: no two alike, and none by the name in its row."""
    words = {outbox.in_words(kind) for kind in KINDS}
    assert len(words) == len(KINDS)
    assert not words & set(KINDS)
    assert [each for each in words if "_" in each] == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_as_a_postmaster_would_have_it(kind, about, organization):
    raw, mail = written(kind, about, organization)
    message = BytesParser(policy=email_policy).parsebytes(raw)
    assert raw.isascii(), "7 bit"
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert message["From"].addresses[0].addr_spec == "secure@north.example"
    assert message["Message-ID"] == mail.message_id
    assert mail.message_id.endswith("@north.example>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == mail.date.replace(microsecond=0)
    assert {name.lower() for name in message} <= {
        *("from", "to", "subject", "date", "message-id", "auto-submitted", "reply-to", "mime-version", "content-type"),
        "content-transfer-encoding",
    }
    assert message.get_body(("plain",)) is not None
    assert message.get_body(("html",)) is not None


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {WRITTEN_BY_A_PERSON}))
def test_it_asks_for_one_thing_and_leads_to_us_alone(kind, about, organization):
    raw, _mail = written(kind, about, organization)
    message = BytesParser(policy=email_policy).parsebytes(raw)
    html = message.get_body(("html",)).get_content()
    text = message.get_body(("plain",)).get_content()
    assert len(html) < 4_000
    links = re.findall(r'href="([^"]+)"', html)
    assert len(links) <= 1
    assert all(link.startswith(OWN) for link in links)
    # Where the temporary password is typed, beside the link that needs none.
    also = {f"{OWN}p/north/"} if kind == "password_reset" else set()
    assert set(re.findall(r"https?://\S+", text)) == set(links) | also
    assert not re.search(r"<(img|script|link|iframe|object|form)|url\(|\bsrc=", html)
    assert "Ergebnisse" not in html + text + str(message["Subject"])
    assert "Alles gut" not in html + text

"""A changed address: from the console to both mailboxes, and everything that stays."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts import credentials
from accounts.models import Domain, PortalSession, SecondFactor, User
from messaging.models import RecipientUse
from portal import delivery
from portal.models import AuditEvent, OutgoingMail

from ..conftest import PASSWORD
from ..messaging.conftest import send, write  # noqa: F401  fixtures
from .conftest import just_confirmed, page

NEW = "married@elsewhere.example"


@pytest.fixture
def rename(north, recipient):
    """rename(address, user): what the console answers."""
    return lambda address, user=recipient: north.client.post(page(User, "rename", user.pk), {"address": address})


def test_mail_history_password_and_second_factor_stay(rename, recipient, sender, send, client, smtp):  # noqa: F811
    send(sender, to=recipient.address)
    delivery.deliver_due()
    factor = SecondFactor.objects.create(user=recipient)
    assert rename(" Married@Elsewhere.Example ").status_code == 302
    recipient.refresh_from_db()
    assert (recipient.address, recipient.domain.name) == (NEW, "elsewhere.example")
    assert recipient.check_password(PASSWORD)
    assert recipient.entries.get().wrapped_key
    assert recipient.received.get().address == "first@outside.example"
    assert SecondFactor.objects.filter(pk=factor.pk).exists()
    assert {mail["To"] for mail in smtp.messages} == {"first@outside.example"}


def test_both_addresses_are_told_and_it_is_written_down(rename, recipient, administrator, events, smtp):
    rename(NEW)
    delivery.deliver_due()
    assert {mail["To"] for mail in smtp.messages} == {"first@outside.example", NEW}
    for mail in smtp.messages:
        text = mail.get_body(("plain",)).get_content()
        assert "from first@outside.example to married@elsewhere.example" in text
    assert events(recipient) == [(administrator.address, "user.renamed")]
    assert AuditEvent.objects.get(action="user.renamed").details == {"before": "first@outside.example", "after": NEW}


def test_whoever_reads_mail_at_the_old_address_gets_no_further(rename, recipient, log_in, client):
    inside = log_in(recipient)
    link = credentials.link_token(credentials.for_reset(recipient).pk)
    rename(NEW)
    assert inside.get(reverse("inbox")).status_code == 302
    assert not PortalSession.objects.filter(user=recipient).exists()
    client.get(reverse("reset_link", args=["north", link]))
    assert (
        "This no longer works" in client.get(reverse("reset_link", args=["north", link]), follow=True).content.decode()
    )


def test_what_has_not_left_goes_to_the_new_address(rename, recipient, sender, send, stranger):  # noqa: F811
    send(sender, to=recipient.address)
    rename(NEW)
    waiting = OutgoingMail.objects.filter(kind="notification", state="due").exclude(dedupe_key__in=["north", "south"])
    assert [mail.to_address for mail in waiting] == [NEW]
    stranger.refresh_from_db()
    assert stranger.address == "first@outside.example"


def test_a_licence_counts_one_person_once(rename, recipient, sender, send):  # noqa: F811
    send(sender, to=recipient.address)
    RecipientUse.objects.create(sender=sender, month=date(2001, 1, 1), address=recipient.address)
    RecipientUse.objects.create(sender=sender, month=date(2001, 1, 1), address=NEW)
    rename(NEW)
    send(sender, to=NEW)
    uses = list(sender.recipient_uses.exclude(month=date(2001, 1, 1)).exclude(address__startswith="partner"))
    assert [use.address for use in uses] == [NEW]
    assert sender.recipient_uses.filter(month=date(2001, 1, 1)).count() == 2


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "This field is required."),
        ("nobody", "is not an email address"),
        ("first@outside.example", "This is the address already."),
        ("admin@north.example", "There is a user with this address already: admin@north.example."),
    ],
)
def test_what_cannot_be_is_said(rename, recipient, address, words):
    html = rename(address).content.decode()
    assert words in html
    recipient.refresh_from_db()
    assert recipient.address == "first@outside.example"


def test_a_licensed_sender_stays_internal(rename, sender):
    assert "Take the licence first." in rename("sender@outside.example", sender).content.decode()
    assert rename("surgeon@north.example", sender).status_code == 302
    assert Domain.objects.filter(name="outside.example", is_internal=True).count() == 0


def test_it_is_asked_who_it_is_first(north, recipient):
    url = page(User, "rename", recipient.pk)
    just_confirmed(north.client, timedelta(minutes=6))
    assert north.client.post(url, {"address": NEW}).url.startswith(reverse("confirm"))
    recipient.refresh_from_db()
    assert recipient.address == "first@outside.example"


def test_a_foreign_user_is_not_found(rename, south):
    assert rename(NEW, south.user).status_code == 404

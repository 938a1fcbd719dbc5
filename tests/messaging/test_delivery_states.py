"""What the sender sees of a notification on its way, and is told when it has finally failed."""

from datetime import timedelta

import pytest
from django.urls import reverse

from portal import bounces, delivery, moments
from portal.ids import uuid7
from portal.models import AuditEvent, MailRoute, OutgoingMail
from tests.smtp_server import running

from .conftest import copy_of, send_confirmed


@pytest.fixture
def server(settings):
    with running() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def sent(sender, recipient, send):
    return send(sender, to=recipient.address)


@pytest.fixture
def shown(sent, sender, log_in):
    """shown(): the sender's page of the message."""
    client = log_in(sender)
    return lambda: client.get(reverse("message", args=[copy_of(sent, sender).id])).content.decode()


def test_notified(sent, shown, server):
    assert "Notification waiting" in shown()
    delivery.deliver_due()
    assert "Notified" in shown()


def test_still_trying_with_the_servers_words(sent, shown, server):
    server.script["RCPT"] = "450 4.2.1 mailbox busy"
    delivery.deliver_due()
    assert "Still trying to notify" in shown()
    assert "4.2.1 mailbox busy" in shown()


def test_tls_that_a_route_demands_and_the_server_lacks(sent, shown, server, organization):
    MailRoute.objects.create(organization=organization, way="relay", host="127.0.0.1", port=server.port)
    delivery.deliver_due()
    assert "Still trying to notify" in shown()
    assert "does not offer STARTTLS" in shown()
    assert not {"MAIL", "DATA"} & set(server.verbs)


def test_finally_failed_is_told_in_sent_items_and_by_mail(sent, shown, server, sender):
    server.script["RCPT"] = lambda argument: "550 5.1.1 no such user" if "first@" in argument else None
    delivery.deliver_due()
    delivery.deliver_due()
    assert "Notification failed" in shown()
    assert "5.1.1 no such user" in shown()
    (told,) = [mail.message for mail in server.mails if mail.recipient == sender.address]
    text = told.get_body(("plain",)).get_content()
    assert "could not be announced to first@outside.example" in text
    assert "5.1.1 no such user" in text


def test_given_up_after_48_hours_is_told(sent, shown, server, sender):
    server.script["RCPT"] = lambda argument: "450 4.2.1 busy" if "first@" in argument else None
    delivery.deliver_due()
    OutgoingMail.objects.filter(to_address="first@outside.example").update(
        first_tried_at=moments.now() - timedelta(hours=48), due_at=moments.now() - timedelta(seconds=1)
    )
    delivery.deliver_due()
    delivery.deliver_due()
    assert "Notification failed" in shown()
    assert [mail.recipient for mail in server.mails] == [sender.address]


def test_a_recall_ends_what_is_still_being_tried(sent, sender, log_in, server):
    server.script["RCPT"] = "450 4.2.1 busy"
    delivery.deliver_due()
    entry = copy_of(sent, sender)
    log_in(sender).post(reverse("recall", args=[entry.id]))
    server.script.clear()
    OutgoingMail.objects.filter(finished_at__isnull=True).update(due_at=moments.now() - timedelta(seconds=1))
    delivery.deliver_due()
    assert not [mail for mail in server.mails if mail.recipient == "first@outside.example"]


# --- Mail that comes back -----------------------------------------------------------------------------------------

GONE = b"""Content-Type: multipart/report; boundary=edge

--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; outside.example

Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <first@outside.example> no such user

--edge--
"""


@pytest.fixture
def bounced(sent, server):
    """The notification was taken, and came back."""
    delivery.deliver_due()
    mail = OutgoingMail.objects.get(kind="notification")
    assert bounces.take(mail.pk, GONE) is not None
    return mail


def test_a_bounce_is_shown_and_told_to_the_sender(bounced, shown, server, sender):
    page = shown()
    assert "Notification bounced" in page
    assert "550 5.1.1 &lt;first@outside.example&gt; no such user" in page
    assert "Resend" in page
    delivery.deliver_due()
    (told,) = [mail.message for mail in server.mails if mail.recipient == sender.address]
    assert "no such user" in told.get_body(("plain",)).get_content()


def test_a_delay_that_was_reported_is_shown(sent, shown, server):
    delivery.deliver_due()
    delayed = GONE.replace(b"failed", b"delayed").replace(b"no such user", b"still trying")
    bounces.take(OutgoingMail.objects.get(kind="notification").pk, delayed)
    assert "Notified" in shown()
    assert "still trying" in shown()


def test_whoever_writes_to_the_address_again_is_asked(bounced, sender, recipient, log_in, send):
    form = {"to": recipient.address, "subject": "Again", "body": "Hello", "action": "send"}
    client = log_in(sender)
    page = client.post(reverse("draft", args=[uuid7()]), form)
    assert "A mail to first@outside.example came back on" in page.content.decode()
    assert "no such user" in page.content.decode()
    assert send_confirmed(client, reverse("draft", args=[uuid7()]), form).status_code == 302


def test_an_administrator_clears_it(bounced, recipient, administrator, sender, log_in):
    url = reverse("admin:accounts_user_change", args=[recipient.pk])
    client = log_in(administrator)
    assert "no such user" in client.get(url).content.decode()
    client.post(reverse("admin:accounts_user_clear_bounce", args=[recipient.pk]))
    assert "Nothing has come back" in client.get(url).content.decode()
    assert AuditEvent.objects.filter(action="user.bounce_cleared", about=recipient.pk).exists()
    form = {"to": recipient.address, "subject": "Again", "body": "Hello", "action": "send"}
    assert log_in(sender).post(reverse("draft", args=[uuid7()]), form).status_code == 302


def test_the_same_address_elsewhere_is_not_flagged(bounced, recipient, stranger):
    recipient.refresh_from_db()
    stranger.refresh_from_db()
    assert recipient.bounced_at is not None
    assert stranger.bounced_at is None

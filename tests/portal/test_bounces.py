"""Mail that comes back: over SMTP, to a return path of its own; read, written down, told. Forged ones do nothing."""

import asyncio
import smtplib
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from portal import bounce_receiver, bounces, delivery, moments, outbox
from portal.models import AuditEvent, OutgoingMail
from portal.return_paths import ReturnPaths

from .conftest import age, render

pytestmark = pytest.mark.django_db(transaction=True)

DSN = """\
From: MAILER-DAEMON@outside.example
To: {path}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="edge"

--edge
Content-Type: text/plain

I am sorry to have to inform you.

--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx1.outside.example
Arrival-Date: Tue, 24 Nov 2026 10:00:00 +0000

Final-Recipient: rfc822; first@outside.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {words}

--edge
Content-Type: message/rfc822

Subject: North Clinic: Secure Messaging Notification

--edge--
"""
GONE = {"action": "failed", "status": "5.1.1", "words": "550 5.1.1 no such user"}


@pytest.fixture(autouse=True)
def domain(settings):
    settings.BOUNCE_DOMAIN = "bounces.portal.example"


@pytest.fixture
def receiver():
    """The port the bounce receiver listens at."""
    loop = asyncio.new_event_loop()
    handler = bounce_receiver.Receiver()
    listening = loop.run_until_complete(loop.create_server(lambda: bounce_receiver.protocol(handler), "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield listening.sockets[0].getsockname()[1]
    handler._thread.shutdown()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.fixture
def sent(enqueue, server):
    """A mail that left, and its return path as the server heard it."""
    heard = []
    server.script["MAIL"] = lambda argument: heard.append(argument.partition("<")[2].partition(">")[0])
    mail = enqueue()
    assert delivery.deliver_due() == 1
    mail.path = heard[0]
    return mail


@pytest.fixture
def come_back(receiver, sent):
    """come_back(**fields): a DSN for the mail arrives. Returns the row."""

    def arrive(text: str = DSN, **fields) -> OutgoingMail:
        content = text.format(path=sent.path, **(GONE | fields))
        with smtplib.SMTP("127.0.0.1", receiver) as client:
            client.sendmail("", [sent.path], content)
        return OutgoingMail.objects.get(pk=sent.pk)

    return arrive


def test_mail_leaves_under_a_return_path_that_names_it(sent):
    assert sent.path.endswith("@bounces.portal.example")
    assert len(sent.path.partition("@")[0]) <= 64
    assert ReturnPaths().mail_id(sent.path) == sent.pk
    assert ReturnPaths().mail_id(sent.path.upper()) == sent.pk, "some servers change the case"


def test_without_a_bounce_domain_it_leaves_under_our_own_address(enqueue, server, settings):
    settings.BOUNCE_DOMAIN = ""
    heard = []
    server.script["MAIL"] = heard.append
    enqueue()
    delivery.deliver_due()
    assert heard[0].startswith("FROM:<no-reply@portal.example>")


def test_a_failure_is_written_down_and_told_once(come_back, sent):
    told = []
    outbox.register("probe", render, failed=lambda mail: told.append((mail.pk, mail.last_words)))
    mail = come_back()
    assert mail.bounced_at is not None
    assert mail.bounce_words == "550 5.1.1 no such user"
    come_back(words="another time")
    assert told == [(sent.pk, "550 5.1.1 no such user")]
    assert AuditEvent.objects.get(action="mail.bounced").details["status"] == "5.1.1"


def test_a_delay_is_only_noted(come_back):
    told = []
    outbox.register("probe", render, failed=told.append)
    mail = come_back(action="delayed", status="4.4.1", words="451 4.4.1 connection timed out")
    assert (mail.bounced_at, mail.bounce_words) == (None, "451 4.4.1 connection timed out")
    assert not told
    assert come_back().bounced_at is not None, "and may fail after all"


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", "nonsense"])
def test_what_reports_no_trouble_changes_nothing(come_back, action):
    mail = come_back(action=action, status="2.0.0")
    assert (mail.bounced_at, mail.bounce_words) == (None, "")


def test_an_automatic_answer_changes_nothing(come_back):
    mail = come_back("From: first@outside.example\nSubject: On holiday\n\nI am away until Monday; 550 5.1.1.\n")
    assert (mail.bounced_at, mail.bounce_words) == (None, "")


QMAIL = """\
From: MAILER-DAEMON@outside.example
Subject: failure notice

Hi. This is the qmail-send program at outside.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<{address}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

"""


@pytest.mark.parametrize(
    ("address", "bounced"), [("first@outside.example", True), ("somebody.else@outside.example", False)]
)
def test_dialects_are_read_where_they_name_the_address(come_back, address, bounced):
    mail = come_back(QMAIL.replace("{address}", address))
    assert (mail.bounced_at is not None) is bounced


@pytest.mark.parametrize(
    ("status", "is_about_the_address"),
    [("5.1.1", True), ("5.0.0", True), ("5.4.4", True), ("5.2.2", False), ("5.7.1", False), ("4.4.7", False)],
)
def test_only_what_is_about_the_address_is_told_of_the_address(come_back, monkeypatch, status, is_about_the_address):
    told = []
    monkeypatch.setattr(bounces, "_on_hard_bounce", [told.append])
    assert come_back(status=status).bounced_at is not None
    assert bool(told) is is_about_the_address


def test_words_are_one_line_without_controls_and_of_bounded_length(come_back):
    mail = come_back(words="550 \x1b[31mred\x00\x07 " + "long\n " * 200)
    assert mail.bounce_words.startswith("550 [31mred long")
    assert len(mail.bounce_words) <= bounces.MOST_WORDS
    assert mail.bounce_words.isprintable()


# --- Forged ones ------------------------------------------------------------------------------------------------


def forged(path: str) -> list[str]:
    local, _at, domain = path.partition("@")
    other = "a" if local[-2] != "a" else "b"
    return [
        f"{local[:-2]}{other}{local[-1]}@{domain}",
        f"b-{'a' * 42}@{domain}",
        f"{local}@elsewhere.example",
        f"{local}x@{domain}",
        f"b-@{domain}",
        f"postmaster@{domain}",
        "nobody",
    ]


def test_only_return_paths_made_here_are_taken(receiver, sent):
    with smtplib.SMTP("127.0.0.1", receiver) as client:
        client.ehlo()
        client.mail("")
        for address in forged(sent.path):
            assert client.rcpt(address)[0] in (550, 553), address
        assert client.rcpt(sent.path)[0] == 250
        assert client.rcpt(sent.path)[0] == 452, "one at a time"


def test_it_relays_nothing_and_takes_nothing_large(receiver, sent):
    with smtplib.SMTP("127.0.0.1", receiver) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("", ["first@outside.example"], "Subject: relayed\n\n")
        with pytest.raises(smtplib.SMTPException):
            client.sendmail("", [sent.path], "x" * (bounce_receiver.MOST_BYTES + 1))


def test_late_ones_and_those_for_mail_that_never_left_do_nothing(come_back, sent):
    age(sent, date=timedelta(days=15))
    assert come_back().bounced_at is None
    OutgoingMail.objects.filter(pk=sent.pk).update(state="cancelled", date=moments.now())
    assert come_back().bounced_at is None


def test_a_deleted_mail_is_no_error(come_back, sent, receiver):
    OutgoingMail.objects.filter(pk=sent.pk).delete()
    with pytest.raises(OutgoingMail.DoesNotExist):
        come_back()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff" * 100,
        b"Content-Type: message/delivery-status\n\n",
        b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\nAction: failed",
        b"Content-Type: multipart/report\n\n--x",
        b"Content-Type: text/plain; charset=nonsense\n\nfirst@outside.example",
    ],
)
def test_nonsense_is_survived(content):
    report = bounces.read(content, "first@outside.example")
    assert report is None or report.failed


def test_a_database_that_is_away_asks_to_come_again(receiver, sent, monkeypatch):
    def fail(*_args):
        raise OSError("away")

    monkeypatch.setattr(bounces, "take", fail)
    with smtplib.SMTP("127.0.0.1", receiver) as client, pytest.raises(smtplib.SMTPDataError) as caught:
        client.sendmail("", [sent.path], "Subject: x\n\n")
    assert caught.value.smtp_code == 451


# --- The command --------------------------------------------------------------------------------------------------


def test_the_command_says_what_is_missing(settings):
    settings.BOUNCE_LISTEN = "nowhere"
    with pytest.raises(CommandError, match="BOUNCE_LISTEN"):
        call_command("receive_bounces")
    settings.BOUNCE_DOMAIN = ""
    with pytest.raises(CommandError, match="BOUNCE_DOMAIN"):
        call_command("receive_bounces")

"""What a mail server may say or do, verb by verb, and what becomes of the mail."""

import time
from datetime import timedelta
from email.message import EmailMessage

import pytest

from portal import delivery, moments, outbox
from portal import smtp as conversation
from portal.models import OutgoingMail
from portal.outbox import State
from tests.certificates import Certificate, certificate_for
from tests.smtp_server import CUT, DRIP, SILENCE, running

from .conftest import deliver_again, render

pytestmark = pytest.mark.django_db


@pytest.fixture
def certificate(tmp_path) -> Certificate:
    return certificate_for("127.0.0.1", tmp_path)


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("answer", ["421 4.3.2 closing", "450 4.2.0 busy", "451 4.3.0 error", "452 4.2.2 full"])
def test_4xx_is_tried_again_later(enqueue, server, verb, answer):
    mail = enqueue()
    server.script[verb] = answer
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert (mail.state, mail.attempts, mail.lease_until) == (State.DUE, 1, None)
    assert answer in mail.server_reply
    assert timedelta(seconds=5) < mail.due_at - moments.now() <= timedelta(seconds=15)
    assert delivery.deliver_due() == 0, "not before its time"
    del server.script[verb]
    assert deliver_again(mail) == 1
    assert [taken.message["Message-ID"] for taken in server.mails] == [mail.message_id]


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "552 5.3.4 too big", "554 5.7.1 rejected"])
def test_5xx_is_final(enqueue, server, verb, answer):
    told = []
    outbox.register("probe", render, failed=lambda mail: told.append((mail.pk, mail.state, mail.server_reply)))
    mail = enqueue()
    server.script[verb] = answer
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.server_reply) == (State.FAILED, answer)
    assert told == [(mail.pk, State.FAILED, answer)]
    assert deliver_again(mail) == 0


@pytest.mark.parametrize(
    ("verb", "answer"), [("GREETING", "554 no service here"), ("EHLO", "550 go away"), ("MAIL", "530 log in first")]
)
def test_5xx_about_the_portal_itself_gives_no_mail_up(enqueue, server, verb, answer):
    mail = enqueue()
    server.script[verb] = answer
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.DUE


def test_one_refused_address_does_not_concern_the_others(enqueue, server):
    mails = [enqueue(f"r{n}@outside.example") for n in range(5)]
    server.script["RCPT"] = lambda argument: "550 no such user" if "r2@" in argument else None
    assert delivery.deliver_due() == 5
    assert [OutgoingMail.objects.get(pk=mail.pk).state for mail in mails] == [
        State.FAILED if n == 2 else State.SENT for n in range(5)
    ]


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_line_cut_before_the_dot_is_tried_again(enqueue, server, verb):
    mail = enqueue()
    server.script[verb] = CUT
    delivery.deliver_due()
    mail.refresh_from_db()
    assert (mail.state, mail.ambiguous_at) == (State.DUE, None)
    server.script.clear()
    assert deliver_again(mail) == 1
    assert len(server.seen) == 1


def test_a_line_cut_after_the_dot_is_tried_once_more_under_the_same_name(enqueue, server):
    mail = enqueue()
    server.script["DOT"] = CUT
    assert delivery.deliver_due() == 0
    mail.refresh_from_db()
    assert mail.state == State.AMBIGUOUS
    assert mail.ambiguous_at is not None
    server.script.clear()
    assert deliver_again(mail) == 1
    mail.refresh_from_db()
    assert mail.state == State.SENT
    first, second = (seen.message for seen in server.seen)
    assert (first["Message-ID"], first["Date"]) == (second["Message-ID"], second["Date"])


def test_a_line_cut_after_the_dot_twice_is_given_up(enqueue, server):
    mail = enqueue()
    server.script["DOT"] = CUT
    delivery.deliver_due()
    assert deliver_again(mail) == 1
    mail.refresh_from_db()
    assert mail.state == State.FAILED
    assert deliver_again(mail) == 0
    assert len(server.seen) == 2


def test_an_ambiguous_mail_put_off_stays_ambiguous(enqueue, server):
    mail = enqueue()
    server.script["DOT"] = CUT
    delivery.deliver_due()
    server.script = {"RCPT": "450 greylisted"}
    deliver_again(mail)
    mail.refresh_from_db()
    assert mail.state == State.AMBIGUOUS
    server.script.clear()
    assert deliver_again(mail) == 1


@pytest.mark.parametrize("answer", [SILENCE, DRIP])
@pytest.mark.parametrize(("verb", "state"), [("EHLO", State.DUE), ("RCPT", State.DUE), ("DOT", State.AMBIGUOUS)])
def test_a_server_that_drags_its_feet_is_cut_off(enqueue, server, monkeypatch, verb, state, answer):
    monkeypatch.setattr(conversation, "BEFORE_DATA_SECONDS", 0.4)
    monkeypatch.setattr(conversation, "DATA_SECONDS", 0.4)
    mail = enqueue()
    server.script[verb] = answer
    started = time.monotonic()
    delivery.deliver_due()
    assert time.monotonic() - started < 2
    mail.refresh_from_db()
    assert mail.state == state


def test_nonsense_after_the_dot_is_ambiguous(enqueue, server):
    mail = enqueue()
    server.script["DOT"] = "what?"
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.AMBIGUOUS


@pytest.mark.parametrize("text", [".", ".\nRCPT TO:<evil@outside.example>\n.", "..", "a\n.\n.b"])
def test_dots_neither_end_a_mail_nor_get_lost(enqueue, server, text):
    message = EmailMessage()
    message.set_content(text)
    outbox.register("probe", lambda mail: message)
    enqueue()
    assert delivery.deliver_due() == 1
    assert server.mails[0].message.get_content().splitlines() == text.splitlines()
    assert [mail.recipient for mail in server.seen] == ["first@outside.example"]


@pytest.mark.parametrize("header", ["Subject", "Reply-To", "X-Reference"])
@pytest.mark.parametrize("value", ["a\r\nBcc: evil@outside.example", "a\nBcc: evil@outside.example", "a\rBcc: b"])
def test_a_line_break_in_a_header_makes_no_second_header(enqueue, server, header, value):
    def render_it(mail: OutgoingMail) -> EmailMessage:
        message = EmailMessage()
        message[header] = value
        return message

    outbox.register("probe", render_it)
    enqueue()
    delivery.deliver_due()
    assert not server.seen


def test_a_mail_accepted_by_a_server_that_then_hangs_up_is_sent(enqueue, server):
    mail = enqueue()
    server.script["QUIT"] = CUT
    assert delivery.deliver_due() == 1
    mail.refresh_from_db()
    assert mail.state == State.SENT


def test_with_no_server_the_others_keep_their_place(enqueue, settings):
    with running() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    mails = [enqueue(due_at=moments.now() - timedelta(seconds=9 - n)) for n in range(3)]
    assert delivery.deliver_due() == 0
    assert list(OutgoingMail.objects.order_by("date").values_list("attempts", flat=True)) == [1, 0, 0]
    mails[0].refresh_from_db()
    assert mails[0].state == State.DUE
    assert "refused" in mails[0].server_reply


def test_starttls_is_not_optional_where_it_is_set(enqueue, server, settings):
    settings.EMAIL_USE_TLS = True
    mail = enqueue()
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.DUE
    assert "STARTTLS" in mail.server_reply
    assert "MAIL" not in server.verbs


def test_a_certificate_nobody_vouches_for_is_refused(enqueue, server, settings, certificate):
    server.extensions, server.tls = ["STARTTLS"], certificate.context
    server.script["STARTTLS"] = "220 go on"
    settings.EMAIL_USE_TLS = True
    mail = enqueue()
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.DUE
    assert "certificate verify failed" in mail.server_reply
    assert "MAIL" not in server.verbs


def test_it_logs_in_under_tls(enqueue, server, settings, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    server.extensions, server.tls = ["STARTTLS", "AUTH PLAIN"], certificate.context
    server.script |= {"STARTTLS": "220 go on", "AUTH": "235 welcome"}
    settings.EMAIL_USE_TLS = True
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "portal", "secret"
    mail = enqueue()
    assert delivery.deliver_due() == 1, OutgoingMail.objects.get(pk=mail.pk).server_reply
    assert server.verbs[:6] == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT"]

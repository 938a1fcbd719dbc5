"""What the bounce receiver grants to strangers: TLS where there is a certificate, so many connections, for so long."""

import asyncio
import contextlib
import os
import smtplib
import ssl
import threading
import time

import pytest
from django.core.management import CommandError, call_command

from portal import bounce_receiver
from portal.ids import uuid7
from portal.models import OutgoingMail
from portal.return_paths import ReturnPaths
from tests.certificates import certificate_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def domain(settings):
    settings.BOUNCE_DOMAIN = "bounces.portal.example"


@pytest.fixture
def receiver(domain):
    """receiver(certificate): the port it listens at."""
    with contextlib.ExitStack() as ends:
        yield lambda certificate=None: ends.enter_context(_listening(certificate))


@contextlib.contextmanager
def _listening(certificate):
    loop, handler = asyncio.new_event_loop(), bounce_receiver.Receiver()
    server = loop.run_until_complete(
        loop.create_server(lambda: bounce_receiver.protocol(handler, certificate), "127.0.0.1", 0)
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    handler._thread.shutdown()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.fixture
def certificate(tmp_path):
    made = certificate_for("bounces.portal.example", tmp_path)
    return bounce_receiver.Certificate(made.path, made.path.with_suffix(".key"))


def connected(port: int) -> smtplib.SMTP:
    client = smtplib.SMTP("127.0.0.1", port, timeout=10)
    client.ehlo()
    return client


def test_a_bounce_comes_under_tls(receiver, certificate, tmp_path, enqueue):
    mail = enqueue()
    path = ReturnPaths().of(OutgoingMail.objects.get(pk=mail.pk))
    with connected(receiver(certificate)) as client:
        assert client.has_extn("starttls")
        client._host = "bounces.portal.example"  # smtplib checks the certificate against it
        client.starttls(context=ssl.create_default_context(cafile=tmp_path / "bounces.portal.example.pem"))
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.sendmail("", [path], "Subject: x\n\n") == {}


def test_a_renewed_certificate_is_shown_without_a_restart(receiver, certificate, tmp_path):
    port = receiver(certificate)

    def shown() -> bytes | None:
        with connected(port) as client:
            client.starttls(context=ssl._create_unverified_context())
            return client.sock.getpeercert(binary_form=True)

    first = shown()
    assert shown() == first
    renewed = certificate_for("bounces.portal.example", tmp_path)
    os.utime(renewed.path, (time.time() + 60, time.time() + 60))
    assert shown() != first


def test_without_a_certificate_there_is_no_tls(receiver):
    with connected(receiver()) as client:
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 454


def test_one_too_many_is_asked_to_come_later(receiver, monkeypatch):
    monkeypatch.setattr(bounce_receiver, "MOST_CONNECTIONS", 3)
    port = receiver()
    taken = [connected(port) for _ in range(3)]
    with pytest.raises(smtplib.SMTPConnectError) as caught:
        connected(port)
    assert caught.value.smtp_code == 421
    taken.pop().quit()
    ends = time.monotonic() + 10
    while True:  # until the server has noticed
        try:
            taken.append(connected(port))
            break
        except smtplib.SMTPConnectError:
            assert time.monotonic() < ends
    for client in taken:
        client.close()


@pytest.mark.parametrize("limit", ["SILENT_SECONDS", "LONGEST_SECONDS"])
def test_whoever_dawdles_is_hung_up_on(receiver, monkeypatch, limit):
    """Says nothing, or says a little again and again."""
    monkeypatch.setattr(bounce_receiver, limit, 0.3)
    client = connected(receiver())
    with pytest.raises(smtplib.SMTPServerDisconnected):
        for _ in range(100):
            if limit == "SILENT_SECONDS":
                client.getreply()
            client.noop()
            time.sleep(0.02)
    client.close()


def test_a_command_given_too_often_ends_the_conversation(receiver, monkeypatch):
    monkeypatch.setattr(bounce_receiver, "MOST_COMMANDS", 5)
    client = connected(receiver())
    codes = [client.noop()[0] for _ in range(6)]
    assert codes == [250] * 5 + [421]
    client.close()


def test_a_size_that_is_announced_is_refused_before_it_is_sent(receiver):
    path = ReturnPaths().of(OutgoingMail(id=uuid7()))
    with connected(receiver()) as client:
        assert int(client.esmtp_features["size"]) == bounce_receiver.MOST_BYTES
        assert client.mail("x@outside.example", [f"size={bounce_receiver.MOST_BYTES + 1}"])[0] == 552
        client.mail("x@outside.example")
        assert client.rcpt(path)[0] == 250


def test_a_wrong_certificate_stops_the_start(domain, settings, tmp_path):
    (tmp_path / "no.pem").write_text("nothing")
    for path in (tmp_path / "no.pem", tmp_path / "none.pem"):
        settings.BOUNCE_CERTIFICATE = str(path)
        with pytest.raises(CommandError, match="BOUNCE_CERTIFICATE"):
            call_command("receive_bounces")

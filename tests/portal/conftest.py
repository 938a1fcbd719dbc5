"""A kind of mail of the tests' own, and a mail server that does as it is told."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest

from portal import connections, delivery, moments, outbox
from portal.ids import uuid7
from portal.models import MailHold, MailRoute, OutgoingMail
from tests import dns_server
from tests.smtp_server import ScriptedServer, running

MX = "mx1.outside.example"


def render(mail: OutgoingMail) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Grüße"
    message.set_content(f"About {mail.about}\n.a line that begins with a dot\nand ünïcode")
    return message


@pytest.fixture
def probe_kind() -> None:
    outbox.register("probe", render)


@pytest.fixture
def server(settings) -> Iterator[ScriptedServer]:
    """Where the portal's mail goes."""
    with running() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server
        connections.close_idle(everything=True)


@pytest.fixture
def names(settings):
    """The DNS of these tests: outside.example has one mail server, and it is on loopback."""
    with dns_server.running() as server:
        settings.DNS_SERVERS = [server.address]
        server.zone["outside.example", "MX"] = [f"10 {MX}."]
        server.zone[MX, "A"] = ["127.0.0.1"]
        yield server


@pytest.fixture
def mx(settings, names):
    """The mail server of outside.example."""
    with running() as server:
        settings.MX_PORT = server.port
        yield server


@pytest.fixture
def route(organization):
    def make(domain: str = "", **fields) -> MailRoute:
        return MailRoute.objects.create(organization=organization, domain=domain, **fields)

    return make


@pytest.fixture
def enqueue(organization, probe_kind) -> Callable[..., OutgoingMail]:
    """enqueue(address, **fields): one mail in the outbox, due for a second."""

    def enqueue_one(to_address: str = "first@outside.example", **fields) -> OutgoingMail:
        values = {"kind": "probe", "about": uuid7(), "due_at": moments.now() - timedelta(seconds=1)} | fields
        values.setdefault("dedupe_key", f"probe:{values['about']}")
        mail = outbox.new_mail(organization=organization, to_address=to_address, **values)
        outbox.enqueue([mail])
        return mail

    return enqueue_one


def age(mail: OutgoingMail, **how_long_ago: timedelta) -> None:
    """Move moments of a row into the past: tests age rows, not clocks."""
    now = moments.now()
    OutgoingMail.objects.filter(pk=mail.pk).update(**{field: now - ago for field, ago in how_long_ago.items()})


def deliver_again(mail: OutgoingMail) -> int:
    """Deliver, with this mail's waiting time, and its destination's, over."""
    age(mail, due_at=timedelta(seconds=1))
    MailHold.objects.update(until=moments.now() - timedelta(seconds=1))
    return delivery.deliver_due()

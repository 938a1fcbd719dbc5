"""Routes lead to the Internet, not back into the network that the portal stands in."""

import socket
from ipaddress import ip_network

import pytest

from portal import delivery, mail_networks, mta_sts
from portal.models import MailRoute
from portal.outbox import State

from .conftest import MX

pytestmark = pytest.mark.django_db

SECOND = "mx2.outside.example"


@pytest.fixture(autouse=True)
def only_the_internet(settings):
    settings.MAIL_PRIVATE_NETWORKS = []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "2002:7f00:1::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_addresses_that_are_no_mail_servers(address):
    assert mail_networks.allowed([address]) == []


def test_addresses_of_the_internet():
    addresses = ["9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9", "64:ff9b::9.9.9.9"]
    assert mail_networks.allowed(["10.0.0.1", *addresses]) == addresses


def test_the_operator_names_networks(settings):
    settings.MAIL_PRIVATE_NETWORKS = [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]
    assert mail_networks.allowed(["10.1.2.3", "10.2.0.1", "fd00::1", "::ffff:10.1.2.3"]) == [
        "10.1.2.3",
        "fd00::1",
        "::ffff:10.1.2.3",
    ]


def test_a_domain_whose_servers_are_private_takes_no_mail(enqueue, names, mx, route):
    """Final, and the sender reads why; not one connection is made."""
    names.zone["outside.example", "MX"] = [f"10 {MX}.", f"20 {SECOND}."]
    names.zone[SECOND, "AAAA"] = ["::1"]
    route(tls="opportunistic")
    mail = enqueue()
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.FAILED
    assert "its mail servers are in a private network" in mail.server_reply
    assert "127.0.0.1" not in mail.server_reply
    assert not mx.verbs


def test_one_of_its_servers_is_private_and_the_other_away(enqueue, names, mx, route):
    """The other may come back: the mail waits."""
    names.zone["outside.example", "MX"] = [f"10 {MX}.", f"20 {SECOND}."]
    route(tls="opportunistic")
    mail = enqueue()
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.DUE
    assert f"{MX} is not to be found on the Internet; {SECOND}: " in mail.server_reply
    assert not mx.verbs


def test_an_organisations_relay_in_a_private_network_waits_for_the_operator(enqueue, mx, route, settings):
    """A mistake in the settings of the organisation or of the installation: nothing is given up for it."""
    route(way="relay", host="localhost", port=mx.port, tls="opportunistic")
    mail = enqueue()
    delivery.deliver_due()
    mail.refresh_from_db()
    assert mail.state == State.DUE
    assert "localhost is in a private network" in mail.server_reply
    assert not mx.verbs
    settings.MAIL_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8"), ip_network("::1")]
    MailRoute.objects.update(host="127.0.0.1")
    mail.due_at = mail.date
    mail.save()
    assert delivery.deliver_due() == 1
    assert mx.mails


def test_the_installations_own_relay_may_be_anywhere(enqueue, server):
    enqueue()
    assert delivery.deliver_due() == 1
    assert server.mails


def test_no_policy_is_fetched_from_a_private_network(names, settings):
    names.zone["_mta-sts.outside.example", "TXT"] = ['"v=STSv1; id=1;"']
    names.zone["mta-sts.outside.example", "A"] = ["127.0.0.1"]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.MTA_STS_PORT = listening.getsockname()[1]
        assert mta_sts.policy_for("outside.example") is None
        listening.settimeout(0)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert ("mta-sts.outside.example", "A") in names.asked

"""Connections to mail servers: opened as the destination demands, kept and used again.

A kept one is dropped when it has been idle, open or used for too long, or when the server shows any sign of being
tired of it. Mail servers of others are never met by more connections than are allowed (mail_slots.py).
"""

import smtplib
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from . import mail_hosts, mail_networks, mail_slots, mta_sts
from .dialling import NoTls, dialled, in_words
from .mail_networks import PrivateNetwork
from .models import MailSlot
from .routes import Destination, Encryption

# A kept connection ends after this long without use, this long altogether, and this many mails.
MOST_IDLE_SECONDS = 15
MOST_OPEN_SECONDS = 120
MOST_MAILS = 100
MOST_KEPT = 20  # by one process


class Unreachable(Exception):
    """No server of the destination can be talked to now, in words; every other mail to it would fare the same."""


@dataclass
class Connection:
    smtp: smtplib.SMTP
    destination: Destination
    slot: MailSlot | None = None
    opened_at: float = field(default_factory=time.monotonic)
    used_at: float = field(default_factory=time.monotonic)
    mails: int = 0
    reset: bool = False  # RSET has to come first: the last conversation ended in the middle

    def is_fresh(self) -> bool:
        now = time.monotonic()
        return (
            now - self.used_at < MOST_IDLE_SECONDS
            and now - self.opened_at < MOST_OPEN_SECONDS
            and self.mails < MOST_MAILS
        )

    def close(self) -> None:
        # QUIT is a courtesy; waiting for its answer would only widen the gap before the outcome is written down.
        with suppress(OSError):
            self.smtp.putcmd("QUIT")
        self.smtp.close()
        if self.slot is not None:
            mail_slots.give_back(self.slot)


# --- Kept connections -----------------------------------------------------------------------------------------

_kept: dict[Destination, list[Connection]] = {}
_lock = threading.Lock()


def kept(destination: Destination) -> Connection | None:
    """One that is open already and nobody is using; it is the caller's until `keep`."""
    with _lock:
        found = _kept.get(destination, [])
        connection = found.pop() if found else None
    if connection is None or connection.is_fresh():
        return connection
    connection.close()
    return kept(destination)


def keep(connection: Connection) -> None:
    connection.used_at = time.monotonic()
    with _lock:
        room = sum(map(len, _kept.values())) < MOST_KEPT
        if room and connection.is_fresh():
            _kept.setdefault(connection.destination, []).append(connection)
            return
    connection.close()


def close_idle(*, everything: bool = False) -> None:
    """Drop those that have been kept for too long, or all."""
    with _lock:
        old = [one for found in _kept.values() for one in found if everything or not one.is_fresh()]
        for connection in old:
            _kept[connection.destination].remove(connection)
        for destination in [key for key, found in _kept.items() if not found]:
            del _kept[destination]
    for connection in old:
        connection.close()


# --- Opening one ----------------------------------------------------------------------------------------------


def open_to(destination: Destination, deadline: float) -> Connection:
    """A new connection, ready for MAIL. `deadline` is of time.monotonic().

    Raises Unreachable, mail_slots.Busy, or mail_hosts.NoMailHere where there will never be anybody to talk to.
    """
    if destination.relay:
        try:
            addresses = _addresses_of_relay(destination)
            smtp = dialled(destination, destination.relay, addresses, destination.encryption, deadline)
        except (OSError, ValueError, NoTls, PrivateNetwork) as error:
            raise Unreachable(in_words(error)) from error
        return Connection(smtp, destination)
    return _open_to_mx(destination, deadline)


def _addresses_of_relay(destination: Destination) -> list[str]:
    """The installation's own is the operator's choice, wherever it is; an organisation's is not."""
    if destination.route is None:
        return [destination.relay]
    found = socket.getaddrinfo(destination.relay, None, type=socket.SOCK_STREAM)
    addresses = mail_networks.allowed(str(place[0]) for *_, place in found)
    if not addresses:
        raise PrivateNetwork(
            _("%(host)s is in a private network; the operator of this installation would have to allow that")
            % {"host": destination.relay}
        )
    return addresses


def _open_to_mx(destination: Destination, deadline: float) -> Connection:
    """The first of the domain's servers that answers as demanded."""
    try:
        hosts = mail_hosts.mail_hosts(destination.domain)
        policy = mta_sts.policy_for(destination.domain)
    except mail_hosts.DnsSilent as error:
        raise Unreachable(str(error)) from error
    enforced = policy is not None and policy.mode == "enforce"
    encryption = Encryption.VERIFIED if enforced else destination.encryption
    problems, private = [], 0
    for host in hosts:
        if time.monotonic() >= deadline:
            break
        if enforced and policy is not None and not mta_sts.allows(policy, host):
            problems.append(
                _("%(host)s is not among the servers that the domain's MTA-STS policy names") % {"host": host}
            )
            continue
        try:
            return _open_to_host(destination, host, encryption, deadline)
        except PrivateNetwork:
            private += 1
            problems.append(_("%(host)s is not to be found on the Internet") % {"host": host})
        except (OSError, ValueError, NoTls, mail_hosts.DnsSilent) as error:
            problems.append(f"{host}: {in_words(error)}")
    if private == len(hosts):
        # As final as a null MX: the domain says itself that nobody out here can write to it. Its sender is told now,
        # and not after two days of tries.
        raise mail_hosts.NoMailHere(
            _("%(domain)s takes no mail from the Internet: its mail servers are in a private network.")
            % {"domain": destination.domain}
        )
    raise Unreachable("; ".join(problems) or _("no server answered in time"))


def _open_to_host(destination: Destination, host: str, encryption: Encryption, deadline: float) -> Connection:
    slot = mail_slots.take(host)
    try:
        addresses = _addresses_of_host(host)
        return Connection(dialled(destination, host, addresses, encryption, deadline), destination, slot)
    except BaseException:
        mail_slots.give_back(slot)
        raise


def _addresses_of_host(host: str) -> list[str]:
    found = mail_hosts.addresses(host)
    if not found:
        raise OSError(_("the name has no address"))
    addresses = mail_networks.allowed(found)
    if not addresses:
        raise PrivateNetwork
    return addresses

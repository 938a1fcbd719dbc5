"""Connections to mail servers: opened as the destination demands, kept and used again.

A kept one is dropped when it has been idle, open or used for too long, or when the server shows any sign of being
tired of it. Mail servers of others are never met by more than `settings.MAIL_CONNECTIONS_PER_HOST` connections of all
workers together: each takes a slot in the database before it dials.
"""

import secrets
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.core.mail.utils import DNS_NAME
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from . import mail_hosts, mail_networks, moments, mta_sts, watchdog
from .mail_networks import PrivateNetwork
from .models import MailSlot
from .routes import Destination, Encryption

CONNECT_SECONDS = 10
# A kept connection ends after this long without use, this long altogether, and this many mails.
MOST_IDLE_SECONDS = 15
MOST_OPEN_SECONDS = 120
MOST_MAILS = 100
MOST_KEPT = 20  # by one process
SLOT_LEASE = timedelta(seconds=MOST_OPEN_SECONDS + 120)


class Unreachable(Exception):
    """No server of the destination can be talked to now, in words; every other mail to it would fare the same."""


class Busy(Exception):
    """As many connections to these servers are open as are allowed."""


class NoTls(Exception):
    """The server was reached, but not under the TLS that was demanded."""


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
            MailSlot.objects.filter(pk=self.slot.pk, holder=self.slot.holder).update(leased_until=Now())


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

    Raises Unreachable, Busy, or mail_hosts.NoMailHere where there will never be anybody to talk to.
    """
    if destination.relay:
        try:
            addresses = _addresses_of_relay(destination)
            smtp = _dialled_somewhere(destination, destination.relay, addresses, destination.encryption, deadline)
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
    slot = _take_slot(host)
    try:
        addresses = _addresses_of_host(host)
        return Connection(_dialled_somewhere(destination, host, addresses, encryption, deadline), destination, slot)
    except BaseException:
        MailSlot.objects.filter(pk=slot.pk, holder=slot.holder).update(leased_until=Now())
        raise


def _addresses_of_host(host: str) -> list[str]:
    found = mail_hosts.addresses(host)
    if not found:
        raise OSError(_("the name has no address"))
    addresses = mail_networks.allowed(found)
    if not addresses:
        raise PrivateNetwork
    return addresses


def _dialled_somewhere(
    destination: Destination, host: str, addresses: list[str], encryption: Encryption, deadline: float
) -> smtplib.SMTP:
    """At the first of the host's addresses that takes a connection."""
    last: Exception = OSError()
    for address in addresses:
        try:
            return _dialled(destination, host, address, encryption, deadline)
        except (ConnectionError, TimeoutError) as error:
            last = error
    raise last


def _dialled(
    destination: Destination, host: str, address: str, encryption: Encryption, deadline: float
) -> smtplib.SMTP:
    """Connected, greeted, encrypted and logged in. Raises OSError (smtplib's errors are some) or NoTls."""
    smtp = _client(destination, host, deadline)
    try:
        with time_limit(smtp, deadline - time.monotonic()):
            _greet(smtp, address, destination.port or (0 if destination.relay else settings.MX_PORT))
            if not destination.tls_from_start:
                _encrypt(smtp, host, encryption)
            if destination.user_name:
                smtp.login(destination.user_name, destination.password())
        return smtp
    except _Handshake:
        # Offered and then not spoken: no worse than never offered (RFC 7435).
        smtp.close()
        return _dialled(destination, host, address, Encryption.NEVER, deadline)
    except BaseException:
        smtp.close()
        raise


class _Handshake(Exception):
    """STARTTLS was offered and did not come about, where none is demanded."""


def _client(destination: Destination, host: str, deadline: float) -> smtplib.SMTP:
    seconds = max(0.05, min(CONNECT_SECONDS, deadline - time.monotonic()))
    name = DNS_NAME.get_fqdn()
    if destination.tls_from_start:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            local_hostname=name, timeout=seconds, context=_tls(destination.encryption)
        )
    else:
        smtp = smtplib.SMTP(local_hostname=name, timeout=seconds)
    # smtplib checks the certificate against the name it finds here.
    smtp._host = host  # type: ignore[attr-defined]
    return smtp


def _greet(smtp: smtplib.SMTP, address: str, port: int) -> None:
    code, words = smtp.connect(address, port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, words)
    assert smtp.sock is not None  # noqa: S101  for the type checker: connect() made it
    smtp.sock.settimeout(settings.EMAIL_TIMEOUT)
    smtp.ehlo_or_helo_if_needed()


def _encrypt(smtp: smtplib.SMTP, host: str, encryption: Encryption) -> None:
    if encryption == Encryption.NEVER:
        return
    if not smtp.has_extn("starttls"):
        if encryption == Encryption.VERIFIED:
            raise NoTls(_("%(host)s does not offer STARTTLS, and without it nothing is sent") % {"host": host})
        return
    try:
        smtp.starttls(context=_tls(encryption))
        smtp.ehlo_or_helo_if_needed()
    except (OSError, smtplib.SMTPException) as error:
        if encryption == Encryption.VERIFIED:
            raise NoTls(
                _("the TLS of %(host)s cannot be trusted, and without it nothing is sent (%(why)s)")
                % {"host": host, "why": in_words(error)}
            ) from error
        raise _Handshake from error


def _tls(encryption: Encryption) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if encryption != Encryption.VERIFIED:
        # Whoever could show a false certificate could as well leave TLS out.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def time_limit(smtp: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """Cut the connection after so long: a socket's own time-out begins anew with every byte a server drips."""
    with watchdog.after(seconds, partial(_cut, smtp)):
        yield


def _cut(smtp: smtplib.SMTP) -> None:
    if smtp.sock is not None:
        with suppress(OSError):
            # The base class's, because an SSLSocket's forgets its TLS state under the reader's feet.
            socket.socket.shutdown(smtp.sock, socket.SHUT_RDWR)


def in_words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return f"{error.smtp_code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"
    if isinstance(error, NoTls | PrivateNetwork | mail_hosts.DnsSilent):
        return str(error)
    return f"{type(error).__name__}: {error}"


# --- Slots ----------------------------------------------------------------------------------------------------


def _take_slot(host: str) -> MailSlot:
    """Busy when none is free. A slot whose holder was lost is free again when its lease runs out."""
    most = settings.MAIL_CONNECTIONS_PER_HOST
    mine = MailSlot.objects.filter(host=host, number__lt=most)
    if mine.count() < most:
        free = moments.now() - timedelta(seconds=1)
        rows = [MailSlot(host=host, number=number, leased_until=free) for number in range(most)]
        MailSlot.objects.bulk_create(rows, ignore_conflicts=True)
    for slot in mine.filter(leased_until__lte=Now()).order_by("number"):
        slot.holder = secrets.token_hex(8)
        taken = mine.filter(pk=slot.pk, leased_until__lte=Now()).update(
            holder=slot.holder, leased_until=Now() + SLOT_LEASE
        )
        if taken:
            return slot
    raise Busy(_("as many connections to %(host)s are open as are allowed") % {"host": host})

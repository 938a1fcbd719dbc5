"""Dialling a mail server: from its addresses to a conversation that is greeted, encrypted as the destination demands,
and logged in."""

import smtplib
import socket
import ssl
import time
from contextlib import AbstractContextManager, suppress
from functools import partial

from django.conf import settings
from django.core.mail.utils import DNS_NAME
from django.utils.translation import gettext as _

from . import mail_hosts, watchdog
from .mail_networks import PrivateNetwork
from .routes import Destination, Encryption

CONNECT_SECONDS = 10


class NoTls(Exception):
    """The server was reached, but not under the TLS that was demanded."""


def dialled(
    destination: Destination, host: str, addresses: list[str], encryption: Encryption, deadline: float
) -> smtplib.SMTP:
    """At the first of the host's addresses that takes a connection: greeted, encrypted and logged in.

    `deadline` is of time.monotonic(). Raises OSError (smtplib's errors are some), ValueError or NoTls.
    """
    last: Exception = OSError()
    for address in addresses:
        try:
            return _dialled_at(destination, host, address, encryption, deadline)
        except (ConnectionError, TimeoutError) as error:
            last = error
    raise last


def _dialled_at(
    destination: Destination, host: str, address: str, encryption: Encryption, deadline: float
) -> smtplib.SMTP:
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
        return _dialled_at(destination, host, address, Encryption.NEVER, deadline)
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


def time_limit(smtp: smtplib.SMTP, seconds: float) -> AbstractContextManager[None]:
    """Cut the connection after so long: a socket's own time-out begins anew with every byte a server drips."""
    return watchdog.after(seconds, partial(cut, smtp))


def cut(smtp: smtplib.SMTP) -> None:
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

"""One SMTP conversation that carries one mail to one address.

The caller has the last word between RCPT and DATA: from the moment DATA is said, the mail may arrive.
What the conversation came to is an Outcome, never an exception:

    ACCEPTED   the server took the mail
    REFUSED    5xx about this mail: it will never be taken
    PUT_OFF    4xx, a time-out, no connection: the mail has not left, try again later
    UNKNOWN    the connection was lost after the final dot: it may or may not have arrived (RFC 1047)
    WITHHELD   the caller's last word was no
"""

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto

from django.conf import settings
from django.core.mail.utils import DNS_NAME

CONNECT_SECONDS = 10
BEFORE_DATA_SECONDS = 30
# Shorter than the outbox's lease, so that nobody else takes up a mail that is still being sent. RFC 5321 would wait
# ten minutes; a server slower than this is asked a second time under the same Message-ID.
DATA_SECONDS = 45
# 5xx that speak of us, not of the mail: the relay wants TLS or another log-in. Nothing is given up for those.
_ABOUT_US = {530, 534, 535, 538}


class Result(Enum):
    ACCEPTED = auto()
    REFUSED = auto()
    PUT_OFF = auto()
    UNKNOWN = auto()
    WITHHELD = auto()


@dataclass(frozen=True)
class Outcome:
    result: Result
    reply: str = ""
    # False: the server could not even be talked to, and the next mail would fare no better.
    server_reached: bool = True


class _Answer(Exception):
    """The server said something other than yes."""

    def __init__(self, code: int, words: bytes) -> None:
        super().__init__(code)
        self.outcome = _judge(code, words)


def send(message: bytes, *, sender: str, recipient: str, may_leave: Callable[[], bool]) -> Outcome:
    """Hand the mail to the relay of settings.EMAIL_*. `may_leave` is asked once, right before DATA."""
    smtp = _new_client()
    try:
        with _time_limit(smtp, BEFORE_DATA_SECONDS):
            try:
                _open(smtp)
            except (OSError, ValueError) as error:
                return Outcome(Result.PUT_OFF, _words(error), server_reached=False)
            _envelope(smtp, sender, recipient)
        if not may_leave():
            return Outcome(Result.WITHHELD)
        with _time_limit(smtp, DATA_SECONDS):
            return _hand_over(smtp, message)
    except _Answer as answer:
        return answer.outcome
    except (OSError, ValueError) as error:
        return Outcome(Result.PUT_OFF, _words(error))
    finally:
        _hang_up(smtp)


def _new_client() -> smtplib.SMTP:
    host_name = DNS_NAME.get_fqdn()
    if settings.EMAIL_USE_SSL:
        return smtplib.SMTP_SSL(local_hostname=host_name, timeout=CONNECT_SECONDS, context=_tls())
    return smtplib.SMTP(local_hostname=host_name, timeout=CONNECT_SECONDS)


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _open(smtp: smtplib.SMTP) -> None:
    """Connect, EHLO, STARTTLS and log in as the settings say. Raises OSError (smtplib's errors are some)."""
    # smtplib checks the certificate against the name it finds here.
    smtp._host = settings.EMAIL_HOST  # type: ignore[attr-defined]
    code, words = smtp.connect(settings.EMAIL_HOST, settings.EMAIL_PORT or 0)
    if code != 220:
        raise smtplib.SMTPConnectError(code, words)
    assert smtp.sock is not None  # noqa: S101  for the type checker: connect() made it
    smtp.sock.settimeout(settings.EMAIL_TIMEOUT)
    smtp.ehlo_or_helo_if_needed()
    if settings.EMAIL_USE_TLS:
        smtp.starttls(context=_tls())
        smtp.ehlo_or_helo_if_needed()
    if settings.EMAIL_HOST_USER:
        smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)


def _envelope(smtp: smtplib.SMTP, sender: str, recipient: str) -> None:
    options: tuple[str, ...] = ()
    if not recipient.isascii():
        if not smtp.has_extn("smtputf8"):
            raise _Answer(553, b"the mail server takes only addresses in ASCII")
        options = ("SMTPUTF8",)
    code, words = smtp.mail(sender, options)
    if code != 250:
        raise _Answer(code, words)
    code, words = smtp.rcpt(recipient)
    if code not in (250, 251):
        raise _Answer(code, words)


def _hand_over(smtp: smtplib.SMTP, message: bytes) -> Outcome:
    """DATA to the answer after the final dot."""
    code, words = smtp.docmd("DATA")
    if code != 354:
        raise _Answer(code, words)
    assert smtp.sock is not None  # noqa: S101  for the type checker: docmd() just used it
    smtp.sock.settimeout(DATA_SECONDS)
    smtp.send(_stuffed(message))  # raising here, the dot has not left
    try:
        code, words = smtp.getreply()
    except OSError as error:
        return Outcome(Result.UNKNOWN, _words(error))
    return _judge(code, words, after_dot=True)


def _judge(code: int, words: bytes, *, after_dot: bool = False) -> Outcome:
    reply = f"{code} {words.decode(errors='replace')}".replace("\x00", "")
    if after_dot and code == 250:
        return Outcome(Result.ACCEPTED, reply)
    if 500 <= code <= 599 and code not in _ABOUT_US:
        return Outcome(Result.REFUSED, reply)
    if after_dot and not 400 <= code <= 599:
        return Outcome(Result.UNKNOWN, reply)
    return Outcome(Result.PUT_OFF, reply)


def _stuffed(message: bytes) -> bytes:
    """The message as DATA wants it: every line ends in CRLF, a leading dot is doubled, the final dot closes."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    lines = re.sub(rb"(?m)^\.", b"..", lines)
    return lines + (b"" if lines.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _hang_up(smtp: smtplib.SMTP) -> None:
    # QUIT is a courtesy; waiting for its answer would only widen the gap before the outcome is written down.
    with suppress(OSError):
        smtp.putcmd("QUIT")
    smtp.close()


@contextmanager
def _time_limit(smtp: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """Cut the connection after so long: a socket's own time-out begins anew with every byte a server drips."""
    timer = threading.Timer(seconds, _cut, [smtp])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(smtp: smtplib.SMTP) -> None:
    if smtp.sock is not None:
        with suppress(OSError):
            # The base class's, because an SSLSocket's forgets its TLS state under the reader's feet.
            socket.socket.shutdown(smtp.sock, socket.SHUT_RDWR)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return f"{error.smtp_code} {words.decode(errors='replace') if isinstance(words, bytes) else words}"
    return f"{type(error).__name__}: {error}"

"""One SMTP conversation that carries one mail to one address, over a kept connection or a new one (connections.py).

The caller has the last word between RCPT and DATA: from the moment DATA is said, the mail may arrive.
What the conversation came to is an Outcome, never an exception:

    ACCEPTED   the server took the mail
    REFUSED    5xx about this mail: it will never be taken
    PUT_OFF    4xx, a time-out, no connection, no TLS where it is demanded: the mail has not left, try again later
    UNKNOWN    the connection was lost after the final dot: it may or may not have arrived (RFC 1047)
    WITHHELD   the caller's last word was no
"""

import smtplib
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from . import connections, mail_hosts, mail_slots
from .connections import Connection
from .dialling import in_words, time_limit
from .routes import Destination

BEFORE_DATA_SECONDS = 30
# Shorter than the outbox's lease, so that nobody else takes up a mail that is still being sent. RFC 5321 would wait
# ten minutes; a server slower than this is asked a second time under the same Message-ID.
DATA_SECONDS = 45
# 5xx that speak of us, not of the mail: the relay wants TLS or another log-in. Nothing is given up for those.
_ABOUT_US = {530, 534, 535, 538}
# A kept connection that was used so recently is taken to be alive without asking.
_SURELY_ALIVE_SECONDS = 1


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
    # As many connections to it are open as are allowed; nothing was tried.
    busy: bool = False


class _Answer(Exception):
    """The server said something other than yes."""

    def __init__(self, code: int, words: bytes) -> None:
        super().__init__(code)
        self.code = code
        self.outcome = _judge(code, words)


def send(
    message: bytes, *, sender: str, recipient: str, destination: Destination, may_leave: Callable[[], bool]
) -> Outcome:
    """Hand the mail over at its destination. `may_leave` is asked once, right before DATA."""
    deadline = time.monotonic() + BEFORE_DATA_SECONDS
    try:
        connection = _ready(destination, sender, recipient, deadline)
    except mail_slots.Busy as error:
        return Outcome(Result.PUT_OFF, str(error), busy=True)
    except connections.Unreachable as error:
        return Outcome(Result.PUT_OFF, str(error), server_reached=False)
    except mail_hosts.NoMailHere as error:
        return Outcome(Result.REFUSED, str(error))
    except _Answer as answer:
        return answer.outcome
    except (OSError, ValueError) as error:
        return Outcome(Result.PUT_OFF, in_words(error))
    outcome = Outcome(Result.PUT_OFF)
    try:
        outcome = _converse(connection, message, may_leave)
    finally:
        _part(connection, outcome)
    return outcome


def _ready(destination: Destination, sender: str, recipient: str, deadline: float) -> Connection:
    """A connection on which the server has said yes to sender and recipient."""
    connection = connections.kept(destination)
    if connection is not None:
        try:
            _envelope(connection, sender, recipient, deadline)
            return connection
        except _Answer as answer:
            if answer.code != 421:
                raise
        except (OSError, ValueError):
            # It was closed meanwhile, which says nothing about the mail; or it took all the time there was.
            if time.monotonic() >= deadline:
                raise
    connection = connections.open_to(destination, deadline)
    _envelope(connection, sender, recipient, deadline)
    return connection


def _envelope(connection: Connection, sender: str, recipient: str, deadline: float) -> None:
    """MAIL and RCPT. Whatever goes wrong, the connection is kept or closed here."""
    try:
        with time_limit(connection.smtp, deadline - time.monotonic()):
            _reset(connection)
            _say_envelope(connection.smtp, sender, recipient)
    except _Answer as answer:
        _part(connection, answer.outcome)
        raise
    except BaseException:
        connection.close()
        raise


def _reset(connection: Connection) -> None:
    if connection.reset or (connection.mails and time.monotonic() - connection.used_at > _SURELY_ALIVE_SECONDS):
        code, words = connection.smtp.rset()
        if code != 250:
            raise OSError(words)
    connection.reset = True  # until the mail's end


def _say_envelope(smtp: smtplib.SMTP, sender: str, recipient: str) -> None:
    option = ""
    if not recipient.isascii():
        if not smtp.has_extn("smtputf8"):
            raise _Answer(553, b"the mail server takes only addresses in ASCII")
        smtp.command_encoding, option = "utf-8", " SMTPUTF8"
    # Not smtp.mail and smtp.rcpt: those take each address apart first, as if it were a header.
    _said(smtp, "MAIL", f"FROM:<{sender}>{option}", 250)
    _said(smtp, "RCPT", f"TO:<{recipient}>", 250, 251)


def _said(smtp: smtplib.SMTP, verb: str, arguments: str, *yes: int) -> None:
    """Raises _Answer, or ValueError for arguments with a line end."""
    code, words = smtp.docmd(verb, arguments)
    if code not in yes:
        raise _Answer(code, words)


def _converse(connection: Connection, message: bytes, may_leave: Callable[[], bool]) -> Outcome:
    if not may_leave():
        return Outcome(Result.WITHHELD)
    try:
        with time_limit(connection.smtp, DATA_SECONDS):
            return _hand_over(connection.smtp, message)
    except _Answer as answer:
        return answer.outcome
    except (OSError, ValueError) as error:
        return Outcome(Result.PUT_OFF, in_words(error))


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
        return Outcome(Result.UNKNOWN, in_words(error))
    return _judge(code, words, after_dot=True)


def _part(connection: Connection, outcome: Outcome) -> None:
    """Keep the connection, or hang up on a server that is tired, or that nobody knows the state of."""
    connection.mails += 1
    answered = outcome.reply[:3].isdigit() and not outcome.reply.startswith("421")
    if outcome.result == Result.ACCEPTED:
        connection.reset = False
    if outcome.result == Result.WITHHELD or (answered and outcome.result != Result.UNKNOWN):
        connections.keep(connection)
    else:
        connection.close()


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
    lines = b"\r\n".join([b"", *message.splitlines(), b""]).replace(b"\r\n.", b"\r\n..")
    return lines.removeprefix(b"\r\n") + b".\r\n"

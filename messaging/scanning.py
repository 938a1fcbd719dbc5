"""Scanning for viruses while a file arrives: ClamAV's INSTREAM over its socket (clamd(8)), where there is one.

    "zINSTREAM\\0" · chunks, each with its length in four bytes, most significant first · a length of zero
    "stream: OK\\0" or "stream: NAME FOUND\\0" or "INSTREAM size limit exceeded. ERROR\\0"

The bytes go through memory only: nothing is in the clear on any disk of ours. (clamd keeps a stream in its
TemporaryDirectory while it looks at it: that folder belongs in memory, see .env.example.) A scanner that is down, slow
or confused never makes a file clean: it stays unscanned, and what that means the organisation chooses.
"""

import contextlib
import logging
import select
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from .models import Attachment

Scan = Attachment.Scan

CONNECT_SECONDS = 3
SEND_SECONDS = 20  # for one chunk
ANSWER_SECONDS = 60
_LARGEST_ANSWER = 4096
# What clamd reports, with AlertExceedsMax, of a file it has looked at in part only.
_IN_PART = "Heuristics.Limits.Exceeded"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    scan: str  # Attachment.Scan
    virus: str = ""


def is_on() -> bool:
    return bool(settings.CLAMD)


class Stream:
    """A file on its way through the scanner. Nothing here raises: what goes wrong ends in Scan.WAITING."""

    def __init__(self) -> None:
        self._verdict = None if is_on() else Verdict(Scan.OFF)
        self._socket: socket.socket | None = None
        if self._verdict is None:
            with self._failing_closed():
                self._socket = _connected()
                self._socket.sendall(b"zINSTREAM\0")

    def write(self, data: bytes) -> None:
        if data:
            self._send(data)

    def finish(self) -> Verdict:
        """What the scanner found."""
        self._send(b"")
        if self._socket is not None:
            with self._failing_closed():
                self._verdict = _understood(_answer(self._socket))
                self.abandon()
        return self._verdict or Verdict(Scan.WAITING)

    def _send(self, chunk: bytes) -> None:
        """An empty one is the last."""
        if self._socket is None:
            return
        with self._failing_closed():
            if select.select([self._socket], [], [], 0)[0]:
                self._verdict = _of_a_part(_answer(self._socket))  # it has had enough, and says why
                self.abandon()
                return
            self._socket.sendall(struct.pack("!I", len(chunk)) + chunk)

    def abandon(self) -> None:
        """The rest does not come."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @contextlib.contextmanager
    def _failing_closed(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            logger.warning("The virus scanner at %s: %s", settings.CLAMD, error)
            self._verdict = self._last_words()
            self.abandon()

    def _last_words(self) -> Verdict:
        """A scanner that hangs up on a file it finds too large has said so before."""
        with contextlib.suppress(OSError):
            if self._socket is not None and select.select([self._socket], [], [], 1)[0]:
                return _of_a_part(_answer(self._socket))
        return Verdict(Scan.WAITING)


def _connected() -> socket.socket:
    kind, _colon, place = settings.CLAMD.partition(":")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(CONNECT_SECONDS)
        connection.connect(place)
    else:
        host, _colon, port = place.rpartition(":")
        connection = socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS)
    connection.settimeout(SEND_SECONDS)
    return connection


def _answer(connection: socket.socket) -> str:
    connection.settimeout(ANSWER_SECONDS)
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LARGEST_ANSWER and (more := connection.recv(1024)):
        answer += more
    return answer.decode(errors="replace").strip("\0\n ")


def _of_a_part(answer: str) -> Verdict:
    """What was said before the file's end: that is no reason to call it clean."""
    verdict = _understood(answer)
    return Verdict(Scan.WAITING) if verdict.scan == Scan.CLEAN else verdict


def _understood(answer: str) -> Verdict:
    if answer == "stream: OK":
        return Verdict(Scan.CLEAN)
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        virus = answer.removeprefix("stream: ").removesuffix(" FOUND")
        return Verdict(Scan.TOO_LARGE) if virus.startswith(_IN_PART) else Verdict(Scan.INFECTED, virus)
    if "size limit exceeded" in answer:
        return Verdict(Scan.TOO_LARGE)
    logger.warning("The virus scanner at %s says %r.", settings.CLAMD, answer)
    return Verdict(Scan.WAITING)

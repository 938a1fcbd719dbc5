"""The small SMTP server that bounces come to (`manage.py receive_bounces`). It takes mail to return paths that were
made here, one at a time, and nothing else; it passes nothing on. Anybody may connect: how many do at a time, for how
long and with how much is bounded.
"""

import asyncio
import logging
import signal
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import close_old_connections

from . import bounces
from .return_paths import ReturnPaths

logger = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024
SILENT_SECONDS = 60
LONGEST_SECONDS = 300  # of one connection
MOST_CONNECTIONS = 50
MOST_COMMANDS = 100  # of one kind, on one connection: so many mails, too


class Receiver:
    """aiosmtpd's handler."""

    def __init__(self) -> None:
        self._return_paths = ReturnPaths()
        self.open: set[asyncio.BaseProtocol] = set()
        # One thread: the database's connection is its own, and a flood of bounces waits in line.
        self._thread = ThreadPoolExecutor(1, "bounces")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        try:
            mail_id = await self._in_thread(self._return_paths.mail_id, address)
        except Exception:
            logger.exception("A return path cannot be judged")
            return "451 4.3.0 Not now"
        if mail_id is None:
            return "550 5.1.1 No such address"
        if envelope.rcpt_tos:
            return "452 4.5.3 One at a time"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        try:
            assert isinstance(envelope.content, bytes)  # noqa: S101  for the type checker: decode_data is off
            await self._in_thread(self._take, envelope.rcpt_tos[0], envelope.content)
        except Exception:
            logger.exception("A bounce cannot be written down")
            return "451 4.3.0 Not now"
        return "250 OK"

    def _take(self, address: str, content: bytes) -> None:
        mail_id = self._return_paths.mail_id(address)
        report = bounces.take(mail_id, content) if mail_id else None
        logger.info("Something came back for mail %s: %s", mail_id, report.status if report else "nothing to note")

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        def run() -> Any:
            close_old_connections()
            try:
                return function(*arguments)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)


class _Conversation(SMTP):
    """One connection's."""

    # Of those who write lines longer than RFC 5321 allows: what they report counts all the same.
    line_length_limit = 16 * 1024

    def __init__(self, receiver: Receiver, tls: ssl.SSLContext | None) -> None:
        super().__init__(
            receiver,
            data_size_limit=MOST_BYTES,
            ident="securemsg",
            timeout=SILENT_SECONDS,
            tls_context=tls,
            command_call_limit=MOST_COMMANDS,
        )
        self._open = receiver.open
        self._open.add(self)
        # However little at a time somebody says: a line each minute is no silence.
        self._end = self.loop.call_later(LONGEST_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._end.cancel()
        self._open.discard(self)
        super().connection_lost(error)


class _NoRoom(asyncio.Protocol):
    """Where as many are open as are allowed: the other side comes again later (RFC 5321, 3.8)."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  for the type checker: TCP is one
        transport.write(b"421 4.3.2 Too many connections, come again later\r\n")
        transport.close()


class Certificate:
    """The one shown after STARTTLS; read again when its file has changed, as renewals do every few weeks."""

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain, self._key = chain, key
        self._read_at = 0.0
        self.context()  # so that a wrong file shows at the start

    def context(self) -> ssl.SSLContext:
        changed_at = self._chain.stat().st_mtime
        if changed_at != self._read_at:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self._chain, self._key)
            self._context, self._read_at = context, changed_at
        return self._context


def protocol(receiver: Receiver, certificate: Certificate | None = None) -> asyncio.Protocol:
    """That of one connection."""
    if len(receiver.open) >= MOST_CONNECTIONS:
        return _NoRoom()
    return _Conversation(receiver, _tls(certificate))


def _tls(certificate: Certificate | None) -> ssl.SSLContext | None:
    """None: STARTTLS is not offered. A bounce in the clear is better than none."""
    try:
        return certificate.context() if certificate else None
    except (OSError, ssl.SSLError):
        logger.exception("The certificate for bounces cannot be read")
        return None


async def serve(host: str, port: int, certificate: Certificate | None = None) -> None:
    """Until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    receiver = Receiver()
    listening = await loop.create_server(lambda: protocol(receiver, certificate), host, port)
    logger.info("Bounces are received at %s:%d", host, listening.sockets[0].getsockname()[1])
    async with listening:
        await ended.wait()

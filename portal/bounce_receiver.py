"""The small SMTP server that bounces come to (`manage.py receive_bounces`). It takes mail to return paths that were
made here, one at a time and of bounded size, and nothing else; it passes nothing on."""

import asyncio
import logging
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import close_old_connections

from . import bounces
from .return_paths import ReturnPaths

logger = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024
SILENT_SECONDS = 60


class Receiver:
    """aiosmtpd's handler."""

    def __init__(self) -> None:
        self._return_paths = ReturnPaths()
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


class _Patient(SMTP):
    """Of those who write lines longer than RFC 5321 allows: what they report counts all the same."""

    line_length_limit = 16 * 1024


def protocol(receiver: Receiver) -> SMTP:
    """That of one connection."""
    return _Patient(receiver, data_size_limit=MOST_BYTES, ident="securemsg", timeout=SILENT_SECONDS)


async def serve(host: str, port: int) -> None:
    """Until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    receiver = Receiver()
    listening = await loop.create_server(lambda: protocol(receiver), host, port)
    logger.info("Bounces are received at %s:%d", host, listening.sockets[0].getsockname()[1])
    async with listening:
        await ended.wait()

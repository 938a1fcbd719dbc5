"""A TCP proxy that spoils what passes through it: late, slowly, half, or not at all.

It stands between the portal's processes and one of the servers they talk to. All of it may be changed while
connections are open, and holds for those, too.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

PIECE = 65536
RETRANSMISSION = 0.2  # what a lost packet costs on a quiet network, at least


class Proxy:
    """Listens on a free port of loopback, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda *_: None)  # connections that end badly are what it is for
        self._pairs: set[_Pair] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.heal()
        self.port = self._call(self._listen())

    # --- What can be wrong ------------------------------------------------------------------------------------

    def heal(self) -> None:
        self.latency = 0.0  # seconds, each way
        self.loss = 0.0  # of pieces; TCP sends them again, so that they come late
        self.bytes_per_second = 0  # 0: as fast as it goes
        self.black_hole = False  # taken and never passed on; nobody is told
        self.refuses = False  # new connections are reset
        self.slow_close = 0.0  # seconds from one side's end to telling the other

    def cut(self) -> None:
        """Reset every open connection."""
        self._call(self._cut())

    def half_close(self) -> None:
        """End the answers' direction of every open connection; the other still takes whatever is said."""
        self._call(self._half_close())

    def end(self) -> None:
        with suppress(TimeoutError):
            self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    # --- How it works -----------------------------------------------------------------------------------------

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> int:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=256)
        return server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            _reset(writer)
            return
        await self._while_black_hole()
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            _reset(writer)
            return
        pair = _Pair(writer, there[1])
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))
        except OSError:
            pass  # one side was reset, and so the other is
        finally:
            self._pairs.discard(pair)
            pair.reset()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(self._piece()):
            await self._hold_up(piece)
            writer.write(piece)
            await writer.drain()
        await asyncio.sleep(self.slow_close)
        await self._while_black_hole()
        writer.write_eof()

    def _piece(self) -> int:
        return max(1, self.bytes_per_second // 20) if self.bytes_per_second else PIECE

    async def _hold_up(self, piece: bytes) -> None:
        await self._while_black_hole()
        delay = self.latency
        if self.loss and random.random() < self.loss:
            delay += RETRANSMISSION * random.choice((1, 1, 1, 2, 4))
        if self.bytes_per_second:
            delay += len(piece) / self.bytes_per_second
        if delay:
            await asyncio.sleep(delay)

    async def _while_black_hole(self) -> None:
        while self.black_hole:
            await asyncio.sleep(0.05)

    async def _cut(self) -> None:
        for pair in list(self._pairs):
            pair.reset()

    async def _stop(self) -> None:
        await self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _half_close(self) -> None:
        for pair in list(self._pairs):
            with suppress(OSError):
                pair.client.write_eof()


class _Pair:
    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client, self.server = client, server

    def reset(self) -> None:
        _reset(self.client)
        _reset(self.server)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Not closed politely: the peer sees it at once, whatever was still under way."""
    if (sock := writer.get_extra_info("socket")) is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

"""A mail server that takes everything at once and keeps nothing but when it arrived, and how many bytes."""

import asyncio
import threading
import time

GREETING, YES, GO_ON, BYE = b"220 sink\r\n", b"250 OK\r\n", b"354 go on\r\n", b"221 bye\r\n"


class Sink:
    """Listens on loopback, on `port`, from a thread of its own; `arrivals` are moments of time.monotonic()."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.octets = 0
        self._loop = asyncio.new_event_loop()
        server = self._loop.run_until_complete(asyncio.start_server(self._converse, "127.0.0.1", 0))
        self.port: int = server.sockets[0].getsockname()[1]
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    @property
    def octets_a_mail(self) -> float:
        return self.octets / max(1, len(self.arrivals))

    def wait_for(self, count: int, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while len(self.arrivals) < count and time.monotonic() < ends:
            time.sleep(0.05)
        if len(self.arrivals) < count:
            raise TimeoutError(f"{len(self.arrivals)} of {count} mails after {seconds} s")

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        try:
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    writer.write(GO_ON)
                    message = await reader.readuntil(b"\r\n.\r\n")
                    self.octets += len(message)
                    self.arrivals.append(time.monotonic())
                writer.write(BYE if verb == b"QUIT" else YES)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

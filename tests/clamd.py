"""clamd's INSTREAM as far as the portal speaks it (clamd(8)), over a real socket, finding the EICAR test file.

server.limit = 1000           StreamMaxLength: says so and hangs up, as clamd does
server.said_at_limit = "…"    what it says then
server.answer = "…"           whatever else it might say
server.has_answered           an event: it has said so
server.seen                   how many bytes of each file arrived
"""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# https://www.eicar.org/download-anti-malware-testfile/, in two halves: as one it would be found in this file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    def __init__(self) -> None:
        self.limit = 25 * 1024 * 1024
        self.said_at_limit = "INSTREAM size limit exceeded. ERROR"
        self.answer = ""
        self.seen: list[int] = []
        self.has_answered = threading.Event()

    def verdict(self, content: bytes) -> str:
        self.seen.append(len(content))
        return self.answer or ("stream: Eicar-Signature FOUND" if EICAR in content else "stream: OK")


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        clamd: Clamd = self.server.clamd  # type: ignore[attr-defined]
        assert self.rfile.read(10) == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!I", self.rfile.read(4))[0]:
            content += self.rfile.read(length)
            if len(content) > clamd.limit:
                self.wfile.write(clamd.said_at_limit.encode() + b"\0")
                clamd.has_answered.set()
                return
        self.wfile.write(clamd.verdict(content).encode() + b"\0")


class _Quiet:
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is one of the things tried."""


class _Tcp(_Quiet, socketserver.ThreadingTCPServer):
    pass


class _Unix(_Quiet, socketserver.ThreadingUnixStreamServer):
    pass


@contextmanager
def running(place: Path | None = None) -> Iterator[tuple[Clamd, str]]:
    """A scanner, and what CLAMD has to say to reach it; at a path, or a port of its own."""
    clamd = Clamd()
    server = _Unix(str(place), _Conversation) if place else _Tcp(("127.0.0.1", 0), _Conversation)
    server.clamd = clamd  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield clamd, f"unix:{place}" if place else f"tcp:127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

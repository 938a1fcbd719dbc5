"""A mail server that does as it is told: every verb's answer can be scripted, late or never, or the line cut.

    server.script["RCPT"] = "450 4.2.0 not now"            an answer instead of the usual one
    server.script["DOT"] = CUT                             the connection is reset instead of an answer
    server.script["RCPT"] = lambda argument: None | str    something happens at that moment; None: the usual answer

Verbs: GREETING EHLO STARTTLS AUTH MAIL RCPT DATA DOT. What was accepted is in `mails`, every mail whose final dot
arrived, accepted or not, in `seen`.
"""

import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as email_policy

CUT = "cut the connection"
SILENCE = "never answer"
DRIP = "answer one byte at a time, for ever"

Action = str | Callable[[str], str | None]
USUAL = {"GREETING": "220 ready", "EHLO": "250 scripted.example", "DATA": "354 go on", "QUIT": "221 bye"}


@dataclass
class Mail:
    recipient: str
    raw: bytes
    at: float = field(default_factory=time.time)  # when its final dot was there, in seconds since the epoch

    @property
    def message(self) -> EmailMessage:
        return BytesParser(policy=email_policy).parsebytes(self.raw)  # type: ignore[return-value]


class _Gone(Exception):
    pass


class _Conversation(socketserver.StreamRequestHandler):
    server: "ScriptedServer"

    def handle(self) -> None:
        try:
            self.answer("GREETING", "")
            while line := self.rfile.readline():
                self.obey(line.decode().rstrip("\r\n"))
        except (_Gone, OSError):
            pass

    def obey(self, line: str) -> None:
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        self.server.verbs.append(verb)
        if verb == "RCPT":
            self.recipient = argument.partition("<")[2].partition(">")[0]
        said = self.answer(verb, argument)
        if verb == "DATA" and said.startswith("354"):
            self.take_mail()
        elif verb == "STARTTLS" and said.startswith("220"):
            assert self.server.tls is not None
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            self.setup()
        elif verb == "QUIT":
            raise _Gone

    def take_mail(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _Gone
            lines.append(line[1:] if line.startswith(b".") else line)
        self.mail = Mail(self.recipient, b"".join(lines))
        self.server.seen.append(self.mail)
        self.answer("DOT", self.recipient)

    def answer(self, verb: str, argument: str) -> str:
        action = self.server.script.get("EHLO" if verb == "HELO" else verb)
        if callable(action):
            action = action(argument)
        if action is None:
            action = self.server.features() if verb == "EHLO" else USUAL.get(verb, "250 OK")
        if action == CUT:
            # Reset, not closed politely: the client sees it at once, whatever was still under way.
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
            raise _Gone
        if action == SILENCE:
            self.server.closing.wait()
            raise _Gone
        while action == DRIP:
            self.wfile.write(b"2")
            time.sleep(0.05)
            if self.server.closing.is_set():
                raise _Gone
        if verb == "DOT" and action.startswith("250"):
            self.server.mails.append(self.mail)
        self.wfile.write(f"{action}\r\n".encode())
        return action


class ScriptedServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.script: dict[str, Action] = {}
        self.mails: list[Mail] = []
        self.seen: list[Mail] = []
        self.verbs: list[str] = []
        self.closing = threading.Event()
        self.extensions: list[str] = []
        self.tls: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        return self.server_address[1]

    def features(self) -> str:
        lines = ["scripted.example", *self.extensions]
        return "\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])

    def handle_error(self, request, client_address) -> None:
        pass  # a client that hangs up in the middle is what these tests are about


@contextmanager
def running() -> Iterator[ScriptedServer]:
    """A server on a free port of loopback, until the block ends."""
    with ScriptedServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()

"""A DNS server that knows what it is told, on loopback; whatever it was not told does not exist.

server.zone["outside.example", "MX"] = ["10 mx1.outside.example."]
server.zone["outside.example", "A"] = SILENCE                           no answer at all
"""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SILENCE = "never answer"


class _Question(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, socket = self.request
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        self.server.asked.append((name, kind))
        known = self.server.zone.get((name, kind))
        if known == SILENCE:
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if known:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, known))
        elif not any(owner == name for owner, _kind in self.server.zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        socket.sendto(answer.to_wire(), self.client_address)


class DnsServer(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.zone: dict[tuple[str, str], list[str] | str] = {}
        self.asked: list[tuple[str, str]] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


@contextmanager
def running() -> Iterator[DnsServer]:
    with DnsServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()

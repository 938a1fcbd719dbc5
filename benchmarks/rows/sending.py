import itertools
import uuid
from collections.abc import Iterator

from benchmarks.bench import Bench
from benchmarks.browser import Answer, Browser
from benchmarks.enqueuing import letter
from benchmarks.figures import Figure, Line, ratio
from benchmarks.mailboxes import GROUPS
from benchmarks.rounds import Measured, Side, interleaved

_TIMES = 12


def measured(bench: Bench) -> list[Line]:
    """A message to one, to a hundred, to five hundred people who are known, from the form to the answer."""
    senders = bench.browsers("sender0")
    _send_to_everybody(bench)
    floors = bench.floor_browsers()
    sides = {f"to {count}": Side(bench.portal, _sending(senders, count)) for count in (1, 100, 500)}
    sides["in digests"] = Side(bench.portal, _sending(senders, 500, kind="d"))
    sides["floor"] = Side(bench.floor, lambda: [next(floors).get("/many/?people=500")])
    found = interleaved(sides, rounds=max(3, bench.size.rounds // 2), requests=_TIMES, warm=5)
    return [
        ratio("Send to 500 against 100: p50", found["to 500"].p50, found["to 100"].p50, 2.5, floor_name="to 100"),
        _per_second(found),
        _enqueuing(bench),
    ]


def _send_to_everybody(bench: Bench) -> None:
    """Once before, as where a portal is in use. While there has been no mail at all, PostgreSQL looks for a row among
    the few there are by reading them all, and each connection goes on so until autovacuum has looked at the table."""
    send = _sending(bench.browsers("sender0"), 500)
    for _ in range(GROUPS):
        assert [answer.status for answer in send()] == [302]
    bench.run("benchmarks.mailboxes", "analyse")


def _sending(browsers: Iterator[Browser], count: int, *, kind: str = "r"):
    turns = itertools.count()

    def send() -> list[Answer]:
        return [next(browsers).post(f"/drafts/{uuid.uuid4()}/", letter(count, next(turns), kind))]

    return send


def _per_second(found: dict[str, Measured]) -> Line:
    seconds = [500 / (ms / 1000) for ms in found["to 500"].p50.values]
    floor = [500 / (ms / 1000) for ms in found["floor"].p50.values]
    rate = Figure(seconds, "recipients/s")
    beside = f"bulk_create of as many rows {Figure(floor, 'recipients/s')}"
    beside += f"; to 1: {found['to 1'].p50}; to 500 who get digests: {found['in digests'].p50}"
    return Line("Send to 500: recipients per second", rate, beside, rate.median, "/s", 2000, at_least=True)


def _enqueuing(bench: Bench) -> Line:
    spent = bench.run("benchmarks.enqueuing", 30)
    rows, broker = Figure(spent["rows"], "ms"), Figure(spent["broker"], "ms")
    both = Figure([sum(pair) for pair in zip(spent["rows"], spent["broker"], strict=True)], "ms")
    beside = f"bulk_create of as many mails {Figure(spent['floor'], 'ms')}; rows {rows}, broker {broker}"
    return Line("Send to 500: enqueuing", both, beside, both.median, "ms", 10)

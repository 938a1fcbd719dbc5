"""F18: the network between the portal's processes and what they talk to: late, lossy, slow, cut, half closed, or gone
without a word."""

import threading
import time
from collections.abc import Callable

from ..proxy import Proxy
from ..run import Run
from ..stage import CONCURRENCY
from . import fault

WHERE: dict[str, Callable[[Run], Proxy]] = {
    "database": lambda run: run.stage.database_line,
    "Redis": lambda run: run.stage.redis_line,
    "mail server": lambda run: run.stage.mail_line,
}


def _late(line: Proxy) -> None:
    line.latency, line.loss = 0.02, 0.05


def _far(line: Proxy) -> None:
    line.latency = 0.1  # each way


def _narrow(line: Proxy) -> None:
    line.bytes_per_second = 40_000


def _slow_to_close(line: Proxy) -> None:
    line.slow_close = 3
    line.cut()


def _black_hole(line: Proxy) -> None:
    line.black_hole = True


def _refusing(line: Proxy) -> None:
    line.refuses = True
    line.cut()


TROUBLES: dict[str, tuple[Callable[[Proxy], None], float]] = {
    "late and lossy": (_late, 4),
    "far away": (_far, 8),
    "narrow": (_narrow, 4),
    "cut": (Proxy.cut, 1),
    "half closed": (Proxy.half_close, 3),
    "slow to close": (_slow_to_close, 4),
    "a black hole": (_black_hole, 8),
    "refusing": (_refusing, 4),
}


def trouble_on(run: Run, where: str, trouble: str) -> None:
    line = WHERE[where](run)
    spoil, seconds = TROUBLES[trouble]
    run.record.degraded = where == "database"
    run.record.doubts = 4 * CONCURRENCY
    run.server.script["DOT"] = lambda _argument: time.sleep(0.03)
    _ = run.sender
    run.sent(40, size=20_000)
    letters = [run.letter(4, size=20_000) for _ in range(3)]
    spoil(line)
    # In a thread, for a request may wait until its database is there again.
    thread = threading.Thread(target=lambda: [run.send(letter) for letter in letters])
    thread.start()
    time.sleep(seconds)
    line.heal()
    line.cut()
    thread.join(90)


for where in WHERE:
    for trouble in TROUBLES:
        is_short = (where, trouble) in {("mail server", "half closed"), ("database", "cut")}
        fault("F18", f"{where} line: {trouble}", short=is_short, where=where, trouble=trouble)(trouble_on)

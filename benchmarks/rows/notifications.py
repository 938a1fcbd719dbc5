"""How quickly notifications leave, and whether a backlog of them leaves at a flat rate and in flat memory.

Messages are sent to people by the portal's own code, to a database of the benchmark's own; then real Celery workers,
woken through Redis, deliver to a sink on loopback. Beside it stands the floor, before and after: mails of the same size
by bare Celery tasks that send 100 each over one kept connection, in as many processes. More processes than processors,
for each waits for the disk.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.figures import Figure, Line
from benchmarks.mail_floor import MAILS, send_100
from benchmarks.mail_sink import Sink
from benchmarks.server import ROOT

DATABASE = "notifications"
WORKERS = 8
WARM = 100 * WORKERS  # the first ones, with which each process fills its caches, do not count
MOST_FLOOR = 20_000
PARTS = 10  # of the backlog, whose rates are compared
WAIT_SECONDS = 3600.0


def measured(bench: Bench) -> list[Line]:
    """A backlog of notifications, from the rows to the mail server."""
    bench.databases.create(DATABASE, like="start")
    try:
        waiting = bench.run("benchmarks.mail_backlog", bench.size.mails + WARM, database=DATABASE)
        environment = bench.environment | {"DATABASE_URL": bench.databases.url_of(DATABASE)}
        floor = [_floor(environment, min(waiting, MOST_FLOOR))]
        sink, memory = _portal(environment, waiting)
        floor.append(_floor(environment, min(waiting, MOST_FLOOR)))
        ended = bench.run("benchmarks.mail_backlog", "sent", database=DATABASE)
    finally:
        bench.databases.drop(DATABASE)
    if ended != {"sent": waiting}:
        raise SystemExit(f"of {waiting} mails came to an end: {ended}")
    return _lines(sink, floor, memory)


def _lines(sink: Sink, floor: list[Sink], memory: list[float]) -> list[Line]:
    arrivals = sink.arrivals[WARM:]
    rate = Figure([_rate(arrivals)], "mails/s")
    bare = Figure([_rate(one.arrivals[WARM:]) for one in floor], "mails/s")
    beside = f"of {sink.octets_a_mail:,.0f} bytes; bare tasks, of {floor[0].octets_a_mail:,.0f} bytes: {bare}"
    parts = [_rate(part) for part in _parts(arrivals)]
    first, second = (Figure(half, "mails/s") for half in (parts[: PARTS // 2], parts[PARTS // 2 :]))
    return [
        Line("Notifications per second, against bare tasks", rate, beside, rate.median / bare.median, "×", 0.75, True),
        Line(
            f"Backlog of {len(arrivals):,}: second half against first",
            second,
            f"by tenths {' · '.join(f'{one:,.0f}' for one in parts)}",
            second.median / first.median,
            "×",
            0.9,
            at_least=True,
        ),
        Line(
            "Backlog: a worker's memory at its end",
            Figure([memory[-1]], "MiB"),
            "by tenths " + " · ".join(f"{one:.0f}" for one in memory) + " MiB",
            memory[-1] / memory[1],
            "×",
            1.1,
        ),
    ]


def _parts(arrivals: list[float]) -> list[list[float]]:
    size = len(arrivals) // PARTS
    return [arrivals[size * n : size * (n + 1)] for n in range(PARTS)]


def _floor(environment: dict[str, str], mails: int) -> Sink:
    sink = Sink()
    with _worker("benchmarks.mail_floor", environment, "floor"):
        tasks = max(2 * WORKERS, mails // MAILS)
        for _ in range(tasks):
            send_100.delay(sink.port)
        sink.wait_for(tasks * MAILS, WAIT_SECONDS)
    return sink


def _portal(environment: dict[str, str], mails: int) -> tuple[Sink, list[float]]:
    """What arrived; and the memory of the largest worker after each part of it, in MiB."""
    sink = Sink()
    environment = environment | {"SMTP_URL": f"smtp://127.0.0.1:{sink.port}"}
    memory: list[float] = []
    with _worker("securemsg", environment, "mail,clock") as process:
        ends = time.monotonic() + WAIT_SECONDS
        while len(sink.arrivals) < mails:
            if time.monotonic() > ends:
                raise TimeoutError(f"{len(sink.arrivals)} of {mails} mails")
            _wake_up(environment)
            time.sleep(0.5)
            while len(memory) < len(sink.arrivals) * PARTS // mails:
                memory.append(_largest_child(process.pid))
        time.sleep(1)  # the last outcomes are written down
    return sink, memory


def _wake_up(environment: dict[str, str]) -> None:
    """What a sending's commit does, and the clock every five seconds."""
    from celery import Celery

    app = Celery("benchmark", broker=environment["BROKER_URL"])
    for _ in range(WORKERS):
        app.send_task("portal.tasks.deliver_due_mail", queue="mail")


def _rate(arrivals: list[float]) -> float:
    return (len(arrivals) - 1) / max(1e-6, arrivals[-1] - arrivals[0])


@contextmanager
def _worker(app: str, environment: dict[str, str], queues: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "--concurrency", str(WORKERS), "--queues", queues]
    quiet = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    process = subprocess.Popen([*command, *quiet], cwd=ROOT, env=os.environ | environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _largest_child(parent: int) -> float:
    """Resident memory in MiB, of the largest process of the pool."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return max((_resident(child) for child in children), default=0.0)


def _resident(pid: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))

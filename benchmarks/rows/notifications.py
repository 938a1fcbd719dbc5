"""How quickly notifications leave, and whether a backlog of them leaves at a flat rate and in flat memory.

Messages are sent to people by the portal's own code, to a database of the benchmark's own; then real Celery workers,
woken through Redis, deliver to a sink on loopback. Beside it stands the floor: mails by bare Celery tasks that send 100
each over one kept connection, in as many processes. More processes than processors, for each waits for the disk.
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
MOST_FLOOR = 20_000
QUARTERS = 4
WAIT_SECONDS = 3600.0


def measured(bench: Bench) -> list[Line]:
    """A backlog of notifications, from the rows to the mail server."""
    bench.databases.create(DATABASE, like="start")
    try:
        waiting = bench.run("benchmarks.mail_backlog", bench.size.mails, database=DATABASE)
        environment = bench.environment | {"DATABASE_URL": bench.databases.url_of(DATABASE)}
        floor = _floor(environment, min(waiting, MOST_FLOOR))
        arrivals, memory = _portal(environment, waiting)
        ended = bench.run("benchmarks.mail_backlog", "sent", database=DATABASE)
    finally:
        bench.databases.drop(DATABASE)
    if ended != {"sent": waiting}:
        raise SystemExit(f"of {waiting} mails came to an end: {ended}")
    return _lines(arrivals, floor, memory)


def _lines(arrivals: list[float], floor: float, memory: tuple[float, float]) -> list[Line]:
    rate = Figure([_rate(arrivals)], "mails/s")
    beside = f"bare tasks, {MAILS} over one kept connection {Figure([floor], 'mails/s')}"
    quarter = len(arrivals) // QUARTERS
    quarters = [_rate(arrivals[quarter * n : quarter * (n + 1)]) for n in range(QUARTERS)]
    by_quarters = "by quarters " + " · ".join(f"{one:,.0f}" for one in quarters)
    held = Figure([memory[1]], "MiB")
    return [
        Line(
            "Notifications per second, against bare tasks", rate, beside, rate.median / floor, "×", 0.75, at_least=True
        ),
        Line(
            f"Backlog of {len(arrivals):,}: last quarter against the first",
            Figure([quarters[-1]], "mails/s"),
            by_quarters,
            quarters[-1] / quarters[0],
            "×",
            0.9,
            at_least=True,
        ),
        Line(
            "Backlog: a worker's memory at its end",
            held,
            f"after a quarter {memory[0]:.1f} MiB",
            memory[1] / memory[0],
            "×",
            1.1,
        ),
    ]


def _floor(environment: dict[str, str], mails: int) -> float:
    """Mails a second."""
    sink = Sink()
    with _worker("benchmarks.mail_floor", environment, "floor"):
        tasks = max(WORKERS, mails // MAILS)
        for _ in range(tasks):
            send_100.delay(sink.port)
        sink.wait_for(tasks * MAILS, WAIT_SECONDS)
    return _rate(sink.arrivals)


def _portal(environment: dict[str, str], mails: int) -> tuple[list[float], tuple[float, float]]:
    """When each mail arrived; and the memory of the largest worker after a quarter and at the end, in MiB."""
    sink = Sink()
    environment = environment | {"SMTP_URL": f"smtp://127.0.0.1:{sink.port}"}
    after_a_quarter = 0.0
    with _worker("securemsg", environment, "mail,clock") as process:
        ends = time.monotonic() + WAIT_SECONDS
        while len(sink.arrivals) < mails:
            if time.monotonic() > ends:
                raise TimeoutError(f"{len(sink.arrivals)} of {mails} mails")
            _wake_up(environment)
            time.sleep(1)
            if not after_a_quarter and len(sink.arrivals) >= mails // QUARTERS:
                after_a_quarter = _largest_child(process.pid)
        at_the_end = _largest_child(process.pid)
        time.sleep(1)  # the last outcomes are written down
    return sink.arrivals, (after_a_quarter, at_the_end)


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

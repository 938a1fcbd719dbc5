"""How quickly notifications leave: `python -m benchmarks.notifications [--mails 100000] [--workers 2]`.

Messages are sent to people by the portal's own code, to a database of the benchmark's own; then real Celery workers,
woken through Redis, deliver to a sink on loopback. Beside it stands the floor: as many mails by bare Celery tasks that
send 100 each over one kept connection. A backlog is flat when its last quarter leaves as quickly as its first, and in
as much memory. Needs DATABASE_URL and BROKER_URL; on a machine that does anything else the figures say little.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .bench import _environment, _run
from .databases import Databases
from .mail_floor import MAILS
from .mail_sink import Sink
from .server import ROOT

NAME = "notifications"
GOAL = 0.75
WAIT_SECONDS = 3600.0


def main() -> int:
    options = _options()
    databases = Databases(os.environ["DATABASE_URL"])
    scratch = Path(tempfile.mkdtemp(prefix="securemsg-benchmark-"))
    environment = _environment(scratch, os.environ["BROKER_URL"]) | {"DATABASE_URL": databases.create(NAME)}
    try:
        _run(environment, "benchmarks.mailboxes", "people")
        floor = _floor(environment, options.workers, options.mails)
        waiting = json.loads(_run(environment, "benchmarks.mail_backlog", options.mails))
        rate, quarters, memory = _portal(environment, options.workers, waiting)
        ended = json.loads(_run(environment, "benchmarks.mail_backlog", "sent"))
    finally:
        databases.drop(NAME)
        shutil.rmtree(scratch)
    print(f"floor                {floor:8.0f} mails/s   bare tasks, {MAILS} over one kept connection")
    print(f"portal               {rate:8.0f} mails/s   {rate / floor:.0%} of it (goal {GOAL:.0%})")
    print(f"by quarters          {' '.join(f'{quarter:8.0f}' for quarter in quarters)}")
    print(f"memory of a worker   {memory[0]:8.1f} MiB after a quarter, {memory[1]:.1f} MiB at the end")
    print(f"ended                {ended}")
    return 0 if rate >= GOAL * floor and ended == {"sent": waiting} else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notifications", description=__doc__)
    parser.add_argument("--mails", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2, help="processes, on either side")
    return parser.parse_args()


def _floor(environment: dict[str, str], workers: int, mails: int) -> float:
    sink = Sink()
    with _worker("benchmarks.mail_floor", environment, workers, "floor"):
        from .mail_floor import send_100

        tasks = max(workers, min(mails, 20_000) // MAILS)
        for _ in range(tasks):
            send_100.delay(sink.port)
        sink.wait_for(tasks * MAILS, WAIT_SECONDS)
    return _rate(sink.arrivals)


def _portal(environment: dict[str, str], workers: int, mails: int) -> tuple[float, list[float], tuple[float, float]]:
    """Mails a second; of each quarter; and the memory of the largest worker after a quarter and at the end, in MiB."""
    sink = Sink()
    environment = environment | {"SMTP_URL": f"smtp://127.0.0.1:{sink.port}"}
    after_a_quarter = 0.0
    with _worker("securemsg", environment, workers, "mail,clock") as process:
        ends = time.monotonic() + WAIT_SECONDS
        while len(sink.arrivals) < mails:
            if time.monotonic() > ends:
                raise TimeoutError(f"{len(sink.arrivals)} of {mails} mails")
            _wake_up(environment, workers)
            time.sleep(1)
            if not after_a_quarter and len(sink.arrivals) >= mails // 4:
                after_a_quarter = _largest_child(process.pid)
        at_the_end = _largest_child(process.pid)
        time.sleep(1)  # the last outcomes are written down
    quarter = max(2, mails // 4)
    quarters = [_rate(sink.arrivals[start : start + quarter]) for start in range(0, mails - quarter + 1, quarter)]
    return _rate(sink.arrivals), quarters, (after_a_quarter, at_the_end)


def _wake_up(environment: dict[str, str], workers: int) -> None:
    """What a sending's commit does, and the clock every five seconds."""
    from celery import Celery

    app = Celery("benchmark", broker=environment["BROKER_URL"])
    for _ in range(workers):
        app.send_task("portal.tasks.deliver_due_mail", queue="mail")


def _rate(arrivals: list[float]) -> float:
    return (len(arrivals) - 1) / max(1e-6, arrivals[-1] - arrivals[0])


@contextmanager
def _worker(app: str, environment: dict[str, str], workers: int, queues: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "--concurrency", str(workers), "--queues", queues]
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


if __name__ == "__main__":
    sys.exit(main())

"""F5: the database crashed, frozen, out of connections, its sessions thrown out. Pages say so in words; workers come
back by themselves; what was acknowledged is there."""

import threading
import time
from contextlib import suppress

import psycopg2

from ..run import Run
from ..stage import CONCURRENCY
from . import fault


def _slowly(_argument: str) -> None:
    time.sleep(0.05)


def _keep_sending(run: Run, until: threading.Event, letters: int = 40) -> threading.Thread:
    """Somebody writes on, whatever the answers are. The letters are ready before: their people are rows, too."""
    ready = [run.letter(3, size=20_000) for _ in range(letters)]
    run.record.letters.clear()

    def send() -> None:
        for letter in ready:
            if until.is_set():
                return
            run.record.letters.append(letter)
            run.send(letter)
            time.sleep(0.1)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def _while_sending(run: Run, act, *, seconds: float = 3) -> None:
    run.record.degraded = True
    run.record.doubts = CONCURRENCY
    run.server.script["DOT"] = _slowly
    _ = run.sender
    over = threading.Event()
    thread = _keep_sending(run, over)
    try:
        time.sleep(1)
        act()
        time.sleep(seconds)
    finally:
        over.set()
        run.stage.cluster.thaw()
        run.stage.cluster.start()
        thread.join(90)
    assert any(letter.acknowledged for letter in run.record.letters), "nothing was sent at all"


@fault("F5", "PostgreSQL crashed and started again", short=True)
def crashed(run: Run) -> None:
    def crash() -> None:
        run.stage.cluster.stop_immediately()
        time.sleep(1.5)
        run.stage.cluster.start()

    _while_sending(run, crash)
    if not any(answer.status == 503 for answer in run.record.answers):
        run.record.wrong.append("I12: no page ever said that the database was away")


@fault("F5", "PostgreSQL's sessions thrown out at random")
def sessions_thrown_out(run: Run) -> None:
    def throw_out() -> None:
        run.record.doubts += 40  # as many as are thrown out
        with _session(run) as cursor:
            for _ in range(20):
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                    "AND backend_type = 'client backend' ORDER BY random() LIMIT 2"
                )
                time.sleep(0.2)

    _while_sending(run, throw_out)


@fault("F5", "PostgreSQL has no connection left")
def no_connection_left(run: Run) -> None:
    def take_them_all() -> None:
        taken = []
        with suppress(psycopg2.OperationalError):
            while True:
                taken.append(psycopg2.connect(run.stage.cluster.url))
        run.stage.database_line.cut()
        with suppress(psycopg2.OperationalError):
            while True:
                taken.append(psycopg2.connect(run.stage.cluster.url))
        time.sleep(4)
        for connection in taken:
            connection.close()

    _while_sending(run, take_them_all)


@fault("F5", "deadlocks and rows that somebody else holds")
def deadlocks(run: Run) -> None:
    """Another session takes rows in whatever order and keeps them for a moment, over and over."""
    table = "portal_outgoingmail"

    def hold() -> None:
        with _session(run) as cursor:
            for _ in range(15):
                cursor.execute("BEGIN")
                with suppress(psycopg2.Error):
                    cursor.execute("SET LOCAL deadlock_timeout = '3s'")
                    for order in ("id", "id DESC"):
                        cursor.execute(f"SELECT 1 FROM {table} ORDER BY {order} LIMIT 5 FOR UPDATE")
                        time.sleep(0.1)
                    cursor.execute("SELECT 1 FROM portal_organization FOR UPDATE")
                    time.sleep(0.1)
                cursor.execute("ROLLBACK")

    _while_sending(run, hold)


@fault("F5", "PostgreSQL frozen for 20 s")
def frozen(run: Run) -> None:
    def freeze() -> None:
        run.stage.cluster.freeze()
        time.sleep(20)
        run.stage.cluster.thaw()

    _while_sending(run, freeze)


class _session:
    """A cursor of the suite's own, past the proxy."""

    def __init__(self, run: Run) -> None:
        self._connection = psycopg2.connect(run.stage.cluster.url)
        self._connection.autocommit = True

    def __enter__(self):
        return self._connection.cursor()

    def __exit__(self, *_: object) -> None:
        self._connection.close()

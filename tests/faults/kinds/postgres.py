"""F5: the database crashed, frozen, out of connections, its sessions thrown out. Pages say so in words; workers come
back by themselves; what was acknowledged is there."""

import threading
import time
from contextlib import suppress

import psycopg2
import psycopg2.errors
from django.db import connection

from messaging.models import Message

from ..client import Answer
from ..run import Run
from ..stage import CONCURRENCY
from . import fault

# Seconds from the database's return to the workers' last mail.
AGAIN_WITHIN = 30


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
    """The workers must go on by themselves, before anything is made well that is not."""
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
        connection.close()  # the suite's own, which may lead to a server that is no more
    assert any(letter.acknowledged for letter in run.record.letters), "nothing was sent at all"
    run.wait(lambda: run.unfinished() == 0, AGAIN_WITHIN)


@fault("F5", "PostgreSQL crashed and started again", short=True)
def crashed(run: Run) -> None:
    _while_sending(run, lambda: _crash(run))
    if not any(answer.status == 503 for answer in run.record.answers):
        run.record.wrong.append("I12: no page ever said that the database was away")


def _crash(run: Run) -> None:
    run.stage.cluster.stop_immediately()
    time.sleep(1.5)
    run.stage.cluster.start()


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
        for one in taken:
            one.close()

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


@fault("F5", "a deadlock, which PostgreSQL breaks at the portal's expense", short=True)
def broken_deadlock(run: Run) -> None:
    """A recall holds its message and waits for a notification's row, which another session holds, which then asks for
    the message. Nothing of the recall stays; its author reads that it did not work, and it works the second time."""
    run.record.degraded = True
    run.stage.mail_line.refuses = True
    run.stage.mail_line.cut()
    letter = run.sent(6, size=1000)
    path = f"/messages/{run.sent_entry(letter).id}/recall/"
    answers: list[Answer] = []
    for _ in range(5):
        with _session(run) as cursor, _session(run) as probe:
            cursor.execute("BEGIN")
            cursor.execute("SET LOCAL deadlock_timeout = '20s'")  # the other side's second is over first
            cursor.execute("SELECT 1 FROM portal_outgoingmail WHERE organization_id = %s FOR UPDATE", [run.owner])
            thread = threading.Thread(target=lambda: answers.append(run.sender.post(path, {})))
            thread.start()
            run.wait(lambda probe=probe: _is_locked(probe, letter.id))
            with suppress(psycopg2.Error):  # its own: the machine was so slow that the portal's second was over before
                cursor.execute("SELECT 1 FROM messaging_message WHERE id = %s FOR UPDATE", [str(letter.id)])
            cursor.execute("ROLLBACK")
            thread.join(60)
        if answers[-1].status == 503:
            break
        run.record.wrong.append(f"a recall that was broken off answered {answers[-1].status}")
    if Message.objects.get(id=letter.id).recalled_at:
        run.record.wrong.append("broken off, and yet recalled")
    run.recall(letter)


def _is_locked(cursor, message_id: object) -> bool:
    try:
        cursor.execute("SELECT 1 FROM messaging_message WHERE id = %s FOR UPDATE NOWAIT", [str(message_id)])
    except psycopg2.errors.LockNotAvailable:
        return True
    return False


TABLES = ("messaging_message", "messaging_mailboxentry", "portal_outgoingmail", "portal_auditevent")
# Of all rows written: one in so many fails at its statement, and one at its transaction's commit.
ONE_IN = 40
ENOUGH = 6
_FAILING = f"""
    CREATE SEQUENCE failures;
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF random() < 1.0 / {ONE_IN} THEN
            PERFORM nextval('failures');
            RAISE EXCEPTION 'could not serialize access' USING ERRCODE = TG_ARGV[0];
        END IF;
        RETURN NULL;
    END $$;
"""


@fault("F5", "serialization failures and deadlocks at any statement, and at any commit")
def failing_transactions(run: Run) -> None:
    """Web requests say 503 and have done nothing; workers write down later what they know."""

    def fail_now_and_then() -> None:
        with _session(run) as cursor:
            cursor.execute(_FAILING)
            for table in TABLES:
                event = f"AFTER INSERT OR UPDATE ON {table}"
                cursor.execute(f"CREATE TRIGGER failing {event} FOR EACH ROW EXECUTE FUNCTION fail('40P01')")
                cursor.execute(
                    f"CREATE CONSTRAINT TRIGGER failing_late {event} DEFERRABLE INITIALLY DEFERRED "
                    "FOR EACH ROW EXECUTE FUNCTION fail('40001')"
                )
            try:
                run.wait(lambda: _failures(cursor) >= ENOUGH)
            finally:
                for table in TABLES:
                    cursor.execute(f"DROP TRIGGER failing ON {table}; DROP TRIGGER failing_late ON {table}")
                cursor.execute("DROP FUNCTION fail; DROP SEQUENCE failures")

    _while_sending(run, fail_now_and_then, seconds=0)


def _failures(cursor) -> int:
    cursor.execute("SELECT last_value FROM failures")
    return cursor.fetchone()[0]


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

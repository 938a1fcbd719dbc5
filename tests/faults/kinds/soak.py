"""F20: people send on for half an hour, while every 5 to 15 seconds something chosen at random fails."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from django.db import connection

from tests.smtp_server import CUT

from ..failpoints import MAIL
from ..run import Run
from ..stage import CONCURRENCY
from . import fault

PEOPLE = 100
SENDERS = 3
BREATH = 0.1  # seconds between a sender's letters: more than 20,000 in half an hour


def _point(run: Run) -> int:
    run.stage.points.arm(run.random.choice(MAIL))
    return 1


def _child(run: Run) -> int:
    with suppress(ProcessLookupError):
        os.kill(run.random.choice(run.stage.running("worker")[0].children()), signal.SIGKILL)
    return 1


def _crew(run: Run) -> int:
    for process in [*run.stage.running("worker"), *run.stage.running("clock")]:
        process.kill()
    run.stage.worker()
    run.stage.clock()
    return CONCURRENCY


def _second_clock(run: Run) -> int:
    run.stage.clock()
    time.sleep(3)
    run.stage.running("clock")[-1].kill()
    return 0


def _redis(run: Run) -> int:
    run.stage.redis.kill()
    time.sleep(run.random.uniform(0, 3))
    run.stage.redis.start()
    return 0


def _flush(run: Run) -> int:
    run.stage.redis.say("FLUSHALL")
    return 0


def _database_crash(run: Run) -> int:
    run.stage.cluster.stop_immediately()
    time.sleep(run.random.uniform(0, 2))
    run.stage.cluster.start()
    return CONCURRENCY


def _database_frozen(run: Run) -> int:
    run.stage.cluster.freeze()
    time.sleep(3)
    run.stage.cluster.thaw()
    return CONCURRENCY


def _database_line(run: Run) -> int:
    run.stage.database_line.cut()
    return CONCURRENCY


def _mail_line(run: Run) -> int:
    run.stage.mail_line.black_hole = True
    time.sleep(3)
    run.stage.mail_line.heal()
    run.stage.mail_line.cut()
    return CONCURRENCY


def _mail_server_tired(run: Run) -> int:
    run.server.script["RCPT"] = "451 4.3.0 not now"
    time.sleep(2)
    run.server.script.clear()
    return 0


def _mail_server_cuts(run: Run) -> int:
    answers = iter([CUT])
    run.server.script["DOT"] = lambda _argument: next(answers, None)
    time.sleep(1)
    run.server.script.clear()
    return 1


def _web_child(run: Run) -> int:
    with suppress(ProcessLookupError):
        os.kill(run.random.choice(run.stage.running("web")[0].children()), signal.SIGKILL)
    return 0


NEMESES: tuple[Callable[[Run], int], ...] = (
    _point,
    _child,
    _crew,
    _second_clock,
    _redis,
    _flush,
    _database_crash,
    _database_frozen,
    _database_line,
    _mail_line,
    _mail_server_tired,
    _mail_server_cuts,
    _web_child,
)


@fault("F20", "soak", once=True)
def soak(run: Run) -> None:
    """Each nemesis says how many mails it may have left in doubt."""
    run.record.degraded = run.record.web_is_killed = True
    addresses = [f"r{number}@outside.example" for number in range(PEOPLE)]
    run.written(addresses)
    assert run.send(run.record.letters[-1])
    over = threading.Event()
    browsers = [run.logged_in("sender@north.example", timeout=20) for _ in range(SENDERS)]
    lock = threading.Lock()

    def send_on(browser) -> None:
        while not over.wait(BREATH):
            with lock:
                letter = run.written(run.random.sample(addresses, 3))
            run.send(letter, browser)
            connection.close()

    threads = [threading.Thread(target=send_on, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    done: Counter[str] = Counter()
    ends = time.monotonic() + 60 * run.stage.options.soak
    try:
        while time.monotonic() < ends:
            nemesis = run.random.choice(NEMESES)
            run.record.doubts += nemesis(run)
            done[nemesis.__name__.strip("_")] += 1
            time.sleep(max(0, min(run.random.uniform(5, 15), ends - time.monotonic())))
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
    acknowledged = sum(letter.acknowledged for letter in run.record.letters)
    print(f"    {len(run.record.letters)} letters tried, {acknowledged} acknowledged; {dict(done)}")

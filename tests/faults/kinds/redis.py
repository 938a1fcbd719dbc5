"""F4: the broker gone, frozen, full, emptied, locked. It carries wake-up calls only: nothing may depend on it."""

import time
from contextlib import suppress

from ..run import Run
from . import fault

# From asking the portal to send until its answer, with a broker that does not answer: the page's own time, and the
# half second after which the broker is given up.
AT_MOST = 2.0


def _slowly(_argument: str) -> None:
    time.sleep(0.05)


def _sends_without_delay(run: Run) -> None:
    run.sent(6)
    slow = run.record.answers[-1].seconds
    if slow > AT_MOST:
        run.record.wrong.append(f"I12: sending took {slow:.1f} s without a broker")


@fault("F4", "Redis killed in the middle, and empty when it is back", short=True)
def killed(run: Run) -> None:
    run.server.script["DOT"] = _slowly
    run.sent(60)
    run.wait(lambda: run.heard() >= 10)
    run.stage.redis.kill()
    _sends_without_delay(run)
    time.sleep(2)


@fault("F4", "Redis flushed in the middle")
def flushed(run: Run) -> None:
    run.server.script["DOT"] = _slowly
    run.sent(60)
    for _ in range(5):
        run.stage.redis.say("FLUSHALL")
        time.sleep(0.3)


@fault("F4", "Redis frozen for 30 s")
def frozen(run: Run) -> None:
    _ = run.sender
    run.stage.redis.process.freeze()
    try:
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            _sends_without_delay(run)
            time.sleep(5)
    finally:
        run.stage.redis.process.thaw()


@fault("F4", "Redis out of memory", short=True)
def full(run: Run) -> None:
    _ = run.sender
    run.stage.redis.say("CONFIG", "SET", "maxmemory", "1")
    for _ in range(3):
        _sends_without_delay(run)
    time.sleep(2)


@fault("F4", "Redis asks for a password nobody knows")
def locked(run: Run) -> None:
    _ = run.sender
    run.stage.redis.say("CONFIG", "SET", "requirepass", "nobody knows")
    try:
        with suppress(Exception):
            run.stage.redis_line.cut()
        for _ in range(3):
            _sends_without_delay(run)
        time.sleep(5)
    finally:
        run.stage.redis.kill()

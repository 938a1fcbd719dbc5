"""F11: a worker that stands still for longer than its lease, and then goes on as if nothing had happened."""

import os
import signal
import time

from ..failpoints import STOP
from ..run import Run
from . import fault

LEASE = 60


def _standing_still(run: Run, *points: str) -> list[int]:
    for point in points:
        run.stage.points.arm(point, STOP)
    return [run.stage.wait_until_killed_at(point) for point in points]


@fault("F11", "worker stands still for longer than its lease", short=True)
def zombie(run: Run) -> None:
    """One before it renders, one right before its last word, one after the dot: only the last may have sent."""
    run.record.doubts = 1
    run.sent(20)
    run.settle()
    run.enqueue(12)
    run.call_workers(3)
    stopped = _standing_still(run, "claimed", "after RCPT", "after the dot")
    # Meanwhile another takes over what they hold.
    run.wait(lambda: run.unfinished() == 0, LEASE / run.stage.pace + 60)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    time.sleep(2)  # what they do now must change nothing


@fault("F11", "worker stands still before its last word")
def zombie_before_data(run: Run) -> None:
    run.enqueue(6)
    run.call_workers(3)
    (pid,) = _standing_still(run, "claimed")
    run.wait(lambda: run.unfinished() == 0, LEASE / run.stage.pace + 60)
    os.kill(pid, signal.SIGCONT)
    time.sleep(2)

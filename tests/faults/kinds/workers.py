"""F1, F2, F3: workers, clocks and web workers killed with SIGKILL, at chosen moments and all together."""

import time

from ..failpoints import MAIL, WEB
from ..run import Run
from ..stage import CONCURRENCY
from . import fault

# Killed there, the mail may have left: it is in doubt, and may come twice.
IN_DOUBT = {"mid DATA", "after the dot", "after 250"}


def killed_at_each(run: Run, *points: str) -> None:
    """Each happens to one of the worker's processes, while it has a dozen mails and more to deliver."""
    run.record.doubts = len(IN_DOUBT & set(points))
    run.record.web_is_unaffected = True
    for point in points:
        run.stage.points.arm(point)
    run.sent(12 + 2 * len(points))
    for point in points:
        run.stage.wait_until_killed_at(point)


@fault("F1", "killed at each point of a mail's way", short=True)
def killed_everywhere(run: Run) -> None:
    killed_at_each(run, *MAIL)


for point in MAIL:
    fault("F1", f"killed at: {point}", point=point)(lambda run, point: killed_at_each(run, point))


@fault("F2", "all workers and clocks killed at once", short=True)
def group_killed(run: Run) -> None:
    run.record.doubts = CONCURRENCY
    run.server.script["DOT"] = _slowly
    run.sent(60)
    run.wait(lambda: run.heard() >= 15)
    for process in [*run.stage.running("worker"), *run.stage.running("clock")]:
        process.kill()
    assert run.unfinished() > 20


@fault("F2", "two clocks and two workers at once", short=True)
def two_of_each(run: Run) -> None:
    run.stage.clock()
    run.stage.worker()
    run.server.script["DOT"] = _slowly
    run.sent(60)
    run.settle()


def _slowly(_argument: str) -> None:
    time.sleep(0.05)


@fault("F3", "web worker killed before the commit", short=True, point=WEB[0])
@fault("F3", "web worker killed after the commit, before the answer", short=True, point=WEB[1])
def web_killed(run: Run, point: str) -> None:
    """The sender, who saw no answer, sends the same form again: one message, whichever it was. Or does not."""
    run.record.web_is_killed = True
    for is_sent_again in (True, False):
        letter = run.letter()
        browser = run.sender
        run.stage.points.arm(point)
        assert not run.send(letter), "the answer was not lost"
        run.stage.wait_until_killed_at(point)
        if is_sent_again:
            assert run.send(letter, browser)

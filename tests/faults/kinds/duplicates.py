"""F9, F10: the same call many times, calls for what is not there, and many workers on one row."""

import time
import uuid

from django.db import transaction

from ..failpoints import BARRIER, WAIT
from ..processes import wait_until
from ..run import Run
from . import fault


@fault("F9", "the same calls five times, out of order, and forged ones", short=True)
def same_calls(run: Run) -> None:
    run.record.web_is_unaffected = True
    run.sent(20)
    tasks = ["portal.tasks.deliver_due_mail", "portal.tasks.link_audit_events", "messaging.tasks.purge_due"] * 5
    run.random.shuffle(tasks)
    for task in tasks:
        run.call_workers(1, task)
    run.call_workers(3, "portal.tasks.deliver_due_mail", str(uuid.uuid4()))  # takes no argument
    run.call_workers(3, "portal.tasks.no_such_task")
    run.settle()
    run.enqueue(5)


@fault("F9", "a call for a mail that is deleted meanwhile")
def deleted_row(run: Run) -> None:
    mails = run.enqueue(20)
    with transaction.atomic():
        # Not under the hands of a worker that has claimed it: what has left is no more to be unsent.
        due = run.rows().filter(id__in=[mail.id for mail in mails[:5]], state="due").select_for_update(skip_locked=True)
        run.rows().filter(id__in=list(due.values_list("id", flat=True))).delete()
    run.record.probes &= set(run.rows().values_list("id", flat=True))
    run.call_workers(5)


@fault("F10", "ten workers on one row", short=True)
def ten_workers(run: Run) -> None:
    """All of them stand right before claiming and are let go at once; while the mail server takes its time, they are
    called again."""
    crew = run.stage.worker(10)
    run.server.script["DOT"] = lambda _argument: time.sleep(1)
    run.stage.points.arm(BARRIER, WAIT)
    run.enqueue(1)
    run.call_workers(40)
    wait_until(lambda: run.stage.points.waiting_at(BARRIER) >= 10, 60)
    run.stage.points.disarm()
    run.wait(lambda: run.rows().filter(state="sending").exists())
    run.call_workers(20)
    run.wait(lambda: run.unfinished() == 0)
    time.sleep(2)  # for whoever would send it once more
    crew.kill()

"""F14: a mail that cannot be written, again and again: it is parked, and the others flow past it."""

from portal import delivery, moments

from ..run import Run
from ..worker import DEADLY, POISON
from . import fault


@fault("F14", "mails that cannot be written among those that can", short=True, kind=POISON, why="ZeroDivisionError")
@fault("F14", "mails whose writing ends the database session", short=True, kind=DEADLY, why="OperationalError")
def poison(run: Run, kind: str, why: str) -> None:
    poisoned = run.enqueue(5, kind)
    run.enqueue(50)
    run.sent(10)
    healthy = run.rows().exclude(kind=kind).filter(finished_at__isnull=True)
    run.wait(lambda: not healthy.exists(), 60)
    run.record.may_fail = {mail.to_address for mail in poisoned}
    run.wait(lambda: _given_up(run, kind) == len(poisoned), 60)
    for row in run.rows().filter(kind=kind):
        if why not in row.server_reply:
            run.record.wrong.append(f"parked without a reason: {row.server_reply!r}")


def _given_up(run: Run, kind: str) -> int:
    """How many; the others are as after a hundred tries, save those that a worker holds: it writes its own count."""
    rows = run.rows().filter(kind=kind)
    waiting = rows.filter(finished_at__isnull=True, lease_until__isnull=True, attempts__lt=delivery.MOST_ATTEMPTS)
    waiting.update(attempts=delivery.MOST_ATTEMPTS, due_at=moments.now())
    return rows.filter(state="failed").count()

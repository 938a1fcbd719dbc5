"""F14: a mail that cannot be written, again and again: it is parked, and the others flow past it."""

from portal import delivery, moments

from ..run import Run
from ..worker import POISON
from . import fault


@fault("F14", "mails that cannot be written among those that can", short=True)
def poison(run: Run) -> None:
    poisoned = run.enqueue(5, POISON)
    run.enqueue(50)
    run.sent(10)
    healthy = run.rows().exclude(kind=POISON).filter(finished_at__isnull=True)
    run.wait(lambda: not healthy.exists(), 60)
    run.record.may_fail = {mail.to_address for mail in poisoned}
    run.wait(lambda: _given_up(run) == len(poisoned), 60)
    for row in run.rows().filter(kind=POISON):
        if "ZeroDivisionError" not in row.server_reply:
            run.record.wrong.append(f"parked without a reason: {row.server_reply!r}")


def _given_up(run: Run) -> int:
    """How many; the others are as after a hundred tries, save those that a worker holds: it writes its own count."""
    rows = run.rows().filter(kind=POISON)
    waiting = rows.filter(finished_at__isnull=True, lease_until__isnull=True, attempts__lt=delivery.MOST_ATTEMPTS)
    waiting.update(attempts=delivery.MOST_ATTEMPTS, due_at=moments.now())
    return rows.filter(state="failed").count()

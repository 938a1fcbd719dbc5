"""F14: a mail that cannot be written, again and again: it is parked, and the others flow past it."""

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
    # As after two days, or a hundred tries: given up, with the reason.
    run.rows().filter(kind=POISON).update(attempts=100, due_at=_now(), lease_until=None)
    run.record.may_fail = {mail.to_address for mail in poisoned}
    run.wait(lambda: run.rows().filter(kind=POISON, state="failed").count() == 5, 60)
    for row in run.rows().filter(kind=POISON):
        if "ZeroDivisionError" not in row.server_reply:
            run.record.wrong.append(f"parked without a reason: {row.server_reply!r}")


def _now():
    from portal import moments

    return moments.now()

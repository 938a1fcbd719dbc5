"""F15: a day's mail, piled up while the mail server was away, drains in order, at a flat rate, in flat memory."""

import time
from datetime import timedelta
from pathlib import Path

from portal import bulk, delivery, moments, outbox
from portal.ids import uuid7
from portal.models import OutgoingMail

from ..run import Run
from ..stage import CONCURRENCY
from ..worker import PROBE
from . import fault

MAY_GROW_MIB = 32
# Mails that are due later and yet arrive earlier: no further than what all workers together hold at a time.
OUT_OF_ORDER = CONCURRENCY * delivery.MOST_AT_ONCE
# The slowest tenth against the mean of all.
FLAT = 0.4
SLOWEST_RATE = 10  # mails a second; from then on something is wrong


def _piled_up(run: Run, count: int) -> dict[str, int]:
    """Due over the last 24 hours; Message-ID by the order in which they are due."""
    now = moments.now()
    order: dict[str, int] = {}
    for start in range(0, count, 5000):
        mails = []
        for number in range(start, min(start + 5000, count)):
            about = uuid7()
            mail = outbox.new_mail(
                organization=run.organization,
                kind=PROBE,
                about=about,
                to_address=f"probe{number}@outside.example",
                dedupe_key=f"{PROBE}:{about}",
                due_at=now - timedelta(days=1) + timedelta(days=1) * number / count,
            )
            order[mail.message_id] = number
            mails.append(mail)
        bulk.insert(mails)
        run.record.probes.update(mail.id for mail in mails)
    return order


def _memory(pids: list[int]) -> int:
    """The largest of the processes, in MiB."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return max(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


@fault("F15", "a day's backlog after the mail server was away", once=True)
def backlog(run: Run) -> None:
    count = run.stage.options.backlog
    run.stage.mail_line.refuses = True
    run.stage.mail_line.cut()
    # Nobody looks while it grows: a hold would put off what is there, behind what is written in for earlier afterwards.
    run.stage.end_all("worker", "clock")
    order = _piled_up(run, count)
    run.stage.worker()
    run.stage.clock()
    time.sleep(5)
    run.stage.mail_line.heal()
    left = OutgoingMail.objects.filter(organization=run.organization, finished_at__isnull=True)
    run.wait(lambda: run.heard() > count // 20, 300)
    before = _memory(run.stage.running("worker")[0].children())
    run.wait(lambda: not left.exists(), 300 + count / SLOWEST_RATE)
    after = _memory(run.stage.running("worker")[0].children())
    run.settle()
    _judge(run, order, before, after)


def _judge(run: Run, order: dict[str, int], before: int, after: int) -> None:
    arrived = sorted(run.record.arrived, key=lambda arrival: arrival.at)
    # Whichever were tried while the server was away wait for their own next try.
    once = {row.message_id for row in run.record.rows if row.attempts == 1}
    places = [order[arrival.message_id] for arrival in arrived if arrival.message_id in once]
    worst = max(abs(place - when) for when, place in enumerate(places))
    times = [arrival.at for arrival in arrived]
    tenth = max(1, len(times) // 10)
    rates = [tenth / max(0.001, times[i + tenth - 1] - times[i]) for i in range(0, len(times) - tenth + 1, tenth)]
    mean = len(times) / max(0.001, times[-1] - times[0])
    print(
        f"    {len(times)} mails, {mean:.0f} a second (tenths: {' '.join(f'{rate:.0f}' for rate in rates)}), "
        f"{len(places)} at the first try, out of order by {worst} at most, "
        f"largest process {before} MiB, at the end {after} MiB"
    )
    if worst > OUT_OF_ORDER:
        run.record.wrong.append(f"a mail left {worst} places from its turn")
    if after - before > MAY_GROW_MIB:
        run.record.wrong.append(f"a worker grew by {after - before} MiB")
    if min(rates[1:] or rates) < FLAT * mean:
        run.record.wrong.append(f"the slowest tenth went at {min(rates):.0f} a second, all at {mean:.0f}")

"""F1, F16: what destroys, killed in the middle: begun again, it ends with everything gone, and never with a key gone
that something still counts on."""

import time
from contextlib import suppress
from datetime import timedelta

from django.db import connection
from django.db.models import F

from messaging.models import Attachment, MailboxEntry, Message
from portal import keyring
from portal.models import RetentionKey

from ..failpoints import KEYS, PURGE
from ..run import Run
from . import fault

PURGE_DUE, DESTROY_KEYS = "messaging.tasks.purge_due", "messaging.tasks.destroy_ended_keys"
LONG_AGO = timedelta(days=500)


def _grown_old(run: Run, letters: int = 3) -> None:
    _written_in_a_month_that_is_over(run, letters)
    _due(run)


def _written_in_a_month_that_is_over(run: Run, letters: int) -> None:
    for _ in range(letters):
        run.sent(3, size=20_000)
    run.settle()
    for row in RetentionKey.objects.filter(organization=run.organization):
        _moved(row)


def _moved(row: RetentionKey) -> None:
    """As if it had been made that long ago; it opens in its place."""
    key = keyring.open_retention_key(row)
    row.month -= LONG_AGO
    row.master_key_id, row.wrapped_key = keyring._wrap_under_master(key, keyring._retention_place(row))
    row.save()


def _due(run: Run) -> None:
    """From here on the stage's own clock has them purged, too."""
    mine = Message.objects.filter(organization=run.organization)
    mine.update(sent_at=F("sent_at") - LONG_AGO)
    for letter in run.record.letters:
        letter.ended = True


def _worked_until(run: Run, task: str, is_done) -> None:
    """Called as often as the clock would, but sooner."""

    def called() -> bool:
        if is_done():
            return True
        run.call_workers(1, task)
        time.sleep(1)
        return False

    run.wait(called, 120)


def _nothing_is_left(run: Run) -> bool:
    """Purged; and what is purged has neither key nor body nor file."""
    messages = Message.objects.filter(organization=run.organization)
    copies = MailboxEntry.objects.filter(message__in=messages)
    for message in messages.filter(purged_at__isnull=False):
        held = copies.filter(message=message, removed_at__isnull=True).exists()
        if message.body or held or Attachment.objects.filter(message=message).exists():
            run.record.wrong.append(f"message {message.id} says that it is purged, and something is left")
    return not messages.filter(purged_at__isnull=True).exists()


@fault("F1", "killed in the middle of purging, at each step", short=True)
def purge_killed(run: Run) -> None:
    _grown_old(run)
    for point in PURGE:
        run.stage.points.arm(point)
    _worked_until(run, PURGE_DUE, lambda: _nothing_is_left(run))
    for point in PURGE:
        assert run.stage.points.reached_by(point), f"nobody came to {point!r}"


@fault("F5", "PostgreSQL crashed while purging, at each step")
def database_crashed_while_purging(run: Run) -> None:
    """What can be repeated is not waited for until it is on the disk: what a crash takes back is done again."""
    run.record.degraded = True
    _grown_old(run)
    for point in PURGE:
        run.stage.points.arm(point)
    for point in PURGE:
        _killed_at(run, point)
        run.stage.cluster.stop_immediately()
        run.stage.cluster.start()
        connection.close()  # the suite's own
    _worked_until(run, PURGE_DUE, lambda: _nothing_is_left(run))


def _killed_at(run: Run, point: str) -> None:
    """Called again where the database was not back yet. Seen at once: what is not on the disk is there in 0.6 s."""
    for _call in range(12):
        run.call_workers(1, PURGE_DUE)
        with suppress(AssertionError):
            run.stage.wait_until_killed_at(point, 5)
            return
    raise AssertionError(f"nobody came to {point!r}")


@fault("F16", "killed in the middle of destroying a key", short=True)
def key_destroying_killed(run: Run) -> None:
    _written_in_a_month_that_is_over(run, 1)
    keys = RetentionKey.objects.filter(organization=run.organization)
    run.call_workers(1, DESTROY_KEYS)
    time.sleep(2)
    if keys.filter(destroyed_at__isnull=False).exists():
        run.record.wrong.append("a key was destroyed that a message still counts on")
    _due(run)
    _worked_until(run, PURGE_DUE, lambda: _nothing_is_left(run))
    for point in KEYS[:2]:
        run.stage.points.arm(point)
    _worked_until(run, DESTROY_KEYS, lambda: not keys.filter(wrapped_key__isnull=False).exists())
    # The second point comes after a key's commit; nobody need come by again once all are gone.
    assert run.stage.points.reached_by(KEYS[0])


@fault("F16", "two purge at once, one of them killed")
def two_purge(run: Run) -> None:
    run.stage.worker()
    _grown_old(run, 6)
    run.stage.points.arm(run.random.choice(PURGE))
    run.call_workers(6, PURGE_DUE)
    _worked_until(run, PURGE_DUE, lambda: _nothing_is_left(run))

"""Holds: a destination that cannot be talked to. Its mail waits as a whole and in order; other mail goes on.

One mail is tried when the hold is over. What it meets lifts the hold or prolongs it: 5 seconds, doubling to two
minutes. Mails' own 48 hours (portal/verdicts.py) run on meanwhile.
"""

import random
from datetime import datetime, timedelta

from django.db import transaction

from . import moments
from .models import MailHold, OutgoingMail
from .routes import Destination

FIRST = timedelta(seconds=5)
LONGEST = timedelta(minutes=2)
# Nobody has tried for so long after its end: no mail is waiting for it any more.
STALE = timedelta(hours=1)


class Holds:
    """The holds as they stand at the beginning of a worker's turn (one query), and what the turn adds to them."""

    def __init__(self) -> None:
        self._rows = {row.key: row for row in MailHold.objects.all()}
        if self._rows:
            self._forget_stale(moments.now() - STALE)

    def _forget_stale(self, before: datetime) -> None:
        for row in [row for row in self._rows.values() if row.until < before]:
            del self._rows[row.key]
            MailHold.objects.filter(key=row.key, until=row.until).delete()

    def on(self, destination: Destination, now: datetime) -> MailHold | None:
        row = self._rows.get(destination.key)
        return row if row is not None and row.until > now else None

    def begin(self, destination: Destination, words: str) -> None:
        """Put off all that is due for it, and say why in each mail's row, where its sender sees it."""
        self._rows[destination.key] = _begin(destination, words)

    def lift(self, destination: Destination) -> None:
        """It has been talked to."""
        if destination.key in self._rows:
            MailHold.objects.filter(key=destination.key).delete()
            del self._rows[destination.key]


@transaction.atomic
def _begin(destination: Destination, words: str) -> MailHold:
    now = moments.now()
    new = MailHold(
        key=destination.key,
        organization_id=destination.organization_id,
        name=destination.name,
        since=now,
        until=now,
    )
    MailHold.objects.bulk_create([new], ignore_conflicts=True)
    row = MailHold.objects.select_for_update().get(key=destination.key)
    if row.until <= now:  # else another worker met the same a moment ago
        row.failures += 1
        row.until = now + _delay(row.failures)
        row.words = words
        row.save()
        # What somebody else holds is left out: waiting for it, here, could end in a deadlock with a recall.
        put_off = destination.waiting().filter(due_at__lt=row.until).select_for_update(skip_locked=True)
        OutgoingMail.objects.filter(pk__in=put_off.values("pk"), state=OutgoingMail.State.DUE).update(
            due_at=row.until, server_reply=words
        )
    return row


def _delay(failures: int) -> timedelta:
    doubled: timedelta = FIRST * 2 ** min(failures - 1, 10)
    return min(doubled, LONGEST) * random.uniform(0.75, 1)  # noqa: S311  nothing secret about it

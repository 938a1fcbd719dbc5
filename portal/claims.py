"""What a worker writes into the rows of the outbox, and nothing else does: claim, the last word before DATA, outcome.

Each write is conditional on the fence of the claim, so that one of a worker that was overtaken changes nothing. Mails
are claimed several at a time, for each commit costs the disk a few milliseconds; they leave one by one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, F, Func, Q, TextField, Value, When
from django.db.models.functions import Coalesce, Now
from django.db.models.lookups import Exact

from . import bulk, moments
from .models import OutgoingMail
from .prepared import PreparedUpdate, Update

# Longer than a mail may take before DATA, and longer than it may take after: see portal/smtp.py.
LEASE = timedelta(seconds=60)

State = OutgoingMail.State


@dataclass(frozen=True)
class Claim:
    mail: OutgoingMail
    at: datetime
    lost_twice: bool  # for the second time, the worker that had begun to send it was never heard of again


def claim(most: int = 1) -> list[Claim]:
    """The mails that have been due for longest, leased to this worker; one whose worker was lost is claimed again."""
    with transaction.atomic():
        _never_sort_all_that_waits()
        now = moments.now()
        # On SQLite nothing is skipped: there the whole transaction is the lock.
        mails = list(
            OutgoingMail.objects.select_for_update(skip_locked=True)
            .prefetch_related("organization")
            .filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), finished_at__isnull=True, due_at__lte=now)
            .order_by("due_at", "id")[:most]
        )
        if mails:
            _lease(mails, now)
    return [_claimed(mail, now) for mail in mails]


def _never_sort_all_that_waits() -> None:
    """In this transaction. A backlog is younger than what PostgreSQL knows of the table: taking it for a few rows, it
    would read and sort the whole of it for each claim, instead of the first ones by the index."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")


def _lease(mails: list[OutgoingMail], now: datetime) -> None:
    """What `_claimed` does to the rows in memory."""
    in_doubt = When(state=State.SENDING, then=Coalesce(F("ambiguous_at"), now))
    OutgoingMail.objects.filter(pk__in=bulk.among([mail.pk for mail in mails])).update(
        state=State.LEASED,
        lease_until=now + LEASE,
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        first_tried_at=Coalesce(F("first_tried_at"), now),
        ambiguous_at=Case(in_doubt, default=F("ambiguous_at")),
    )


def _claimed(mail: OutgoingMail, now: datetime) -> Claim:
    lost = mail.state == State.SENDING
    found = Claim(mail, now, lost_twice=lost and mail.ambiguous_at is not None)
    if lost:
        mail.ambiguous_at = mail.ambiguous_at or now
    mail.state = State.LEASED
    mail.lease_until = now + LEASE
    mail.fence += 1
    mail.attempts += 1
    mail.first_tried_at = mail.first_tried_at or now
    return found


def give_back(mails: Iterable[OutgoingMail]) -> None:
    """What this worker has claimed and not begun, others may have at once; the attempt does not count."""
    for mail in mails:
        OutgoingMail.objects.filter(pk=mail.pk, fence=mail.fence, state=State.LEASED).update(
            state=State.AMBIGUOUS if mail.ambiguous_at else State.DUE, lease_until=None, attempts=F("attempts") - 1
        )


def mark_sending(mail: OutgoingMail) -> bool:
    """The last word before DATA, committed, so that a worker lost from here on leaves an ambiguous mail behind."""
    return _mark_sending(mail=mail.pk, fence=mail.fence) == 1


def _marked(mail: UUID, fence: int) -> Update:
    still_ours = OutgoingMail.objects.filter(pk=mail, fence=fence, state=State.LEASED)
    in_time = Q(not_after__isnull=True) | Q(not_after__gt=Now())
    return still_ours.filter(in_time), {"state": State.SENDING, "lease_until": Now() + LEASE}


_mark_sending = PreparedUpdate(_marked)


def write(mail: OutgoingMail) -> bool:
    """The row as it is in memory; False when this worker was overtaken, and nothing was written."""
    fields = ("state", "server_reply", "lease_until", "finished_at", "due_at", "ambiguous_at", "attempts")
    ours = OutgoingMail.objects.filter(pk=mail.pk, fence=mail.fence)
    return ours.update(**{field: getattr(mail, field) for field in fields}) == 1


def write_sent(mail: OutgoingMail, server_reply: str) -> bool:
    """The same for what becomes of most: it has left. What is in memory stays as it is."""
    return _write_sent(mail=mail.pk, fence=mail.fence, server_reply=server_reply) == 1


class _DoesNotWaitForTheDisk(Func):
    """Always true, and PostgreSQL answers the commit of the statement that it stands in before it is on the disk.

    For the outcome of a mail that has left. The mark of the worker's next mail, which does wait, takes it to the disk
    with itself, and PostgreSQL does in any case within 0.6 s. What a crash of the database takes away before that is
    in doubt, as if the worker had died in that moment; nothing that has left is ever taken for unsent.
    """

    function = "set_config"
    output_field = TextField()

    def as_sqlite(self, *args: Any, **kwargs: Any) -> tuple[str, tuple[str | int, ...]]:
        return "'off'", ()


def _sent(mail: UUID, fence: int, server_reply: str) -> Update:
    ours = OutgoingMail.objects.filter(pk=mail, fence=fence)
    later = _DoesNotWaitForTheDisk(Value("synchronous_commit"), Value("off"), Value(True))
    return ours.filter(Exact(later, Value("off"))), {
        "state": State.SENT,
        "server_reply": server_reply,
        "lease_until": None,
        "finished_at": moments.ThisMillisecond(),
    }


_write_sent = PreparedUpdate(_sent)

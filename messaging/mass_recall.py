"""Recall of a selection, ordered by an administrator and worked off message by message, each in a transaction of its
own: whoever is killed on the way leaves the rest waiting for the clock, and nothing is done twice.

What a recall takes back is the same as when the author does it (recall.py).
"""

import logging
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from portal import audit, moments, outbox
from portal.models import Organization

from .models import MassRecall, MassRecallItem
from .recall import AlreadyRecalled, recall_message

logger = logging.getLogger(__name__)

# At once: more is another search. Keeps the order itself, rows and all, within a second.
MOST_MESSAGES = 10_000
# So many are recalled before the administrator's page answers; the rest is the worker's.
AT_ONCE = 20
TASK = "messaging.tasks.recall_selections"
Outcome = MassRecallItem.Outcome


@dataclass(frozen=True)
class Progress:
    """Counts of one selection's messages."""

    total: int
    recalled: int
    before: int
    failed: int
    copies: int

    @property
    def done(self) -> int:
        return self.recalled + self.before + self.failed


@transaction.atomic
def order(*, actor: User, organization: Organization, message_ids: Iterable[uuid.UUID]) -> MassRecall:
    """Take the selection down. The caller has looked the messages up as this administrator may see them."""
    selection = MassRecall.objects.create(organization=organization, actor=actor, ordered_at=moments.now())
    items = [MassRecallItem(mass_recall=selection, message_id=message_id) for message_id in dict.fromkeys(message_ids)]
    MassRecallItem.objects.bulk_create(items, batch_size=1000)
    audit.record(organization, "mass_recall.ordered", actor=actor, about=selection.id, messages=len(items))
    transaction.on_commit(lambda: outbox.wake_up(TASK))
    return selection


@transaction.atomic
def retry(*, actor: User, selection: MassRecall) -> int:
    """Let those that failed wait once more; returns how many. Whoever retries is written down, the actor stays."""
    MassRecall.objects.select_for_update().get(pk=selection.pk)
    failed = selection.items.filter(outcome=Outcome.FAILED).update(outcome=Outcome.WAITING)
    if failed:
        MassRecall.objects.filter(pk=selection.pk).update(finished_at=None)
        audit.record(selection.organization, "mass_recall.retried", actor=actor, about=selection.id, messages=failed)
        transaction.on_commit(lambda: outbox.wake_up(TASK))
    return failed


def progress(selection: MassRecall) -> Progress:
    """One query."""
    counts = selection.items.aggregate(
        total=Count("pk"),
        recalled=Count("pk", filter=Q(outcome=Outcome.RECALLED)),
        before=Count("pk", filter=Q(outcome=Outcome.BEFORE)),
        failed=Count("pk", filter=Q(outcome=Outcome.FAILED)),
        copies=Sum("copies", default=0),
    )
    return Progress(**counts)


def with_counts(selections: QuerySet) -> QuerySet:
    """The selections with `total`, `done` and `failed`, as `progress` counts them."""
    items = MassRecallItem.objects.filter(mass_recall=OuterRef("pk")).order_by().values("mass_recall")
    counted = {
        "total": items,
        "done": items.exclude(outcome=Outcome.WAITING),
        "failed": items.filter(outcome=Outcome.FAILED),
    }
    return selections.annotate(
        **{name: Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), 0) for name, rows in counted.items()}
    )


def work_off(*, limit: int = 10_000, seconds: float = 10) -> int:
    """Recall what waits, oldest selection first, and close what is done; returns how many messages were taken on."""
    stop_at = time.monotonic() + seconds
    done = 0
    while done < limit and time.monotonic() < stop_at and _next_one():
        done += 1
    _close_finished()
    return done


def _next_one() -> bool:
    """Recall one message; False when none waits that nobody else has in hand."""
    with transaction.atomic():
        waiting = MassRecallItem.objects.select_for_update(skip_locked=True, of=("self",)).select_related(
            "message__organization", "mass_recall__actor"
        )
        item = waiting.filter(mass_recall__finished_at__isnull=True, outcome=Outcome.WAITING).order_by("id").first()
        if item is None:
            return False
        item.outcome, item.copies = _recalled(item)
        item.save(update_fields=["outcome", "copies"])
    return True


def _recalled(item: MassRecallItem) -> tuple[str, int]:
    if item.message is None:  # undone and discarded meanwhile
        return Outcome.BEFORE, 0
    try:
        return Outcome.RECALLED, recall_message(actor=item.mass_recall.actor, message=item.message).copies
    except AlreadyRecalled:
        return Outcome.BEFORE, 0
    except Exception:  # one that does not go through must not keep the others from going
        logger.exception("A message of selection %s could not be recalled", item.mass_recall_id)
        return Outcome.FAILED, 0


def _close_finished() -> None:
    waiting = MassRecallItem.objects.filter(outcome=Outcome.WAITING).values("mass_recall")
    for selection in MassRecall.objects.filter(finished_at__isnull=True).exclude(pk__in=waiting):
        with transaction.atomic():
            if not MassRecall.objects.filter(pk=selection.pk, finished_at__isnull=True).update(
                finished_at=moments.now()
            ):
                continue  # another worker was quicker
            outcome = progress(selection)
            audit.record(
                selection.organization,
                "mass_recall.finished",
                actor=selection.actor,
                about=selection.id,
                recalled=outcome.recalled,
                before=outcome.before,
                failed=outcome.failed,
            )

"""Limits in rate: how often somebody may do something costly. Counted in the database: they hold under parallel
requests, and no flushed cache forgets them."""

import math
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from . import moments
from .models import LimitUse


@dataclass(frozen=True)
class Limit:
    """So many uses in a period, which begins with the first of them."""

    name: str
    uses: int
    period: timedelta


class LimitReached(Exception):
    """Not now; again in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"again in {retry_after} s")
        self.retry_after = retry_after


def use(limit: Limit, by: uuid.UUID) -> None:
    """Count one use; LimitReached, and nothing counted, when there is none left. One conditional UPDATE, so that of
    any number in one moment only as many pass as are left."""
    if _count(limit, by):
        return
    first = LimitUse(limit=limit.name, used_by=by, began_at=moments.now(), used=0)
    LimitUse.objects.bulk_create([first], ignore_conflicts=True)
    if not _count(limit, by):
        raise LimitReached(_seconds_left(limit, by))


def _count(limit: Limit, by: uuid.UUID) -> bool:
    # The latter where the database's clock was ahead: nobody is to wait until that moment comes.
    over = Q(began_at__lte=Now() - limit.period) | Q(began_at__gt=Now() + limit.period)
    mine = LimitUse.objects.filter(over | Q(used__lt=limit.uses), limit=limit.name, used_by=by)
    return bool(
        mine.update(
            used=Case(When(over, then=Value(1)), default=F("used") + 1),
            began_at=Case(When(over, then=Now()), default=F("began_at")),
        )
    )


def _seconds_left(limit: Limit, by: uuid.UUID) -> int:
    began_at = LimitUse.objects.get(limit=limit.name, used_by=by).began_at
    return max(1, math.ceil((began_at + limit.period - moments.now()).total_seconds()))

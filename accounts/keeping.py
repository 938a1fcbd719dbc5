"""How long the portal keeps what visitors leave behind: tries to log in and requests for mail, with addresses, browsers
and networks.

The audit log keeps the cause and the reference code of each try as long as it keeps anything; what is cleared here is
what support asks for in the weeks after, and nobody later. The limits on guessing look back an hour at most.
"""

from datetime import timedelta

from django.db import models

from portal import moments
from portal.ids import first_of

from .models import LogInAttempt, MailRequest

KEPT: dict[type[models.Model], timedelta] = {
    LogInAttempt: timedelta(days=90),
    MailRequest: timedelta(days=30),
}
# Rows of each kind in one run: it holds no lock for long, and the clock comes again.
MOST = 5000


def clear_old(most: int = MOST) -> int:
    """Delete what is older, oldest first; returns how many rows."""
    now = moments.now()
    cleared = 0
    for model, lifetime in KEPT.items():
        # By the id, which is in time order: no index is needed for it.
        old = model._default_manager.filter(pk__lt=first_of(now - lifetime)).order_by("pk")
        batch = list(old.values_list("pk", flat=True)[:most])
        cleared += model._default_manager.filter(pk__in=batch).delete()[0]
    return cleared

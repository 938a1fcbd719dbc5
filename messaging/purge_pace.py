"""How many rows one transaction of a purge takes on: none is to last for a tenth of a second, however busy the database
is, for others wait for what it holds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

# Twice as many as the last time after a transaction that took less than QUICK_SECONDS, else half as many, but never
# less than this share of the most: below it, the commit takes longer than the rows.
QUICK_SECONDS = 0.04
LEAST_SHARE = 1 / 16


class Pace:
    """That of one step. It holds for what this process does next, be it minutes later, or elsewhere."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._share = LEAST_SHARE

    @property
    def rows(self) -> int:
        return max(1, int(self.most * self._share))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        began = time.monotonic()
        with transaction.atomic():
            yield
        is_quick = time.monotonic() - began < QUICK_SECONDS
        self._share = min(1.0, self._share * 2) if is_quick else max(LEAST_SHARE, self._share / 2)

"""How many rows one transaction of a purge takes on: none is to last for a tenth of a second, however busy the database
is, for others wait for what it holds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

# Twice as many as the last time after a transaction that took less than QUICK_SECONDS, else half as many, but never
# less than this share of the most: below it, the commit takes longer than the rows. It is a fifth of what a transaction
# may take, for on a busy machine the next one can last several times as long.
QUICK_SECONDS = 0.02
LEAST_SHARE = 1 / 16


class Pace:
    """That of one step. It holds for what this process does next, be it minutes later, or elsewhere.

    is_repeatable: nothing but the database changes with it, and what a crash of that takes back is due again. Such a
    step does not wait for the disk: a stall of that lasts longer than any rows do."""

    def __init__(self, most: int, *, is_repeatable: bool = False) -> None:
        self.most = most
        self._is_repeatable = is_repeatable
        self._share = LEAST_SHARE

    @property
    def rows(self) -> int:
        return max(1, int(self.most * self._share))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        began = time.monotonic()
        with transaction.atomic():
            if self._is_repeatable and connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL synchronous_commit = off")
            yield
        is_quick = time.monotonic() - began < QUICK_SECONDS
        self._share = min(1.0, self._share * 2) if is_quick else max(LEAST_SHARE, self._share / 2)

"""Health: whether this process lives, whether the installation can do its work, and what to count.

`/healthz` asks nothing but the process. `/readyz` asks the database, the key ring, the queue and the disk, and says in
a sentence each what is wrong: no number, no name, for everybody may ask. Answers are kept for seconds, so that however
often somebody asks, the database is asked as often as it can bear.
"""

import shutil
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Generic, TypeVar

from django.conf import settings
from django.db import Error, connection
from django.utils.translation import gettext as _

from . import keyring, moments
from .models import OutgoingMail

KEPT_SECONDS = 5
# The clock looks every five seconds: mail that nobody has touched for this long has no worker.
QUEUE_LATE = timedelta(minutes=15)
LEAST_FREE_BYTES = 500 * 1024 * 1024

Answer = TypeVar("Answer")


class Kept(Generic[Answer]):
    """An answer that is good for some seconds; one thread at a time finds a new one out."""

    def __init__(self, ask: Callable[[], Answer], seconds: float) -> None:
        self._ask, self._seconds = ask, seconds
        self._lock = threading.Lock()
        self._found: tuple[float, Answer] | None = None

    def __call__(self) -> Answer:
        with self._lock:
            if self._found is None or time.monotonic() - self._found[0] >= self._seconds:
                self._found = (time.monotonic(), self._ask())
            return self._found[1]

    def forget(self) -> None:
        self._found = None


def _problems() -> list[str]:
    """A sentence for each part that does not do its work; empty: ready."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return [_("The database does not answer.")]
    asked = (
        (_keys_open, _("The key ring cannot be opened.")),
        (_queue_moves, _("Mail is waiting and no worker takes it.")),
        (_disk_has_room, _("The disk that attachments are on is nearly full or cannot be reached.")),
    )
    return [words for is_well, words in asked if not is_well()]


problems = Kept(_problems, KEPT_SECONDS)


def _keys_open() -> bool:
    try:
        keyring.leaf_key("health")
    except Exception:  # a wrong file, a wrong key, a file that is gone: whatever it is, nothing can be opened
        return False
    return True


def _queue_moves() -> bool:
    """Mail that waits for a destination is not late: whoever looks at it puts it off, which is movement."""
    late = moments.now() - QUEUE_LATE
    return not OutgoingMail.objects.filter(finished_at__isnull=True, due_at__lt=late).exists()


def _disk_has_room() -> bool:
    folder = settings.ATTACHMENTS_DIR
    try:
        # Made by the first attachment.
        return shutil.disk_usage(folder if folder.exists() else folder.parent).free >= LEAST_FREE_BYTES
    except OSError:
        return False

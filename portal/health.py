"""Health: whether this process lives, whether the installation can do its work, and what to count.

`/healthz` asks nothing but the process. `/readyz` asks the database, the key ring, the queue and the disk, and says of
each that is not well what is wrong and what to do: no number, no name, for everybody may ask. Answers are kept for
seconds, so that however often somebody asks, the database is asked as often as it can bear.
"""

import logging
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
from .keyring import MasterKeysMissing, SealBroken
from .models import OutgoingMail

logger = logging.getLogger(__name__)

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
    """For each part that does not do its work, what is wrong and what to do about it; empty: ready."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return [_("The database does not answer. Bring it back; web and workers find it again by themselves.")]
    return [words for found in (_key_ring(), _queue(), _disk()) if (words := found)]


problems = Kept(_problems, KEPT_SECONDS)


def _key_ring() -> str:
    try:
        keyring.check_ring()
    except MasterKeysMissing:  # the log has which, or why
        return _(
            "The key ring cannot be read, or lacks a master key that is in use; the log says which. "
            "Put the master keys back as they were: nothing is lost."
        )
    except SealBroken as broken:
        logger.critical("The key ring does not open what is stored: %s", broken)
        return _(
            "The key ring does not open what was sealed with it: it has another key under the same name, or what is "
            "stored was changed; the log says which. Put back the master keys, or the stored key from a backup."
        )
    return ""


def _queue() -> str:
    """Mail that waits for a destination is not late: whoever looks at it puts it off, which is movement."""
    late = moments.now() - QUEUE_LATE
    if not OutgoingMail.objects.filter(finished_at__isnull=True, due_at__lt=late).exists():
        return ""
    return _("Mail is waiting and no worker takes it. See that a worker, the clock and Redis are running.")


def _disk() -> str:
    folder = settings.ATTACHMENTS_DIR
    try:
        # Made by the first attachment.
        if shutil.disk_usage(folder if folder.exists() else folder.parent).free >= LEAST_FREE_BYTES:
            return ""
    except OSError as error:
        logger.critical("The disk that attachments are on cannot be reached: %s", error)
    return _("The disk that attachments are on is nearly full or cannot be reached. Make room, or mount it again.")

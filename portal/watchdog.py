"""A time limit on what a thread of this process is doing: what has not ended in time is acted upon from another thread,
the one watchdog of the process. Setting a limit costs no thread and, mostly, wakes none.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

Act = Callable[[], None]


class _Watchdog:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limits: dict[object, tuple[float, Act]] = {}  # moments of time.monotonic()
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None

    def add(self, key: object, deadline: float, act: Act) -> None:
        with self._changed:
            self._limits[key] = (deadline, act)
            # A process that was forked since has no thread yet.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
            elif deadline < self._wakes_at:
                self._changed.notify()

    def remove(self, key: object) -> None:
        with self._changed:
            self._limits.pop(key, None)

    def _watch(self) -> None:
        while True:
            for act in self._overdue():
                try:
                    act()
                except Exception:
                    logger.exception("What was to be done about something late failed")

    def _overdue(self) -> list[Act]:
        """Those whose time has run out; waits until there is at least a reason to look."""
        with self._changed:
            now = time.monotonic()
            late = [(key, act) for key, (deadline, act) in self._limits.items() if deadline <= now]
            for key, _act in late:
                del self._limits[key]
            if not late:
                # Limits that were removed meanwhile are why it may wake for nothing.
                self._wakes_at = min((deadline for deadline, _act in self._limits.values()), default=now + 60)
                self._changed.wait(self._wakes_at - now)
            return [act for _key, act in late]


_watchdog = _Watchdog()


@contextmanager
def after(seconds: float, act: Act) -> Iterator[None]:
    """Have `act` called, once and in another thread, if the block takes longer."""
    key = object()
    _watchdog.add(key, time.monotonic() + seconds, act)
    try:
        yield
    finally:
        _watchdog.remove(key)

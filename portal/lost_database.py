"""The database lost in the middle of a worker's turn: told apart from other faults, and outlasted."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

# Seconds between tries; together far less than a mail's lease.
_PAUSES = (0.2, 1, 2, 4, 8)

Answer = TypeVar("Answer")


def is_lost() -> bool:
    """Whether nothing can be asked any more over the connection that was there; asked after an error, outside
    transactions."""
    return not connection.is_usable()


def outlasted(ask: Callable[[], Answer], what: str) -> Answer:
    """What `ask` returns: asked again, over a new connection, for as long as the database is away, and in the end with
    the error that it met. Nothing is remembered of a try that failed, so `ask` must bear being asked twice."""
    for pause in _PAUSES:
        try:
            return ask()
        except (OperationalError, InterfaceError) as error:
            logger.warning("%s: tried again in %s s. %s", what, pause, error)
            connection.close()
            time.sleep(pause)
    return ask()

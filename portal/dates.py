"""How days and times are written: as the person chose on the page "Account", else as their language has it.

The choice is current while a request is answered, as Django has it with zone and language (portal/middleware.py):
the pages that are Django's, in the console, ask for a format by its name and know no reader.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime

from django.utils.formats import date_format, get_format
from django.utils.timezone import localtime

# By what can be chosen, in Django's format letters.
DATES = {"day_first": "j F Y", "month_first": "F j, Y", "iso": "Y-m-d"}
SHORT_DATES = {"day_first": "d/m/Y", "month_first": "m/d/Y", "iso": "Y-m-d"}
DAYS = {"day_first": "j M", "month_first": "M j", "iso": "m-d"}
TIMES = {"24": "H:i", "12": "g:i a"}

_chosen: ContextVar[tuple[str, str]] = ContextVar("dates", default=("", ""))


@contextmanager
def override(date_format: str, time_format: str) -> Iterator[None]:
    """Within it, Django's pages write moments so; empty: as the language has it."""
    token = _chosen.set((date_format, time_format))
    try:
        yield
    finally:
        _chosen.reset(token)


def in_full(at: datetime | None) -> str:
    """Day, time and zone, in the current one; empty for what has not happened."""
    return date_format(localtime(at), "DATETIME_FORMAT") if at else ""


def day(on: date) -> str:
    return date_format(on, DATES.get(_chosen.get()[0], "DATE_FORMAT"))


def clock(at: datetime) -> str:
    """The time of day alone, in the current zone."""
    return date_format(localtime(at), TIMES.get(_chosen.get()[1], "H:i"))


class AsChosen(str):
    """Django's DATETIME_FORMAT (portal/formats/): it takes `str` of it anew for each moment that it writes, since a
    format may be a lazy translation. A true string beneath, because Django also puts formats into JSON."""

    def __str__(self) -> str:
        day, time = _chosen.get()
        return f"{DATES.get(day) or get_format('DATE_FORMAT')}, {TIMES.get(time, 'H:i')} T"

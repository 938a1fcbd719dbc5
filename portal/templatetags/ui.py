"""Small elements of the pages: fields, moments, states. Their markup is in templates/ui/."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from html import escape  # what Django's does, without asking each time whether the text is a lazy one
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.utils import timezone
from django.utils.formats import date_format, get_format, time_format
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.dates import DATES, DAYS, SHORT_DATES, TIMES
from portal.plain_text import plain_text

register = template.Library()

# As date.weekday counts: Monday is 0.
_WEEK_STARTS = {"monday": 0, "saturday": 5, "sunday": 6}
# A tag that names a colour: style="color:…", bgcolor=…, background:….
_COLOUR_IN_TAG = re.compile(r"<[^<>]*(?:color|background)", re.IGNORECASE)


@register.inclusion_tag("ui/field.html")
def field(bound: BoundField, line: bool = False, hint: str = "") -> dict[str, Any]:
    """A form's field with its label, help (or the page's hint) and errors.

    `line`: the label stands beside it where there is room.
    """
    bound.help_text = bound.help_text or hint
    return {"field": bound, "line": line, "secret": bound.widget_type == "password"}


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime | str, form: str = "full") -> str:
    """A moment (or its ISO 8601 text) in the reader's zone: `full` says the zone, `short` is for columns whose page
    says it (`zone`). Written out here and not in a template: a page has dozens of them."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    reader = _reader(context)
    local = timezone.localtime(at, reader.zone)
    full = reader.full % {
        "date": reader.day(local, reader.date),
        "time": reader.time(local),
        "zone": _zone_name(local),
    }
    if form == "short":
        return _as_element(local, reader.short(local), full)
    return _as_element(local, full)


def _as_element(local: datetime, text: str, title: str = "") -> SafeString:
    shown = f' title="{escape(title)}"' if title else ""
    return SafeString(f'<time datetime="{local.isoformat()}"{shown}>{escape(text)}</time>')


@register.simple_tag(takes_context=True)
def zone(context: Context) -> str:
    """The name of the zone the page's short moments are in, such as GMT or UTC+05:30."""
    return _zone_name(timezone.localtime(timezone.now(), _zone(context)))


@register.filter
def pill_shape(state: str) -> str:
    """The shape that goes with a state's words; without one of its own, an open circle."""
    return state if state in {"expired", "recalled", "failed", "done", "waiting"} else "plain"


@register.filter
def as_text(html: str) -> str:
    """The words of a message's HTML, a line for each block: for pages that do not render what others wrote."""
    return plain_text(html)


@register.filter
def has_own_colours(html: str) -> bool:
    """Whether a message's HTML sets colours: then it is shown on paper, or its dark text could vanish at night."""
    return _COLOUR_IN_TAG.search(html) is not None


def _zone(context: Context) -> ZoneInfo | None:
    """The reader's own zone, else the organisation's; None, where the page has neither, is Django's current one."""
    if own := getattr(context.get("user"), "time_zone", ""):
        return ZoneInfo(own)
    organization = context.get("organization")
    return ZoneInfo(organization.time_zone) if organization else None


def _zone_name(local: datetime) -> str:
    """Abbreviations where there is one; zones that only have an offset (+0530) say what it is an offset from."""
    name = local.tzname() or ""
    return f"UTC{local.isoformat()[-6:]}" if name[:1] in ("+", "-") else name


@dataclass(frozen=True)
class _Reader:
    """How the page's reader wants moments, and what day it is where they are; looked up once for a template."""

    zone: ZoneInfo | None
    language: str | None
    today: date
    week_began: date
    full: str
    date: str
    short_date: str
    day_and_month: str
    clock: str

    def short(self, local: datetime) -> str:
        """The least that tells a moment apart: the time today, weekday and time this week, the day this year, else the
        date."""
        if local.date() == self.today:
            return self.time(local)
        if timedelta(0) <= local.date() - self.week_began < timedelta(days=7):
            return f"{self.day(local, 'D')} {self.time(local)}"
        return self.day(local, self.day_and_month if local.year == self.today.year else self.short_date)

    def day(self, local: datetime, form: str) -> str:
        return _day_in(self.language, local.date(), form)

    def time(self, local: datetime) -> str:
        return _time_in(self.language, local.hour, local.minute, self.clock)


def _reader(context: Context) -> _Reader:
    kept = context.render_context
    if (found := kept.get("reader")) is None:
        user, zone = context.get("user"), _zone(context)
        today = timezone.localtime(timezone.now(), zone).date()
        found = kept["reader"] = _Reader(
            zone=zone,
            language=get_language(),
            today=today,
            week_began=_week_began(today, getattr(user, "week_starts_on", "")),
            full=_("%(date)s, %(time)s %(zone)s"),
            date=DATES.get(getattr(user, "date_format", ""), "DATE_FORMAT"),
            short_date=SHORT_DATES.get(getattr(user, "date_format", ""), "SHORT_DATE_FORMAT"),
            day_and_month=DAYS.get(getattr(user, "date_format", ""), "j M"),
            clock=TIMES.get(getattr(user, "time_format", ""), "H:i"),
        )
    return found


def _week_began(today: date, starts_on: str) -> date:
    """The first day of the week that today is in: as the person chose, else as the language has it."""
    usual = (get_format("FIRST_DAY_OF_WEEK") - 1) % 7  # Django counts from Sunday
    return today - timedelta(days=(today.weekday() - _WEEK_STARTS.get(starts_on, usual)) % 7)


# The same few days and minutes stand on everybody's pages.
@lru_cache(maxsize=4096)
def _day_in(_language: str | None, day: date, form: str) -> str:
    return date_format(day, form)


@lru_cache(maxsize=8192)
def _time_in(_language: str | None, hour: int, minute: int, form: str) -> str:
    return time_format(time(hour, minute), form)

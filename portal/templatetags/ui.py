"""Small elements of the pages: fields, moments, states. Their markup is in templates/ui/."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.plain_text import plain_text

register = template.Library()

# What a person may choose on the page "Account", in Django's format letters.
_DATES = {"day_first": "j F Y", "month_first": "F j, Y", "iso": "Y-m-d"}
_SHORT_DATES = {"day_first": "d/m/Y", "month_first": "m/d/Y", "iso": "Y-m-d"}
_DAYS = {"day_first": "j M", "month_first": "M j", "iso": "m-d"}
_TIMES = {"24": "H:i", "12": "g:i a"}
# A tag that names a colour: style="color:…", bgcolor=…, background:….
_COLOUR_IN_TAG = re.compile(r"<[^<>]*(?:color|background)", re.IGNORECASE)


@register.inclusion_tag("ui/field.html")
def field(bound: BoundField, line: bool = False, hint: str = "") -> dict[str, Any]:
    """A form's field with its label, help (or the page's hint) and errors.

    `line`: the label stands beside it where there is room.
    """
    bound.help_text = bound.help_text or hint
    return {"field": bound, "line": line, "secret": bound.widget_type == "password"}


@register.inclusion_tag("ui/moment.html", takes_context=True)
def moment(context: Context, at: datetime | str, form: str = "full") -> dict[str, Any]:
    """A moment (or its ISO 8601 text) in the reader's zone: `full` says the zone, `short` is for columns whose page
    says it (`zone`)."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    local = timezone.localtime(at, _zone(context))
    full = _("%(date)s, %(time)s %(zone)s") % {
        "date": date_format(local, _chosen(context, _DATES, "date_format", "DATE_FORMAT")),
        "time": date_format(local, _chosen(context, _TIMES, "time_format", "H:i")),
        "zone": _zone_name(local),
    }
    return {"at": local, "full": full, "text": _short(local, context) if form == "short" else full}


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


def _chosen(context: Context, formats: dict[str, str], field: str, usual: str) -> str:
    """The format that the reader chose on the page "Account"."""
    return formats.get(getattr(context.get("user"), field, ""), usual)


def _short(local: datetime, context: Context) -> str:
    """The least that tells a moment apart: the time today, the day this year, else the date."""
    today = timezone.localtime(timezone.now(), local.tzinfo)
    if local.date() == today.date():
        return date_format(local, _chosen(context, _TIMES, "time_format", "H:i"))
    if local.year == today.year:
        return date_format(local, _chosen(context, _DAYS, "date_format", "j M"))
    return date_format(local, _chosen(context, _SHORT_DATES, "date_format", "SHORT_DATE_FORMAT"))

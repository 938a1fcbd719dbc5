"""Small elements of the console's pages."""

import re
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from portal import erased

register = template.Library()
register.filter("person", erased.in_words)


# An address in a cell's text: what follows it up to the next tag has no end of a tag, as in an attribute.
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+(?=[^<>]*<)")


@register.filter
def breakable(name: str) -> SafeString:
    """A dotted name, an address or an action of the audit log, that breaks between its words and not within one."""
    return mark_safe(_with_breaks(escape(name)))  # noqa: S308  escaped


def _with_breaks(html: str) -> str:
    return re.sub(r"[._@]", r"\g<0><wbr>", html)


@register.filter
def under_their_heads(cells: list[str], heads: list[dict[str, Any]]) -> list[SafeString]:
    """A row of Django's lists whose cells say what they are: a telephone shows them one below the other. Addresses
    break between their words."""
    pairs = zip(cells, heads, strict=False)  # what is wrong with a row comes without a head
    named = ((cell, escape(capfirst(str(head["text"])))) for cell, head in pairs)
    return [mark_safe(_breaking(re.sub(r"(?<=^<t[dh])", f' data-head="{head}"', cell))) for cell, head in named]  # noqa: S308


def _breaking(cell: str) -> str:
    return _ADDRESS.sub(lambda address: _with_breaks(address[0]), cell)

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


@register.filter
def breakable(name: str) -> SafeString:
    """A dotted name, such as the audit log's actions, that breaks between its words and not within one."""
    return mark_safe(re.sub(r"[._]", r"\g<0><wbr>", escape(name)))  # noqa: S308  escaped


@register.filter
def under_their_heads(cells: list[str], heads: list[dict[str, Any]]) -> list[SafeString]:
    """A row of Django's lists whose cells say what they are: a telephone shows them one below the other."""
    pairs = zip(cells, heads, strict=False)  # what is wrong with a row comes without a head
    named = ((cell, escape(capfirst(str(head["text"])))) for cell, head in pairs)
    return [mark_safe(re.sub(r"(?<=^<t[dh])", f' data-head="{head}"', cell)) for cell, head in named]  # noqa: S308

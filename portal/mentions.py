"""Texts that somebody typed, and in which a person is mentioned: found when that person is erased."""

import re
from collections.abc import Iterable

from django.db.models import Q, QuerySet


def mentioning(rows: QuerySet, field: str, names: Iterable[str]) -> QuerySet:
    """Those rows whose text has one of the names or addresses in it, as words of their own: not "Ann" in "Channel"."""
    names = [name for name in names if name]
    if not names:
        return rows.none()
    likely = Q()
    for name in names:
        likely |= Q(**{f"{field}__icontains": name})
    words = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names), re.IGNORECASE)
    texts = rows.filter(likely).order_by().values_list("pk", field)
    return rows.filter(pk__in=[pk for pk, text in texts if words.search(text)])

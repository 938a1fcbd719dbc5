"""The buttons on a user's page, each for one of the verbs that the page offers this administrator."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ..models import User
from .user_verbs import ISSUE, VERBS, url_name


def offer(request: HttpRequest, user: Any, *, may_change: bool) -> None:
    """Remember on the row, for what its page says, which verbs would not be refused."""
    user.offered = {*VERBS, ISSUE} if may_change else set()
    if user.pk == request.user.pk:
        user.offered.discard("disable")


def button(user: Any, verb: str, label: Any) -> SafeString | str:
    """Its form stands below the page's own, in the template: forms do not nest, and Enter in a field presses Save."""
    if verb not in user.offered:
        return ""
    where = reverse(f"admin:{url_name(verb)}", args=[user.pk])
    return format_html('<button type="submit" form="verb" formaction="{}" class="verb">{}</button>', where, label)


def with_button(user: User, text: str, verb: str, label: Any) -> SafeString:
    return format_html("<span>{}</span> {}", text, button(user, verb, label))

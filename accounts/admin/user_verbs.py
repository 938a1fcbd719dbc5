"""What an administrator does to a user by a button of its own, on the user's page."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import (
    bouncing,
    directories,
    expired_passwords,
    mail_requests,
    reauthentication,
    second_factor,
    sessions,
    throttling,
)
from ..models import User
from .disable import disable_page
from .temporary_password import issued_page

# One POST each, on the user's page: what it does, and what the administrator is told afterwards.
VERBS: dict[str, tuple[Callable[..., Any], Any]] = {
    "disable": (directories.disable, _("The account is disabled and all its sessions have ended.")),
    "enable": (directories.enable, _("The account is enabled.")),
    "end-sessions": (sessions.end_all, _("All sessions have ended.")),
    "clear-lock": (throttling.clear_lock, _("The lock is cleared: the next log-in is not delayed.")),
    "clear-bounce": (bouncing.clear, _("The address counts as right again.")),
    "send-reset": (mail_requests.send_reset_for, _("A mail is on its way with which the user sets a new password.")),
    "order-change": (expired_passwords.order_change, _("The user has to set a new password at the next logon.")),
    "remove-second-factor": (
        second_factor.order_removal,
        _("The second factor is removed in 24 hours, unless it is used before. The user has been told by mail."),
    ),
    "keep-second-factor": (second_factor.cancel_removal, _("The second factor stays.")),
}
ISSUE = "issue-password"  # answered with a page of its own
# What gives somebody a way in: an open console alone is not enough for it.
_CONFIRMED = {ISSUE, "remove-second-factor"}


def url_name(verb: str) -> str:
    return f"accounts_user_{verb.replace('-', '_')}"


def perform(request: HttpRequest, user: User, verb: str, context: dict[str, Any]) -> HttpResponse:
    """What the button was pressed for. The caller has looked the user up as one that this administrator may change."""
    page = reverse("admin:accounts_user_change", args=[user.pk])
    if verb in _CONFIRMED and (asked := reauthentication.ask_unless_recent(request, page)):
        return asked
    if verb == ISSUE:
        return issued_page(request, user, context)
    if verb == "disable" and user.pk == request.user.pk:
        messages.error(request, gettext("You cannot disable your own account."))
    elif verb == "disable" and "confirmed" not in request.POST:
        return disable_page(request, user, context)
    else:
        act, done = VERBS[verb]
        act(actor=request.user, user=user)
        messages.success(request, done)
    return HttpResponseRedirect(page)

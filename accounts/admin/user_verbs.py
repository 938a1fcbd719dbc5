"""What an administrator does to a user by a button of its own, on the user's page."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _

from .. import bouncing, directories, expired_passwords, mail_requests, second_factor, sessions, throttling

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
# What gives somebody a way in: an open console alone is not enough for it.
CONFIRMED = {"issue-password", "remove-second-factor"}

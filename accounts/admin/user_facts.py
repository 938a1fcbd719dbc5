"""The facts in the Permissions section of a user's page, each with the buttons for what can be done about it."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from portal import moments
from portal.dates import in_full

from .. import second_factor, throttling
from ..models import User
from .user_buttons import button, with_button


@admin.display(description=_("current password"))
def password_state(user: User) -> str:
    if user.change_ordered_at:
        return gettext("To be changed at the next logon, by an administrator’s order")
    if user.temporary_until:
        return gettext("Temporary, to be changed at the next logon; lasts until %s") % in_full(user.temporary_until)
    if user.password_set_at:
        return gettext("Chosen by the user, %s") % in_full(user.password_set_at)
    return gettext("Never set")


@admin.display(description=_("help to log in"))
def help_in(user: User) -> SafeString:
    buttons = [
        button(user, "issue-password", gettext("Issue Temporary Password")),
        button(user, "send-reset", gettext("Send Reset")),
    ]
    if user.has_own_password and not user.change_ordered_at:
        buttons.append(button(user, "order-change", gettext("Force Change at Next Logon")))
    return format_html_join(" ", "{}", ((button,) for button in buttons))


@admin.display(description=_("second factor"))
def factor(user: User) -> SafeString | str:
    if not second_factor.is_enrolled(user):
        return gettext("None, though one is demanded") if user.second_factor_is_demanded else gettext("None")
    if due := second_factor.removal_due_at(user):
        text = gettext("Will be removed %s") % in_full(due)
        return with_button(user, text, "keep-second-factor", _("Keep It"))
    if second_factor.is_locked(user):
        text = gettext("Locked after %d wrong ones; whoever gave them knows the password")
        return with_button(user, text % throttling.MOST_FAILURES, "clear-lock", _("Clear Lock"))
    return with_button(user, gettext("In use"), "remove-second-factor", _("Lost: Remove in 24 Hours"))


@admin.display(description=_("account"))
def account(user: Any) -> SafeString | str:
    if user.disabled_at:
        return with_button(user, gettext("Disabled since %s") % in_full(user.disabled_at), "enable", _("Enable"))
    if user.offered and "disable" not in user.offered:
        return gettext("Enabled. Another administrator can disable it; nobody disables their own.")
    return with_button(user, gettext("Enabled"), "disable", _("Disable"))


@admin.display(description=_("failed log-ins"))
def lock(user: User) -> SafeString | str:
    if not user.failures:
        return gettext("None since the last success")
    if user.failures >= throttling.MOST_FAILURES:
        text = gettext("Locked after %d; the password is no longer accepted from browsers not seen before")
        return with_button(user, text % user.failures, "clear-lock", _("Clear Lock"))
    text = ngettext("%d since the last success", "%d since the last success", user.failures) % user.failures
    if not user.may_try_at(moments.now()) and user.next_try_at:
        text = f"{text}; {gettext('locked until %s') % in_full(user.next_try_at)}"
    return with_button(user, text, "clear-lock", _("Clear Lock"))


@admin.display(description=_("sessions"))
def open_sessions(user: User) -> SafeString | str:
    number = user.sessions.count()
    if not number:
        return gettext("None")
    return with_button(user, ngettext("%d open", "%d open", number) % number, "end-sessions", _("End Sessions"))


@admin.display(description=_("mail to the address"))
def mail_arrives(user: User) -> SafeString | str:
    if user.bounced_at is None:
        return gettext("Nothing has come back")
    told = {"day": in_full(user.bounced_at), "why": user.bounce_words}
    text = gettext("Came back on %(day)s. %(why)s") % told
    return with_button(user, text, "clear-bounce", gettext("The Address Is Right"))


FACTS: Any = (password_state, help_in, factor, account, lock, open_sessions, mail_arrives)

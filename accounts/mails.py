"""What the mails of this app say. Each is rendered in the worker, at the moment of sending, from what is true then;
None means that it is no longer wanted. Only the first carries a secret, and nothing but the mail itself holds it."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import letters, outbox
from portal.models import AuditEvent, Organization, OutgoingMail

from . import browsers, expired_passwords, throttling
from .credentials import link_token, temporary_password
from .models import Credential, SecondFactor, User


def password_notification(mail: OutgoingMail) -> letters.Letter | None:
    """The temporary password for a first visit, or the link that some organisations choose; not for one that has been
    used, replaced or has run out, nor where it is told by telephone by now."""
    credential = _open_credential(mail)
    mode = credential.user.organization.first_visit_mode if credential else ""
    if credential is None or mode == Organization.FirstVisit.BY_TELEPHONE:
        return None
    by_link = mode == Organization.FirstVisit.LINK
    return _written(
        "password_notification",
        credential.user,
        _("Secure Messaging Password Notification"),
        credential.expires_at,
        password="" if by_link else temporary_password(credential.pk),
        link=_link(credential) if by_link else "",
    )


def password_reset(mail: OutgoingMail) -> letters.Letter | None:
    """A credential in both its forms: to type, and as a link."""
    credential = _open_credential(mail)
    if credential is None:
        return None
    return _written(
        "password_reset",
        credential.user,
        _("Set a new password"),
        credential.expires_at,
        password=temporary_password(credential.pk),
        link=_link(credential),
    )


def _open_credential(mail: OutgoingMail) -> Credential | None:
    """The one the mail brings, unless it has been used, replaced or has run out, or its owner may not come in."""
    credential = (
        Credential.objects.select_related("user__organization").annotate(now=Now()).filter(pk=mail.about).first()
    )
    if credential is None or not credential.is_open(credential.now) or not credential.user.may_log_on:
        return None
    return credential


def _link(credential: Credential) -> str:
    slug = credential.user.organization.slug
    return settings.BASE_URL + reverse("reset_link", args=[slug, link_token(credential.pk)])


def portal_link(mail: OutgoingMail) -> letters.Letter | None:
    """Where the person's portal is."""
    return _about_user("portal_link", mail, _("Your secure messages"))


def password_set_by_administrator(mail: OutgoingMail) -> letters.Letter | None:
    return _about_user("password_set_by_administrator", mail, _("An administrator has set a password for you"))


def password_issued(mail: OutgoingMail) -> letters.Letter | None:
    return _about_user("password_issued", mail, _("A temporary password was issued for you"))


def password_change_ordered(mail: OutgoingMail) -> letters.Letter | None:
    user = _user(mail)
    wanted = user is not None and user.change_ordered_at is not None
    return _about_user("password_change_ordered", mail, _("Please set a new password")) if wanted else None


def password_expiring(mail: OutgoingMail) -> letters.Letter | None:
    """Not for one that has been changed since."""
    user = _user(mail)
    ends = expired_passwords.ends_at(user) if user else None
    if user is None or ends is None or not mail.date < ends <= mail.date + timedelta(days=15):
        return None
    return _written("password_expiring", user, _("Your password expires soon"), ends)


def _user(mail: OutgoingMail) -> User | None:
    return User.objects.select_related("organization").filter(pk=mail.about).first()


def new_browser(mail: OutgoingMail) -> letters.Letter | None:
    event, user = _event_and_user(mail)
    if event is None or user is None:
        return None
    words = browsers.in_words(event.details["browser"])
    return _written("new_browser", user, _("A log-in from a new browser"), mail.date, browser=words)


# By the event's action: what was done, and what it means.
_DONE = {
    "user.lock_cleared": _(
        "The lock after too many failed log-ins was taken away: what you log in with is accepted again."
    ),
    "sessions.ended": _("You were logged out wherever you were logged in. Nothing is lost: you can log in again."),
    "second_factor.removal_cancelled": _("The removal of your second factor was called off: it stays as it is."),
    "user.disabled": _("Your account was closed. You cannot log in any more; your messages stay where they are."),
    "user.enabled": _("Your account was opened again. You can log in with the password you had."),
    "user.logon_forbidden": _("You may not log in any more; your messages stay where they are."),
    "user.logon_allowed": _("You may log in again, with the password you had."),
}


def done_by_administrator(mail: OutgoingMail) -> letters.Letter | None:
    event, user = _event_and_user(mail)
    if event is None or user is None:
        return None
    subject = _("An administrator has changed your account")
    return _written("done_by_administrator", user, subject, mail.date, done=_DONE[event.action])


def address_changed(mail: OutgoingMail) -> letters.Letter | None:
    """To the old address and to the new one."""
    event, user = _event_and_user(mail)
    if event is None or user is None:
        return None
    addresses = {name: event.details[name] for name in ("before", "after")}
    return _written("address_changed", user, _("Your email address was changed"), mail.date, **addresses)


def _event_and_user(mail: OutgoingMail) -> tuple[AuditEvent | None, User | None]:
    """The event that the mail is about, and whom that is about."""
    event = AuditEvent.objects.filter(pk=mail.about, about__isnull=False).first()
    user = User.objects.select_related("organization").filter(pk=event.about).first() if event and event.about else None
    return event, user


def account_locked(mail: OutgoingMail) -> letters.Letter | None:
    """Not if it has been opened again."""
    user = _user(mail)
    locked = user is not None and user.failures >= throttling.MOST_FAILURES
    return _about_user("account_locked", mail, _("Your account is locked")) if locked else None


def second_factor_changed(mail: OutgoingMail) -> letters.Letter | None:
    return _about_user("second_factor_changed", mail, _("Your second factor was changed"))


def second_factor_locked(mail: OutgoingMail) -> letters.Letter | None:
    return _about_user("second_factor_locked", mail, _("Your second factor is locked"))


def second_factor_removal(mail: OutgoingMail) -> letters.Letter | None:
    """Not if the removal was called off before the mail left."""
    row = SecondFactor.objects.select_related("user__organization").filter(user=mail.about).first()
    if row is None or row.removal_due_at is None:
        return None
    return _written("second_factor_removal", row.user, _("Your second factor will be removed"), row.removal_due_at)


def password_changed(mail: OutgoingMail) -> letters.Letter | None:
    return _about_user("password_changed", mail, _("Your password has been set"))


def _about_user(template: str, mail: OutgoingMail, subject: Promise) -> letters.Letter | None:
    user = _user(mail)
    return _written(template, user, subject, mail.date) if user else None


def _written(template: str, user: User, subject: Promise, moment: datetime, **context: Any) -> letters.Letter:
    return letters.written(user.organization, subject, f"accounts/mail/{template}", user=user, moment=moment, **context)


for render in (password_notification, password_reset, portal_link):  # labelled in wordings.py
    outbox.register(render.__name__, render)
for render, label in (
    (password_set_by_administrator, _("Password set by an administrator")),
    (password_issued, _("Temporary password issued")),
    (password_change_ordered, _("Change of password ordered")),
    (password_expiring, _("Password about to expire")),
    (password_changed, _("Password set")),
    (new_browser, _("Log-in from a new browser")),
    (done_by_administrator, _("Account changed by an administrator")),
    (account_locked, _("Account locked")),
    (second_factor_changed, _("Second factor changed")),
    (second_factor_locked, _("Second factor locked")),
    (second_factor_removal, _("Second factor about to be removed")),
    (address_changed, _("Address changed")),
):
    outbox.register(render.__name__, render, label=label)

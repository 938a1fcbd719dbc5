"""What the mails of this app say. Each is rendered in the worker, at the moment of sending, from what is true then;
None means that it is no longer wanted. Only the first carries a secret, and nothing but the mail itself holds it."""

from datetime import datetime
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal import outbox
from portal.models import OutgoingMail

from .credentials import temporary_password
from .models import Credential, User


def password_notification(mail: OutgoingMail) -> EmailMessage | None:
    """The temporary password for a first visit; not for one that has been used, replaced or has run out."""
    credential = (
        Credential.objects.select_related("user__organization").annotate(now=Now()).filter(pk=mail.about).first()
    )
    if credential is None or not credential.is_open(credential.now) or not credential.user.may_log_on:
        return None
    return _written(
        "password_notification",
        credential.user,
        _("Secure Messaging Password Notification"),
        credential.expires_at,
        password=temporary_password(credential.pk),
    )


def password_set_by_administrator(mail: OutgoingMail) -> EmailMessage | None:
    return _about_password("password_set_by_administrator", mail, _("An administrator has set a password for you"))


def password_changed(mail: OutgoingMail) -> EmailMessage | None:
    return _about_password("password_changed", mail, _("Your password has been set"))


def _about_password(template: str, mail: OutgoingMail, subject: Promise) -> EmailMessage | None:
    user = User.objects.select_related("organization").filter(pk=mail.about).first()
    return _written(template, user, subject, mail.date) if user else None


def _written(template: str, user: User, subject: Promise, moment: datetime, **context: Any) -> EmailMessage:
    """Text and HTML, in the organisation's language and time zone. Addresses in it come from the settings."""
    organization = user.organization
    with translation.override(organization.language), timezone.override(ZoneInfo(organization.time_zone)):
        context |= {
            "organization": organization,
            "user": user,
            "moment": moment,
            "log_in_url": settings.BASE_URL + reverse("log_in", args=[organization.slug]),
        }
        message = EmailMessage()
        message["Subject"] = f"{' '.join(organization.name.split())}: {subject}"
        if organization.reply_to:
            message["Reply-To"] = organization.reply_to
        message.set_content(render_to_string(f"accounts/mail/{template}.txt", context))
        message.add_alternative(render_to_string(f"accounts/mail/{template}.html", context), subtype="html")
    return message


for render in (password_notification, password_set_by_administrator, password_changed):
    outbox.register(render.__name__, render)

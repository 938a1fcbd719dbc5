"""How the mails of the portal are written: text and HTML, in the organisation's language and time zone."""

from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise

from .models import Organization


def written(organization: Organization, subject: Promise, template: str, **context: Any) -> EmailMessage:
    """The mail made of `template`.txt and `template`.html, its subject led by the organisation's name.

    Every address in it comes from the settings, none from a request. Headers are the outbox's (envelope.py).
    """
    with translation.override(organization.language), timezone.override(ZoneInfo(organization.time_zone)):
        context |= {
            "organization": organization,
            "log_in_url": settings.BASE_URL + reverse("log_in", args=[organization.slug]),
        }
        message = EmailMessage()
        # A line end in a name must not become a header of its own.
        message["Subject"] = f"{' '.join(organization.name.split())}: {subject}"
        if organization.reply_to:
            message["Reply-To"] = organization.reply_to
        message.set_content(render_to_string(f"{template}.txt", context))
        message.add_alternative(render_to_string(f"{template}.html", context), subtype="html")
    return message

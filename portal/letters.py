"""How the mails of the portal are written: text and HTML, in the organisation's language and time zone, and where it
has words of its own for such a mail (wordings.py), in those."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise

from . import wordings
from .models import NotificationText, Organization


def written(organization: Organization, subject: Promise, template: str, **context: Any) -> EmailMessage:
    """The mail made of `template`.txt and `template`.html, its subject led by the organisation's name.

    Every address in it comes from the settings, none from a request. Headers are the outbox's (envelope.py).
    """
    with in_the_language_of(organization):
        if wording := wordings.wording_for(template):
            return _worded(organization, wording, wordings.own_text(organization, wording), context)
        return _message(organization, str(subject), template, context)


def sample(organization: Organization, wording: wordings.Wording, own: NotificationText | None) -> EmailMessage:
    """Such a mail as it would leave with this text; whom and what it names is made up."""
    with in_the_language_of(organization):
        return _worded(organization, wording, own, wording.sample(organization))


@contextmanager
def in_the_language_of(organization: Organization) -> Iterator[None]:
    with translation.override(organization.language), timezone.override(ZoneInfo(organization.time_zone)):
        yield


def _worded(
    organization: Organization, wording: wordings.Wording, own: NotificationText | None, context: dict[str, Any]
) -> EmailMessage:
    subject, lead = wording.filled(own, {**context, "organization": organization})
    return _message(organization, subject, wording.template, {**context, "lead": lead})


def _message(organization: Organization, subject: str, template: str, context: dict[str, Any]) -> EmailMessage:
    context |= {
        "organization": organization,
        "subject": subject,
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

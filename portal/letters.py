"""How the mails of the portal are written: text and HTML, in the organisation's language and time zone, and where it
has words of its own for such a mail (wordings.py), in those."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.html import escape

from . import wordings
from .models import NotificationText, Organization


@dataclass(frozen=True)
class Letter:
    """The words of a mail; headers and the form it is sent in are the outbox's (envelope.py)."""

    subject: str
    text: str
    html: str
    reply_to: str = ""


def written(organization: Organization, subject: Promise, template: str, **context: Any) -> Letter:
    """The mail made of `template`.txt and `template`.html, its subject led by the organisation's name.

    Every address in it comes from the settings, none from a request.
    """
    return _written(organization, subject, template, context, wordings.OwnTexts())


def _written(
    organization: Organization, subject: Promise, template: str, context: dict[str, Any], own: wordings.OwnTexts
) -> Letter:
    with in_the_language_of(organization):
        if wording := wordings.wording_for(template):
            return _worded(organization, wording, own.of(organization, wording), context)
        return _message(organization, str(subject), template, context)


class Circular:
    """A mail that goes to several people alike, written once: only its link, `url`, is everybody's own."""

    def __init__(
        self, organization: Organization, subject: Promise, template: str, own: wordings.OwnTexts, **context: Any
    ) -> None:
        # As an address, it stands in HTML as it is; and nobody who words a mail can know it.
        self._place = f"{settings.BASE_URL}/{secrets.token_hex(16)}"
        self._letter = _written(organization, subject, template, {**context, "url": self._place}, own)

    def leading_to(self, url: str) -> Letter:
        text = self._letter.text.replace(self._place, url)
        return replace(self._letter, text=text, html=self._letter.html.replace(self._place, escape(url)))


def sample(organization: Organization, wording: wordings.Wording, own: NotificationText | None) -> Letter:
    """Such a mail as it would leave with this text; whom and what it names is made up."""
    with in_the_language_of(organization):
        return _worded(organization, wording, own, wording.sample(organization))


@contextmanager
def in_the_language_of(organization: Organization) -> Iterator[None]:
    with translation.override(organization.language), timezone.override(ZoneInfo(organization.time_zone)):
        yield


def _worded(
    organization: Organization, wording: wordings.Wording, own: NotificationText | None, context: dict[str, Any]
) -> Letter:
    subject, lead = wording.filled(own, {**context, "organization": organization})
    return _message(organization, subject, wording.template, {**context, "lead": lead})


def _message(organization: Organization, subject: str, template: str, context: dict[str, Any]) -> Letter:
    context |= {
        "organization": organization,
        "subject": subject,
        "log_in_url": settings.BASE_URL + reverse("log_in", args=[organization.slug]),
    }
    return Letter(
        # A line end in a name must not become a header of its own.
        subject=f"{' '.join(organization.name.split())}: {subject}",
        text=_rendered(f"{template}.txt", context),
        html=_rendered(f"{template}.html", context),
        reply_to=organization.reply_to,
    )


def _rendered(template: str, context: dict[str, Any]) -> str:
    """No SafeString: on a page that shows a mail, its HTML is text like any other."""
    return str.__str__(render_to_string(template, context))

"""What an organisation may word itself in the mails about messages."""

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal import moments
from portal.models import Organization
from portal.wordings import Placeholder, Wording, register

_SENDER = {
    "sender_name": Placeholder(_("the sender's name"), lambda mail: mail["sender"].get_full_name()),
    "sender_address": Placeholder(_("the sender's email address"), lambda mail: mail["sender"].address),
    "organization": Placeholder(_("your organisation's name"), lambda mail: mail["organization"].name),
}


def _sent(mail: Mapping[str, Any]) -> str:
    return date_format(localtime(mail["sent_at"]), "j F Y")


def _sample(organization: Organization) -> dict[str, Any]:
    now = moments.now()
    name = gettext("Alex Example")
    return {
        # At a domain that is nobody's (RFC 2606).
        "sender": SimpleNamespace(get_full_name=lambda: name, address="alex@example.org"),
        "sent_at": now - timedelta(days=4),
        "expires_at": now + timedelta(days=3),
        "url": f"{settings.BASE_URL}{organization.get_absolute_url()}",
        "phrase": "",
    }


register(
    Wording(
        kind="notification",
        label=_("Secure Messaging Notification"),
        template="messaging/mail/notification",
        subject=_("Secure Messaging Notification"),
        text=_("{sender_name} ({sender_address}) at {organization} has sent you a secure message."),
        placeholders=_SENDER,
        required=("sender_address", "organization"),
        sample=_sample,
    )
)
register(
    Wording(
        kind="reminder",
        label=_("Secure Messaging Reminder"),
        template="messaging/mail/reminder",
        subject=_("Secure Messaging Reminder"),
        text=_(
            "{sender_name} ({sender_address}) at {organization} sent you a secure message on {sent}. "
            "You have not opened it yet."
        ),
        placeholders={**_SENDER, "sent": Placeholder(_("the day on which it was sent"), _sent)},
        required=("sender_address", "organization"),
        sample=_sample,
    )
)

"""What an organisation may word itself in the mails about messages."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from portal import moments
from portal.models import Organization
from portal.wordings import Placeholder, Wording, register

_ORGANIZATION = Placeholder(_("your organisation's name"), lambda mail: mail["organization"].name)
_SENDER = {
    "sender_name": Placeholder(_("the sender's name"), lambda mail: mail["sender"].get_full_name()),
    "sender_address": Placeholder(_("the sender's email address"), lambda mail: mail["sender"].address),
    "organization": _ORGANIZATION,
}
_RECEIPT = {
    "recipient_address": Placeholder(_("the address of who opened it"), lambda mail: mail["recipient"].address),
    "sent": Placeholder(_("when it was sent"), lambda mail: _moment(mail["recipient"].message.sent_at)),
    "opened": Placeholder(_("when it was opened"), lambda mail: _moment(mail["recipient"].read_at)),
    "time_zone": Placeholder(_("the time zone of these times"), lambda mail: mail["organization"].time_zone),
    "organization": _ORGANIZATION,
}


def _sent(mail: Mapping[str, Any]) -> str:
    return date_format(localtime(mail["sent_at"]), "j F Y")


def _moment(at: datetime) -> str:
    return date_format(localtime(at), "j F Y, H:i")


def _how_many(mail: Mapping[str, Any]) -> str:
    count = len(mail["entries"])
    return ngettext("%d secure message", "%d secure messages", count) % count


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


def _sample_of_a_digest(organization: Organization) -> dict[str, Any]:
    message = SimpleNamespace(**_sample(organization))
    return {"entries": [SimpleNamespace(message=message)] * 2, "chosen": True, "phrase": ""}


def _sample_of_a_receipt(organization: Organization) -> dict[str, Any]:
    message = SimpleNamespace(**_sample(organization))
    recipient = SimpleNamespace(address="reader@example.org", message=message, read_at=moments.now())
    return {"recipient": recipient, "url": _sample(organization)["url"]}


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
register(
    Wording(
        kind="digest",
        label=_("Secure Messaging Digest"),
        template="messaging/mail/digest",
        subject=_("Secure Messaging Digest"),
        text=_("Waiting for you at {organization}: {messages}."),
        placeholders={
            "messages": Placeholder(_("how many, such as “3 secure messages”"), _how_many),
            "organization": _ORGANIZATION,
        },
        required=("organization", "messages"),
        sample=_sample_of_a_digest,
    )
)
register(
    Wording(
        kind="read_receipt",
        label=_("Secure Messaging Read Receipt"),
        template="messaging/mail/read_receipt",
        subject=_("Secure Messaging Read Receipt"),
        text=_("{recipient_address} opened the message you sent on {sent}, on {opened} ({time_zone})."),
        placeholders=_RECEIPT,
        required=("recipient_address", "opened"),
        sample=_sample_of_a_receipt,
    )
)

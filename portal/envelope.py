"""What every mail of the portal carries, whoever writes it: address, Message-ID, Date, the form it is sent in."""

from collections.abc import Iterable
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache
from uuid import UUID

from django.conf import settings

from . import mime
from .letters import Letter
from .models import Organization, OutgoingMail

_HEADERS = ("From", "To", "Reply-To", "Subject", "Auto-Submitted", "Message-ID", "Date")


def from_header(organization: Organization) -> str:
    """The organisation's own address, where it has set one; else the installation's."""
    if organization.mail_from:
        return mime.mailbox(organization.name, organization.mail_from)
    return settings.DEFAULT_FROM_EMAIL


def own_address(organization: Organization) -> str:
    return organization.mail_from or _address_in(settings.DEFAULT_FROM_EMAIL)


def domain_of(organization: Organization) -> str:
    """The domain that its mail comes from, signs in and makes Message-IDs in: aligned (RFC 7489, 3.1)."""
    return own_address(organization).rpartition("@")[2].lower()


def return_domain(organization: Organization) -> str:
    """The domain of the sender on the envelope, which SPF is asked about."""
    return settings.BOUNCE_DOMAIN or domain_of(organization)


@cache
def _address_in(text: str) -> str:
    return parseaddr(text)[1]


def message_ids(mails: Iterable[UUID], organization: Organization) -> list[str]:
    """The Message-IDs of the mails with these ids: as unique as those are, which spares an index."""
    domain = domain_of(organization)
    return [f"<{mail.hex}@{domain}>" for mail in mails]


def dressed(message: Letter | EmailMessage, mail: OutgoingMail) -> bytes:
    """The message as it goes over the wire. From, To and Auto-Submitted (RFC 3834) only where it has none."""
    given = (
        {"Subject": message.subject, "Reply-To": message.reply_to} if isinstance(message, Letter) else _taken(message)
    )
    headers = {
        "From": from_header(mail.organization),
        "To": mail.to_address,
        "Auto-Submitted": "auto-generated",
        **given,
        "Message-ID": mail.message_id,
        "Date": format_datetime(mail.date),
    }
    utf8 = not mail.to_address.isascii()
    head = b"".join(mime.header(name, value, utf8=utf8) for name, value in headers.items() if value)
    if isinstance(message, Letter):
        return head + mime.alternatives(message.text, message.html)
    # 7bit: no server on the way has a reason to re-encode it. UTF-8 headers (RFC 6532) only where the address needs it.
    return head + message.as_bytes(policy=policy.SMTP.clone(cte_type="7bit", utf8=utf8))


def _taken(message: EmailMessage) -> dict[str, str]:
    """The message's own headers of those that are written here, taken out of it."""
    taken = {name: str(message[name]) for name in _HEADERS if name in message}
    for name in _HEADERS:
        del message[name]
    return taken

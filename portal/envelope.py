"""What every mail of the portal carries, whoever writes it: address, Message-ID, Date, the form it is sent in."""

import secrets
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache

from django.conf import settings

from .models import OutgoingMail


def own_address() -> str:
    """The portal's own address: the sender on the envelope, and the domain its Message-IDs are made in."""
    return _address_in(settings.DEFAULT_FROM_EMAIL)


@cache
def _address_in(text: str) -> str:
    return parseaddr(text)[1]


def new_message_id() -> str:
    return f"<{secrets.token_hex(16)}@{own_address().rpartition('@')[2]}>"


def dressed(message: EmailMessage, mail: OutgoingMail) -> bytes:
    """The message as it goes over the wire. From, To and Auto-Submitted (RFC 3834) only where it has none."""
    del message["Message-ID"], message["Date"]
    message["Message-ID"] = mail.message_id
    message["Date"] = format_datetime(mail.date)
    defaults = {"From": settings.DEFAULT_FROM_EMAIL, "To": mail.to_address, "Auto-Submitted": "auto-generated"}
    for name, value in defaults.items():
        if name not in message:
            message[name] = value
    # 7bit: no server on the way has a reason to re-encode it. UTF-8 headers (RFC 6532) only where the address needs it.
    return message.as_bytes(policy=policy.SMTP.clone(cte_type="7bit", utf8=not mail.to_address.isascii()))

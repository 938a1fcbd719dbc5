"""Return paths (VERP): each mail leaves under a sender of its own, so that what comes back names it. The name is
signed, so that nobody else can make one up.

    b-<base32 of the mail's id and 80 bits of HMAC>@<BOUNCE_DOMAIN>
"""

import base64
import binascii
import hashlib
import hmac
import re
from uuid import UUID

from django.conf import settings

from . import envelope, keyring
from .models import OutgoingMail

MAC_BYTES = 10
_LOCAL_PART = re.compile(r"b-([a-z2-7]{42})")


class ReturnPaths:
    """The senders on envelopes; the key is opened once."""

    def __init__(self) -> None:
        self._key: bytes | None = None

    def of(self, mail: OutgoingMail) -> str:
        if not settings.BOUNCE_DOMAIN:
            return envelope.own_address(mail.organization)
        token = base64.b32encode(mail.pk.bytes + self._mac(mail.pk.bytes)).decode().lower().rstrip("=")
        return f"b-{token}@{settings.BOUNCE_DOMAIN}"

    def mail_id(self, address: str) -> UUID | None:
        """Whose return path that is; None for one that was not made here."""
        local, _at, domain = address.lower().rpartition("@")
        match = _LOCAL_PART.fullmatch(local)
        if match is None or not settings.BOUNCE_DOMAIN or domain != settings.BOUNCE_DOMAIN.lower():
            return None
        try:
            token = base64.b32decode(match[1].upper() + "======")
        except binascii.Error:
            return None
        name, mac = token[:16], token[16:]
        return UUID(bytes=name) if hmac.compare_digest(mac, self._mac(name)) else None

    def _mac(self, name: bytes) -> bytes:
        self._key = self._key or keyring.leaf_key("bounces")
        return hmac.digest(self._key, name, hashlib.sha256)[:MAC_BYTES]

"""DKIM (RFC 6376): keys of an organisation's own, and the signature they put on its mail.

RSA of 2048 bit, which every receiver verifies (RFC 8301); Ed25519 (RFC 8463) still fails at large ones. A key signs
once its record has been found in the DNS (portal/mail_check.py), the newest found one first.
"""

import base64
import secrets
from uuid import UUID

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import envelope, keyring, moments
from .models import DkimKey, Organization

BITS = 2048
# Each once more than it stands there, so that none can be added without breaking the signature.
_SIGNED = b"from to subject date message-id reply-to auto-submitted mime-version content-type".split()


def make(organization: Organization, key: DkimKey) -> DkimKey:
    """Fill in the (unsaved) row with a new key for the domain the organisation's mail comes from."""
    private = rsa.generate_private_key(65537, BITS)
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key.organization = organization
    key.domain = envelope.domain_of(organization)
    key.created_at = moments.now()
    key.selector = f"sm{key.created_at:%Y%m}{secrets.token_hex(3)}"
    key.public_key = base64.b64encode(public).decode()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    key.sealed_private_key = keyring.seal(keyring.leaf_key("dkim"), pem, _place(key))
    return key


def record_of(key: DkimKey) -> str:
    """The TXT record to publish under the key's name."""
    return f"v=DKIM1; k=rsa; p={key.public_key}"


def is_published(key: DkimKey, texts: list[str]) -> bool:
    """Whether one of the TXT records found under its name is the key's."""
    wanted = key.public_key
    return any(wanted == tags.get("p") for tags in map(_tags, texts))


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, _equals, value in pairs}


class Signer:
    """Signs for the seconds of a worker's turn; each organisation's key is opened once."""

    def __init__(self) -> None:
        self._keys: dict[UUID, tuple[DkimKey, bytes] | None] = {}

    def signed(self, message: bytes, organization: Organization) -> bytes:
        """The message with a signature on top; as it is where the organisation has no key for its domain."""
        if organization.pk not in self._keys:
            self._keys[organization.pk] = _opened(organization)
        found = self._keys[organization.pk]
        if found is None:
            return message
        key, pem = found
        present = [name for name in _SIGNED if b"\n" + name + b":" in b"\n" + message.partition(b"\r\n\r\n")[0].lower()]
        signature: bytes = dkim.sign(
            message,
            key.selector.encode(),
            key.domain.encode(),
            pem,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[*present, *present],
        )
        return signature + message


def _opened(organization: Organization) -> tuple[DkimKey, bytes] | None:
    keys = DkimKey.objects.filter(organization=organization, domain=envelope.domain_of(organization))
    key = keys.filter(found_at__isnull=False).order_by("-created_at").first()
    return (key, keyring.unseal(keyring.leaf_key("dkim"), key.sealed_private_key, _place(key))) if key else None


def _place(key: DkimKey) -> keyring.Place:
    return ("dkim_key", key.organization_id, key.pk, "private_key")

"""Checkpoints of the audit log: the head of every organisation's chain, signed, hourly, in a file of the operator's
choice. Whoever rewrites or cuts off a chain in the database cannot make it lead to a head that lies elsewhere.

One line of JSON each, only ever appended: organization, sequence, hash, at, signature. The signature is Ed25519
(RFC 8032) over the line's canonical JSON without it; the key is a leaf of the key ring, so that the database alone
does not sign. `manage.py audit_public_key` prints the public one, to verify with anything that knows Ed25519.
"""

import base64
import json
import os
from collections.abc import Iterable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from . import keyring, moments
from .models import AuditLink, Organization


def _private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keyring.leaf_key("audit_checkpoints"))


def public_key() -> str:
    """As PEM (RFC 8410)."""
    return _private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def write() -> int:
    """Append a line for each organisation that has a chain; returns how many. Without a file, none."""
    if not settings.AUDIT_CHECKPOINTS_FILE:
        return 0
    key, at = _private_key(), moments.now().isoformat(timespec="milliseconds")
    found = (_head_of(organization) for organization in Organization.objects.order_by("slug"))
    lines = [_signed(key, _said(head, at)) for head in found if head is not None]
    _append("".join(f"{line}\n" for line in lines))
    return len(lines)


def _head_of(organization: Organization) -> AuditLink | None:
    return AuditLink.objects.filter(organization=organization).order_by("-sequence").first()


def _said(link: AuditLink, at: str) -> dict[str, Any]:
    return {
        "organization": str(link.organization_id),
        "sequence": link.sequence,
        "hash": bytes(link.hash).hex(),
        "at": at,
    }


def _canonical(said: dict[str, Any]) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def _signed(key: Ed25519PrivateKey, said: dict[str, Any]) -> str:
    signature = base64.b64encode(key.sign(_canonical(said))).decode()
    return json.dumps({**said, "signature": signature}, sort_keys=True)


def _append(text: str) -> None:
    """All or nothing is not needed: half a line is told from a whole one, and the next hour writes another."""
    with open(settings.AUDIT_CHECKPOINTS_FILE, "a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def verify(lines: Iterable[str]) -> tuple[int, list[str]]:
    """How many lines agree with the chains, and what is wrong: for each organisation its first broken link, and lines
    that were not signed here."""
    public, good = _private_key().public_key(), 0
    broken: dict[str, str] = {}
    for number, text in enumerate(lines, 1):
        try:
            said = json.loads(text)
            public.verify(base64.b64decode(said.pop("signature")), _canonical(said))
            organization, sequence = said["organization"], said["sequence"]
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature):
            broken[f"line {number}"] = f"line {number} of the file was not signed here"
            continue
        if problem := _why_broken(said):
            broken.setdefault(organization, f"organisation {organization}: link {sequence} {problem} {said['at']}")
        else:
            good += 1
    return good, list(broken.values())


def _why_broken(said: dict[str, Any]) -> str:
    link = AuditLink.objects.filter(organization=said["organization"], sequence=said["sequence"]).first()
    if link is None:
        return "is gone; it was there at"
    return "" if bytes(link.hash).hex() == said["hash"] else "is not what it was at"

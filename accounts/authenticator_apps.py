"""Authenticator apps (TOTP, RFC 6238): seeds, what an app reads them from, and which step a code belongs to.

A seed that is offered lies in the form of the page that offers it, sealed for its person, and nowhere else until the
app has shown a right code: looking at the page writes nothing.
"""

import base64
import hmac
import secrets
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from django_otp.oath import hotp

from portal import keyring
from portal.keyring import SealBroken

from .models import TotpDevice, User

STEP = 30  # seconds
# Time enough to find and install an app.
OFFER_LASTS = timedelta(minutes=30)
_SEED_BYTES = 20
_MOMENT_BYTES = 8


def matching_step(seed: bytes, code: str, now: datetime) -> int | None:
    """The 30-second step whose code this is: the current one, the one before or the one after.

    Codes so live 90 seconds where ASVS 5.0 (6.5.5) asks for 30: clocks of telephones go wrong, and people type slowly.
    What that gives a guesser is a factor of three, of a million, under a count that ends at a hundred (throttling.py);
    and none is accepted twice (second_factor.py)."""
    current = int(now.timestamp()) // STEP
    found = None
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(_code(seed, step).encode(), code.encode()):
            found = step
    return found


def _code(seed: bytes, step: int) -> str:
    return f"{hotp(seed, step):06d}"


# --- Seeds ------------------------------------------------------------------------------------------------------


def new_seed() -> bytes:
    return secrets.token_bytes(_SEED_BYTES)


def sealed_seed(user: User, seed: bytes) -> bytes:
    return keyring.seal(_key(), seed, ("totp_device", user.pk, "seed"))


def seed_of(device: TotpDevice) -> bytes:
    return keyring.unseal(_key(), device.sealed_seed, ("totp_device", device.user_id, "seed"))


def _key() -> bytes:
    return keyring.leaf_key("totp_seeds")


# --- Offering one -----------------------------------------------------------------------------------------------


def offer(user: User, seed: bytes, now: datetime) -> str:
    """The seed as it goes through the form: sealed for this person, with the moment."""
    content = int(now.timestamp()).to_bytes(_MOMENT_BYTES) + seed
    return base64.urlsafe_b64encode(keyring.seal(_key(), content, _offer_place(user))).decode()


def offered_seed(user: User, text: str, now: datetime) -> bytes | None:
    """The seed that was offered to this person within the last half hour."""
    try:
        content = keyring.unseal(_key(), base64.urlsafe_b64decode(text), _offer_place(user))
    except (SealBroken, ValueError):
        return None
    offered_at = int.from_bytes(content[:_MOMENT_BYTES])
    return content[_MOMENT_BYTES:] if now.timestamp() - offered_at < OFFER_LASTS.total_seconds() else None


def _offer_place(user: User) -> keyring.Place:
    return ("totp_offer", user.pk, "seed")


def seed_text(seed: bytes) -> str:
    """For typing into the app: base 32, in groups of four."""
    text = base64.b32encode(seed).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def seed_uri(user: User, seed: bytes) -> str:
    """For the QR code: what authenticator apps read."""
    issuer = user.organization.name
    label = quote(f"{issuer}:{user.address}")
    query = {"secret": base64.b32encode(seed).decode(), "issuer": issuer, "digits": 6, "period": STEP}
    return f"otpauth://totp/{label}?{urlencode(query, quote_via=quote)}"

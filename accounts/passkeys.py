"""Passkeys (WebAuthn): challenges, and the judging of what a browser answers to them.

A challenge is 32 random bytes, kept in the session, good for one answer. Origin and relying party are those of the
portal's own address in the settings, whatever a request says.
"""

import base64
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

import webauthn
from django.conf import settings
from django.http import HttpRequest
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from . import second_factor
from .models import Passkey, User

_CHALLENGE = "passkey_challenge"
_CHALLENGE_BYTES = 32


def creation_options(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the browser needs to make one, as WebAuthn's JSON."""
    options = webauthn.generate_registration_options(
        rp_id=_relying_party(),
        rp_name=user.organization.name,
        user_name=user.address,
        user_id=user.pk.bytes,
        user_display_name=user.get_full_name(),
        challenge=_new_challenge(request),
        exclude_credentials=_descriptors(user),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    return json.loads(webauthn.options_to_json(options))


def made(request: HttpRequest, answer: str) -> dict[str, Any] | None:
    """The values of the new Passkey row, or None: this is no answer to our challenge."""
    challenge = _taken_challenge(request)
    if challenge is None:
        return None
    try:
        verified = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_relying_party(),
            expected_origin=settings.BASE_URL,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError):
        return None
    if Passkey.objects.filter(credential_id=verified.credential_id).exists():
        return None
    return {
        "credential_id": verified.credential_id,
        "public_key": verified.credential_public_key,
        "sign_count": verified.sign_count,
    }


def request_options(request: HttpRequest, user: User) -> dict[str, Any] | None:
    """What the browser needs to answer with one; None if the person has none."""
    if not (descriptors := _descriptors(user)):
        return None
    options = webauthn.generate_authentication_options(
        rp_id=_relying_party(),
        challenge=_new_challenge(request),
        allow_credentials=descriptors,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return json.loads(webauthn.options_to_json(options))


def is_answered(request: HttpRequest, user: User, answer: str) -> bool:
    """Whether this is one of the person's passkeys, answering the challenge of this session."""
    challenge = _taken_challenge(request)
    if challenge is None:
        return False
    try:
        credential_id = webauthn.base64url_to_bytes(json.loads(answer)["id"])
        passkey = Passkey.objects.filter(user=user, credential_id=credential_id).first()
        if passkey is None:
            return False
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_relying_party(),
            expected_origin=settings.BASE_URL,
            credential_public_key=bytes(passkey.public_key),
            # Judged by us, under the lock, and written to the audit log.
            credential_current_sign_count=0,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):
        return False
    return second_factor.verified_by_passkey(user, passkey, verified.new_sign_count)


def _relying_party() -> str:
    return urlsplit(settings.BASE_URL).hostname or ""


def _descriptors(user: User) -> list[PublicKeyCredentialDescriptor]:
    ids = Passkey.objects.filter(user=user).values_list("credential_id", flat=True)
    return [PublicKeyCredentialDescriptor(id=bytes(credential_id)) for credential_id in ids]


def _new_challenge(request: HttpRequest) -> bytes:
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    request.session[_CHALLENGE] = base64.b64encode(challenge).decode()
    return challenge


def _taken_challenge(request: HttpRequest) -> bytes | None:
    """The challenge, which is used up by this."""
    text = request.session.pop(_CHALLENGE, None)
    return base64.b64decode(text) if text else None

"""Signatures: what stands under a new message or an answer before its first word is written."""

from accounts.models import User

from .models import Signature

MAX_CHARACTERS = 2000


def signature_of(user: User) -> str:
    """The text; empty where the person has none. One query."""
    return Signature.objects.filter(owner=user).values_list("text", flat=True).first() or ""


def change(user: User, text: str) -> None:
    Signature.objects.update_or_create(owner=user, defaults={"text": text[:MAX_CHARACTERS]})

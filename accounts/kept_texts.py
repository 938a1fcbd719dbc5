"""What somebody was writing when their session ended is theirs: kept, sealed, and there after they log in again.

Kept for whoever the ended session belonged to; a session that was logged out or ended by somebody leaves nothing to
say whose it was, and then the page can only give the text back.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest

from portal import keyring, moments
from portal.typed_texts import readable_post

from . import sessions
from .models import KeptText, User

LIFETIME = timedelta(hours=24)
MOST = 5
_NOT_KEPT = frozenset({"csrfmiddlewaretoken", "action", "remove"})


@dataclass(frozen=True)
class Form:
    """Where it was going, and its fields."""

    path: str
    fields: dict[str, str]


def keep(request: HttpRequest) -> uuid.UUID | None:
    """Keep the form that this ended session has sent; its id, or None if nobody can say whose it is."""
    owner = sessions.store_of(request).ended_user_id
    user = User.objects.filter(pk=owner).first() if owner else None
    if user is None:
        return None
    fields = {name: text for name, text in readable_post(request).items() if _is_kept(name)}
    return store(user, {"path": request.path, "fields": fields})


def store(user: User, form: dict[str, Any]) -> uuid.UUID:
    """Seal a form (its path and fields) for this person; the newest few are kept."""
    content = json.dumps(form).encode()
    kept = KeptText(user=user, at=moments.now())
    kept.sealed_form = keyring.seal(keyring.leaf_key("kept_texts"), content, _place(kept))
    with transaction.atomic():
        kept.save(force_insert=True)
        newest = KeptText.objects.filter(user=user).order_by("-id").values_list("pk", flat=True)[:MOST]
        KeptText.objects.filter(user=user).exclude(pk__in=list(newest)).delete()
    return kept.pk


def _is_kept(name: str) -> bool:
    return name not in _NOT_KEPT and "password" not in name


def waiting_for(user: User) -> KeptText | None:
    """The newest that the person has not been shown yet."""
    return KeptText.objects.filter(user=user, shown_at__isnull=True, at__gt=Now() - LIFETIME).order_by("-id").first()


def opened(kept: KeptText) -> Form:
    """The form; from now on the person is not led to it any more."""
    if kept.shown_at is None:
        kept.shown_at = moments.now()
        KeptText.objects.filter(pk=kept.pk).update(shown_at=kept.shown_at)
    content = json.loads(keyring.unseal(keyring.leaf_key("kept_texts"), kept.sealed_form, _place(kept)))
    return Form(content["path"], content["fields"])


def clear_old() -> int:
    return KeptText.objects.filter(at__lte=Now() - LIFETIME).delete()[0]


def _place(kept: KeptText) -> keyring.Place:
    return ("kept_text", kept.user_id, kept.pk)

"""What somebody was writing when their session ended is theirs: kept, sealed, and there after they log in again.

A letter is a draft again by then: the room that has drafts registers how. What nobody takes back is shown, to be
copied.
Kept for whoever the ended session belonged to; a session that was logged out or ended by somebody leaves nothing to
say whose it was, and then the page can only give the text back.
"""

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve, reverse

from portal import keyring, moments
from portal.typed_texts import readable_post

from . import session_store
from .models import KeptText, User

logger = logging.getLogger(__name__)

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
    owner = session_store.store_of(request).ended_user_id
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


def opened(kept: KeptText) -> Form:
    content = json.loads(keyring.unseal(keyring.leaf_key("kept_texts"), kept.sealed_form, _place(kept)))
    return Form(content["path"], content["fields"])


# --- After logging in again -------------------------------------------------------------------------------------

# The address of the page where the text is again, by the person, where its form was going, and its fields; None: it
# cannot be put back.
Restore = Callable[[User, ResolverMatch, dict[str, str]], str | None]
_restores: dict[str, Restore] = {}


def register(url_name: str, restore: Restore) -> None:
    """Forms that were going to this URL are put back by that function."""
    _restores[url_name] = restore


def bring_back(user: User) -> str | None:
    """Put back whatever waits for the person, oldest first; the address of the newest, None: nothing waits."""
    waiting = KeptText.objects.filter(user=user, shown_at__isnull=True, at__gt=Now() - LIFETIME).order_by("id")
    addresses = [_bring_back(user, kept) for kept in waiting]
    return addresses[-1] if addresses else None


def _bring_back(user: User, kept: KeptText) -> str:
    if address := _restored(user, kept):
        return address
    # Its owner is led there once, and finds it for a day.
    KeptText.objects.filter(pk=kept.pk).update(shown_at=moments.now())
    return reverse("kept_text", args=[kept.pk])


def _restored(user: User, kept: KeptText) -> str | None:
    """What goes wrong with an old text must keep nobody out."""
    try:
        with transaction.atomic():
            form = opened(kept)
            match = resolve(form.path)
            restore = _restores.get(match.url_name or "")
            address = restore(user, match, form.fields) if restore else None
            if address:
                kept.delete()
    except Resolver404:
        return None
    except Exception:
        logger.exception("Kept text %s cannot be put back", kept.pk)
        return None
    return address


def clear_old() -> int:
    return KeptText.objects.filter(at__lte=Now() - LIFETIME).delete()[0]


def _place(kept: KeptText) -> keyring.Place:
    return ("kept_text", kept.user_id, kept.pk)

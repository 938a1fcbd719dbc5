"""What stands under an answer that is not sent yet: no longer than its author may read the original. What was sent is
another matter: it is theirs who received it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from accounts.models import User

from . import replies
from .models import Message, Quote, Recipient


def open_quotes(message: Message, key: bytes, author: User) -> list[dict[str, Any]]:
    """As replies.open_quotes; where the draft's author cannot open what it answers any more, of each nothing but that:
    "destroyed" after a recall, "ended" when it has expired or was purged."""
    quotes = replies.open_quotes(message, key)
    gone = _gone(quotes[0]["source"], author) if quotes else ""
    instead = {"destroyed" if gone == "recalled" else "ended": True, "body": ""}
    return [instead | {"source": quote["source"]} for quote in quotes] if gone else quotes


def still_readable(quotes: Sequence[Quote], author: User) -> Sequence[Quote]:
    """Those of a draft that `open_quotes` shows: all or none."""
    return [] if quotes and _gone(quotes[0].source_id, author) else quotes


def why_gone(original: Message, author: User, now: datetime) -> str:
    """Why the author of an answer cannot open what it answers: "recalled", "ended", or "" where they can."""
    if original.sender_id == author.id:
        return ""
    recalled_here = Recipient.objects.filter(message=original, user=author, recalled_at__isnull=False)
    if original.is_recalled() or recalled_here.exists():
        return "recalled"
    return "ended" if original.is_expired(now) or original.purged_at is not None else ""


def _gone(source: UUID | None, author: User) -> str:
    """The first quote is the message that is answered; those below it stood under that."""
    rows = Message.objects.defer("subject", "body", "draft_recipients").annotate(now=Now())
    original = rows.filter(id=source).first()  # type: ignore[misc]
    return why_gone(original, author, original.now) if original else "ended"

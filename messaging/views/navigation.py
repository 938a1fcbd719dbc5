"""What every mailbox page shows beside its content."""

import uuid
from functools import cache
from typing import Any

from django.contrib import messages
from django.urls import reverse

from accounts.http import AuthenticatedRequest
from messaging import folders, sending
from messaging.models import MailboxEntry


def offer_undo(
    request: AuthenticatedRequest, text: str, verb: str, entries: list[uuid.UUID], *, seconds: int | None = None
) -> None:
    """Say on the next folder page what was done, with the way back: the URL named `verb`, for that many seconds."""
    if seconds == 0:
        messages.success(request, text)
        return
    request.session["undo"] = {
        "text": text,
        "url": reverse(verb),
        "entries": [str(entry) for entry in entries],
        "seconds": seconds,
    }


@cache
def _folder_url(folder: str) -> str:
    return reverse(folder)


def mailbox_context(request: AuthenticatedRequest, current: str = "") -> dict[str, Any]:
    """The folders with their counts, and whether Compose is offered; one query."""
    counts = folders.counts(request.user)
    listed = [
        {
            "name": value,
            "label": label,
            "url": _folder_url(value),
            "count": counts.get(value, 0),
            "current": value == current,
        }
        for value, label in MailboxEntry.Folder.choices
    ]
    return {"folders": listed, "may_compose": sending.may_write_new_messages(request.user)}

"""What every mailbox page shows beside its content."""

import math
import uuid
from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib import messages
from django.db.models import F, Min
from django.db.models.functions import Now
from django.urls import reverse

from accounts.http import AuthenticatedRequest
from accounts.models import User
from messaging import folders, sending
from messaging.models import MailboxEntry


def offer_undo(
    request: AuthenticatedRequest, text: str, verb: str, entries: list[uuid.UUID], *, seconds: int | None = None
) -> None:
    """Say on the next folder page what was done, with the way back: the URL named `verb`. With seconds, it is that of
    a sending, and on every folder page for as long as that can be undone."""
    if seconds == 0:
        messages.success(request, text)
        return
    request.session["undo"] = {
        "text": text,
        "url": reverse(verb),
        "entries": [str(entry) for entry in entries],
        "seconds": seconds,
    }


def undo_offered(request: AuthenticatedRequest) -> dict[str, Any] | None:
    """What this page is to offer. Where there is no end to it, the first page shows it, and no other. Where there is
    one, another window may be the first: it stays until then, and is gone once it was used."""
    offer = request.session.get("undo")
    if offer is None or offer["seconds"] is None:
        return request.session.pop("undo", None)
    left = _left_to_undo_sending(request.user, uuid.UUID(offer["entries"][0]))
    if left is not None and left > timedelta():
        if "shown" not in offer:
            request.session["undo"] = offer | {"shown": True}
        seconds = left.total_seconds()
        return offer | {"seconds": math.ceil(seconds), "milliseconds": int(seconds * 1000)}
    del request.session["undo"]
    if left is not None and "shown" not in offer:
        messages.success(request, offer["text"])
    return None


def can_undo_sending(user: User, sent: uuid.UUID) -> bool:
    left = _left_to_undo_sending(user, sent)
    return left is not None and left > timedelta()


def _left_to_undo_sending(user: User, sent: uuid.UUID) -> timedelta | None:
    """Until the first recipient sees it. None: there is no such message, for it was taken back or recalled."""
    received = MailboxEntry.objects.filter(
        message__entries__id=sent,
        message__entries__owner=user,
        message__entries__kind=MailboxEntry.Kind.SENT,
        kind=MailboxEntry.Kind.RECEIVED,
        removed_at__isnull=True,
    )
    return received.aggregate(left=Min(F("visible_at") - Now()))["left"]


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

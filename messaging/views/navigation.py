"""What every mailbox page shows beside its content."""

from typing import Any

from django.urls import reverse

from accounts.http import AuthenticatedRequest
from messaging import folders, sending
from messaging.models import MailboxEntry


def mailbox_context(request: AuthenticatedRequest, current: str = "") -> dict[str, Any]:
    """The folders with their counts, and whether Compose is offered; one query."""
    counts = folders.counts(request.user)
    listed = [
        {
            "name": value,
            "label": label,
            "url": reverse(value),
            "count": counts.get(value, 0),
            "current": value == current,
        }
        for value, label in MailboxEntry.Folder.choices
    ]
    return {"folders": listed, "may_compose": sending.may_write_new_messages(request.user)}
